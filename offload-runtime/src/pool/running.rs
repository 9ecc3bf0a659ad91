//! [`RunningJob`], a running job as another thread saw it.

use std::fmt;
use std::time::Duration;

use super::current::Worker;
use crate::job::Sight;
use crate::site::Site;
use crate::sync::Arc;

/// A job that runs, as [`ThreadPool::running_jobs`](crate::ThreadPool::running_jobs) saw it.
///
/// # Examples
/// ```
/// use offload_runtime::{ExecutorExt, ThreadPool};
///
/// let pool = ThreadPool::builder().thread_name("db").build();
/// let (started, wait) = std::sync::mpsc::channel();
/// let (end, goes_on) = std::sync::mpsc::channel::<()>();
/// let handle = pool.submit(move || {
///     started.send(()).unwrap();
///     goes_on.recv().unwrap();
/// });
/// wait.recv().unwrap();
/// let job = &pool.running_jobs()[0];
/// assert_eq!((job.thread_name(), job.is_cancelled()), ("db-0", false));
/// println!("{} runs for {:?}", job.site(), job.elapsed());
/// // The same job, seen again:
/// assert_eq!(pool.running_jobs()[0].number(), job.number());
/// end.send(()).unwrap();
/// handle.wait().unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct RunningJob {
    site: Site,
    thread_name: String,
    elapsed: Duration,
    is_cancelled: bool,
    live: Live,
}

/// By which the job is found again, while it runs.
#[derive(Clone)]
struct Live {
    worker: Arc<Worker>,
    number: u64,
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("number", &self.number).finish_non_exhaustive()
    }
}

impl RunningJob {
    /// Where in the source the job comes from. Where a job runs another on the same thread, the inner one.
    #[must_use]
    pub fn site(&self) -> Site {
        self.site
    }

    /// The name of the thread that runs the job.
    #[must_use]
    pub fn thread_name(&self) -> &str {
        &self.thread_name
    }

    /// For how long it had been running: since it began or, if it is not [timed](crate::ThreadPoolBuilder::timing), since it was first seen.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Whether its cancellation was requested: its handle was dropped (the client has hung up) or cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.is_cancelled
    }

    /// Returns a number that tells this job from all others that its thread has run.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.live.number
    }

    /// Requests the cancellation of the job, as [`JobHandle::cancel`](crate::JobHandle::cancel) does: [`is_cancelled`](crate::is_cancelled)
    /// turns true in it, and its [`on_cancel`](crate::on_cancel) callbacks run, on this thread. Returns whether the job was still running.
    ///
    /// The job is not stopped: one that does not look at its cancellation runs to its end. Its caller still gets what it returns. Jobs that
    /// it awaits are cancelled, too.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{Error, ExecutorExt, ThreadPool, check_cancelled};
    ///
    /// let pool = ThreadPool::new(1);
    /// let (started, wait) = std::sync::mpsc::channel();
    /// let endless = pool.submit(move || {
    ///     started.send(()).unwrap();
    ///     loop {
    ///         check_cancelled();
    ///         std::thread::yield_now();
    ///     }
    /// });
    /// wait.recv().unwrap();
    /// let job = &pool.running_jobs()[0];
    /// assert!(job.cancel());
    /// assert!(matches!(pollster::block_on(endless), Err::<(), _>(Error::Cancelled)));
    /// assert!(!job.cancel()); // it has ended
    /// ```
    #[expect(clippy::must_use_candidate, reason = "it is called for its effect")]
    pub fn cancel(&self) -> bool {
        self.live.worker.shown.cancel(self.live.number)
    }
}

impl RunningJob {
    /// The job that is seen on the thread of `worker`.
    pub(super) fn of(sight: &Sight, worker: &Arc<Worker>) -> Self {
        let Sight { origin, is_cancelled, since, number } = *sight;
        let live = Live { worker: Arc::clone(worker), number };
        Self { site: origin.site(), thread_name: worker.name.clone(), elapsed: since.elapsed(), is_cancelled, live }
    }
}
