//! tokio's blocking pool as an executor.

use crate::executor::Executor;
use crate::job::Job;

/// Jobs run on the runtime's blocking pool, as by `spawn_blocking`.
///
/// A job that waits when the runtime is shut down runs or resolves as [`Error::Lost`](crate::Error::Lost), as tokio's busy threads have it; one
/// submitted later resolves as `Lost`.
///
/// # Examples
/// ```
/// use offload_runtime::ExecutorExt;
///
/// let runtime = tokio::runtime::Runtime::new()?;
/// let handle = runtime.handle().submit(|| 6 * 7);
/// assert_eq!(runtime.block_on(handle).unwrap(), 42);
/// # Ok::<(), std::io::Error>(())
/// ```
impl Executor for tokio::runtime::Handle {
    fn execute(&self, job: Job) {
        // Dropping tokio's own handle lets the call run on; the job has a handle of ours.
        drop(self.spawn_blocking(move || job.run()));
    }
}
