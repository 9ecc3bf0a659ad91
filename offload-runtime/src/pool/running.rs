//! What the pool's threads are running.

use std::time::Duration;

use super::queue::Pool;
use crate::clock::Moment;
use crate::job::{Awaiter, Claimed, Queue, Ran, Shown};
use crate::site::Site;
use crate::sync::{Arc, Counter};

/// A job that runs, as [`ThreadPool::running_jobs`](crate::ThreadPool::running_jobs) saw it.
///
/// # Examples
/// See [`ThreadPool::running_jobs`](crate::ThreadPool::running_jobs).
#[derive(Clone, Debug)]
pub struct RunningJob {
    site: Site,
    thread_name: String,
    elapsed: Duration,
    cancelled: bool,
}

impl RunningJob {
    /// Where in the source the job comes from. Where it runs others inside (C10), the innermost of them.
    #[must_use]
    pub fn site(&self) -> Site {
        self.site
    }

    /// The name of the thread that runs it.
    #[must_use]
    pub fn thread_name(&self) -> &str {
        &self.thread_name
    }

    /// For how long it had been running: since it began or, where that was not noted, since it was first looked at.
    ///
    /// It is not noted where [`timing`](crate::ThreadPoolBuilder::timing) is off, and of most jobs that come while many wait or come, and follow
    /// short ones (see [`PoolMetrics::run`](crate::PoolMetrics::run)).
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Whether it is no longer wanted: its handle was dropped (the client has hung up) or cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled
    }
}

/// What one thread is running. Written by that thread (and those that stand in for it, while it waits), read by anyone.
///
/// The fields are atomics of their own: who reads between them may see the start of the job before or after the one it
/// names, an error of the length of one job in a figure of the length of a call.
#[derive(Debug)]
pub(crate) struct Running {
    shown: Shown,
    /// The [`Moment`] at which it began or, where that is not known, at which it was first looked at; as a word.
    since: Counter,
}

impl Running {
    pub(super) fn new() -> Self {
        Self { shown: Shown::new(), since: Counter::new() }
    }

    /// Runs `job`, which is shown from `since` until its end, inside another one or not. As [`Claimed::run_noting`].
    #[inline]
    pub(crate) fn run(&self, job: Claimed, since: Option<Moment>, mut note: impl FnMut(Ran)) -> Awaiter {
        if cfg!(offload_loom) {
            // That a job is shown has a model of its own, and no part in those of the pool, which it would double.
            return job.run_noting(&mut note);
        }
        let outer = self.since.get();
        self.since.set(Moment::to_word(since));
        job.run_shown(&self.shown, |ran| {
            self.since.set(outer);
            note(ran);
        })
    }

    /// What is shown, and since when.
    pub(super) fn look(&self, thread_name: &str) -> Option<(RunningJob, Moment)> {
        let (origin, cancelled) = self.shown.look()?;
        let since = Moment::from_word(self.since.get()).unwrap_or_else(|| {
            let now = Moment::now();
            self.since.set(Moment::to_word(Some(now)));
            now
        });
        let elapsed = since.elapsed();
        let job = RunningJob { site: origin.site(), thread_name: thread_name.to_owned(), elapsed, cancelled };
        Some((job, since))
    }
}

pub(super) fn running_jobs(queue: &Arc<Queue<Pool>>) -> Vec<RunningJob> {
    let workers = queue.lock().workers.clone();
    workers.iter().filter_map(|worker| worker.running.look(&worker.name)).map(|(job, _)| job).collect()
}
