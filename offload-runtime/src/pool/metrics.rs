//! What the pool's threads are running.

use std::time::{Duration, Instant};

use super::queue::Pool;
use crate::job::{AtomicOrigin, Origin, Queue};
use crate::site::Site;
use crate::sync::{Arc, AtomicU64, Ordering};

/// A job that runs, as [`ThreadPool::running_jobs`](crate::ThreadPool::running_jobs) saw it.
///
/// # Examples
/// See [`ThreadPool::running_jobs`](crate::ThreadPool::running_jobs).
#[derive(Clone, Debug)]
pub struct RunningJob {
    site: Site,
    thread_name: String,
    elapsed: Duration,
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

    /// For how long it had been running.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }
}

/// What one thread is running. Written by that thread, read by anyone.
///
/// The two fields are two atomics, not one: who reads between them may see the start of the job before or after the one it
/// names, an error of the length of one job in a figure of the length of a call.
#[derive(Debug)]
pub(super) struct Running {
    origin: AtomicOrigin,
    /// Nanoseconds since `epoch`.
    since: AtomicU64,
    epoch: Instant,
}

impl Running {
    pub(super) fn new(epoch: Instant) -> Self {
        Self { origin: AtomicOrigin::new(), since: AtomicU64::new(0), epoch }
    }

    /// Notes that a job runs for as long as `run` does, inside another one or not.
    #[inline]
    pub(super) fn during<R>(&self, origin: Origin, run: impl FnOnce() -> R) -> R {
        let outer = self.origin.get();
        // ORDERING: Relaxed, here and below: see the type.
        let outer_since = self.since.load(Ordering::Relaxed);
        self.since.store(nanoseconds(self.epoch.elapsed()), Ordering::Relaxed);
        self.origin.set(Some(origin));
        let result = run();
        self.origin.set(outer);
        // ORDERING: Relaxed, as above.
        self.since.store(outer_since, Ordering::Relaxed);
        result
    }

    fn get(&self) -> Option<(Origin, Duration)> {
        let origin = self.origin.get()?;
        // ORDERING: Relaxed: see the type.
        let since = Duration::from_nanos(self.since.load(Ordering::Relaxed));
        Some((origin, self.epoch.elapsed().saturating_sub(since)))
    }
}

/// As a word: 584 years and no 128-bit arithmetic.
#[inline]
fn nanoseconds(time: Duration) -> u64 {
    time.as_secs().wrapping_mul(1_000_000_000).wrapping_add(u64::from(time.subsec_nanos()))
}

pub(super) fn running_jobs(queue: &Arc<Queue<Pool>>) -> Vec<RunningJob> {
    let workers = queue.lock().workers.clone();
    let job = |worker: &Arc<super::worker::Worker>| {
        let (origin, elapsed) = worker.running.get()?;
        Some(RunningJob { site: origin.site(), thread_name: worker.name.clone(), elapsed })
    };
    workers.iter().filter_map(job).collect()
}
