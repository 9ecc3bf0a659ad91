//! The executor whose jobs run when a test says so.

use std::collections::VecDeque;
use std::fmt;

use crate::error::Error;
use crate::executor::Executor;
use crate::job::Job;
use crate::sync::{self, Arc, Mutex};
use crate::wait::standing_in;

/// Keeps each job until the test runs it, on the test's own thread (feature `testing`).
///
/// So a test decides in which order jobs run, and looks at everything in between, without a thread or a sleep. Jobs wait in the order of their
/// submission. A job whose handle is dropped or cancelled no longer waits.
///
/// Clones are handles to the same jobs. **Dropping** the last resolves the waiting jobs as [`Error::Lost`]. A handle that is awaited while no other
/// code runs its job stays pending: step first, or step beside it, as below.
///
/// # Examples
/// Two callers refresh one cache, and the job of the second runs first. The older price must not replace the newer one:
/// ```
/// use offload_runtime::{ManualExecutor, blocking};
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// #[derive(Clone, Default)]
/// struct Prices {
///     executor: ManualExecutor,
///     source: Arc<AtomicU32>,
///     cached: Arc<AtomicU32>,
/// }
///
/// impl Prices {
///     #[blocking]
///     fn load(&self) -> u32 {
///         self.source.fetch_add(1, Ordering::Relaxed) + 1 // each price is newer than the one before
///     }
///
///     async fn refresh(&self) {
///         let price = self.load().await;
///         self.cached.fetch_max(price, Ordering::Relaxed); // with `store`, the second order fails
///     }
/// }
///
/// # pollster::block_on(async {
/// for order in [[0, 0], [1, 0]] {
///     let prices = Prices::default();
///     tokio::join!(prices.refresh(), prices.refresh(), async {
///         assert_eq!(prices.executor.pending(), 2); // both callers have submitted
///         for place in order {
///             assert!(prices.executor.step_at(place));
///         }
///     });
///     assert_eq!(prices.cached.load(Ordering::Relaxed), 2);
/// }
/// # });
/// ```
#[derive(Clone, Default)]
pub struct ManualExecutor {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    jobs: Vec<Job>,
    /// Why the next jobs are refused.
    refusals: VecDeque<Error>,
}

impl State {
    /// Takes out the jobs that were cancelled, to be dropped without the lock.
    fn take_cancelled(&mut self) -> Vec<Job> {
        self.jobs.extract_if(.., |job| job.is_cancelled()).collect()
    }
}

impl ManualExecutor {
    /// Makes an executor without jobs.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ManualExecutor};
    ///
    /// let executor = ManualExecutor::new();
    /// let handle = executor.submit(|| 6 * 7);
    /// assert!(!handle.is_finished());
    /// executor.run_all();
    /// assert_eq!(pollster::block_on(handle).unwrap(), 42);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns how many jobs wait.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ManualExecutor};
    ///
    /// let executor = ManualExecutor::new();
    /// let (first, second) = (executor.submit(|| 1), executor.submit(|| 2));
    /// assert_eq!(executor.pending(), 2);
    /// drop(first); // cancelled: it never runs
    /// assert_eq!(executor.pending(), 1);
    /// # drop(second);
    /// ```
    #[must_use]
    pub fn pending(&self) -> usize {
        let mut state = sync::lock(&self.state);
        let cancelled = state.take_cancelled();
        let pending = state.jobs.len();
        drop(state);
        drop(cancelled);
        pending
    }

    /// Runs the job that has waited for longest, on this thread. Returns `false` if none waits.
    ///
    /// # Panics
    /// Never: a panic of the job is what its handle resolves to.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ManualExecutor};
    ///
    /// let executor = ManualExecutor::new();
    /// let (first, second) = (executor.submit(|| 1), executor.submit(|| 2));
    /// assert!(executor.step());
    /// assert!(first.is_finished() && !second.is_finished());
    /// assert!(executor.step());
    /// assert!(!executor.step());
    /// ```
    #[expect(clippy::must_use_candidate, reason = "a test that knows what waits need not look")]
    pub fn step(&self) -> bool {
        self.step_at(0)
    }

    /// Runs the `i`th of the waiting jobs, counted from 0 in the order of their submission. Returns `false` if fewer wait.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ManualExecutor};
    ///
    /// let executor = ManualExecutor::new();
    /// let (first, second) = (executor.submit(|| 1), executor.submit(|| 2));
    /// assert!(executor.step_at(1));
    /// assert!(!first.is_finished() && second.is_finished());
    /// assert!(!executor.step_at(1)); // one is left
    /// ```
    #[expect(clippy::must_use_candidate, reason = "as for `step`")]
    pub fn step_at(&self, i: usize) -> bool {
        let mut state = sync::lock(&self.state);
        let cancelled = state.take_cancelled();
        let job = (i < state.jobs.len()).then(|| state.jobs.remove(i));
        drop(state);
        drop(cancelled);
        job.map(|job| standing_in(|| job.run())).is_some()
    }

    /// Runs waiting jobs in order until none is left, those included that these jobs submit. Returns how many it ran.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ManualExecutor};
    ///
    /// let executor = ManualExecutor::new();
    /// let inner = executor.clone();
    /// executor.submit(move || inner.submit(|| ()).detach()).detach();
    /// assert_eq!(executor.run_all(), 2);
    /// assert_eq!(executor.pending(), 0);
    /// ```
    #[expect(clippy::must_use_candidate, reason = "most tests run them for their effects")]
    pub fn run_all(&self) -> usize {
        std::iter::from_fn(|| self.step().then_some(())).count()
    }

    /// Refuses the next job that is submitted, for the reason `why`. Called again before that, it refuses the job after it, too.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{Error, ExecutorExt, ManualExecutor};
    ///
    /// let executor = ManualExecutor::new();
    /// executor.refuse_next(Error::QueueFull);
    /// assert!(matches!(pollster::block_on(executor.submit(|| ())), Err(Error::QueueFull)));
    /// let again = executor.submit(|| ()); // a retry succeeds
    /// assert!(executor.step());
    /// # drop(again);
    /// ```
    pub fn refuse_next(&self, why: Error) {
        sync::lock(&self.state).refusals.push_back(why);
    }
}

impl Executor for ManualExecutor {
    fn execute(&self, job: Job) {
        let mut state = sync::lock(&self.state);
        let Some(why) = state.refusals.pop_front() else { return state.jobs.push(job) };
        drop(state);
        job.refuse(why);
    }
}

impl fmt::Debug for ManualExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManualExecutor").field("pending", &self.pending()).finish_non_exhaustive()
    }
}
