//! rayon's pool as an executor: for work that computes and never waits.

use crate::executor::Executor;
use crate::job::Job;

/// Jobs run on the pool's threads, where they may use rayon's parallel iterators.
///
/// Its threads are as many as there are cores and meant for computing; a job that waits for I/O keeps one of them from it.
///
/// # Examples
/// ```
/// use offload_runtime::ExecutorExt;
/// use rayon::prelude::*;
///
/// let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build()?;
/// let sum = pool.submit(|| (1..=100_u64).into_par_iter().sum::<u64>());
/// assert_eq!(pollster::block_on(sum).unwrap(), 5050);
/// # Ok::<(), rayon::ThreadPoolBuildError>(())
/// ```
impl Executor for rayon::ThreadPool {
    fn execute(&self, job: Job) {
        self.spawn(move || job.run());
    }
}
