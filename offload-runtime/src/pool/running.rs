//! [`RunningJob`], a running job as another thread saw it.

use std::time::Duration;

use crate::job::Sight;
use crate::site::Site;

/// A job that runs, as [`ThreadPool::running_jobs`](crate::ThreadPool::running_jobs) saw it.
///
/// # Examples
/// See [`ThreadPool::running_jobs`](crate::ThreadPool::running_jobs).
#[derive(Clone, Debug)]
pub struct RunningJob {
    site: Site,
    thread_name: String,
    elapsed: Duration,
    is_cancelled: bool,
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
}

impl RunningJob {
    /// The job that is seen on a thread.
    pub(super) fn of(sight: &Sight, thread_name: &str) -> Self {
        let Sight { origin, is_cancelled, since } = sight;
        let thread_name = thread_name.to_owned();
        Self { site: origin.site(), thread_name, elapsed: since.elapsed(), is_cancelled: *is_cancelled }
    }
}
