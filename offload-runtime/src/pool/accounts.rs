//! What an executor with a queue keeps of its jobs: their counts and times by site, and their places. The same for pools and views.

use std::sync::OnceLock;
use std::task::Waker;

use super::current::Worker;
use crate::clock::Stamp;
use crate::error::Error;
use crate::job::{Claimed, End};
use crate::metrics::Sites;
use crate::permits::Permits;
use crate::sync::Arc;
use crate::wait::wake;

pub(crate) struct Accounts {
    pub(crate) sites: Sites,
    /// The capacity, if there is one, and a place for each job that may be there at once.
    bound: OnceLock<(usize, Arc<Permits>)>,
}

impl Accounts {
    pub(crate) fn new(sites: Sites) -> Self {
        Self { sites, bound: OnceLock::new() }
    }

    /// Lets no more than `capacity` jobs wait, beside `limit` that may run. Returns the places; `None` if there is a bound already.
    pub(crate) fn set_bound(&self, capacity: usize, limit: usize) -> Option<Arc<Permits>> {
        let permits = Arc::new(Permits::new(capacity.saturating_add(limit)));
        self.bound.set((capacity, Arc::clone(&permits))).is_ok().then_some(permits)
    }

    pub(crate) fn capacity(&self) -> Option<usize> {
        self.bound.get().map(|(capacity, _)| *capacity)
    }

    #[inline]
    pub(crate) fn permits(&self) -> Option<&Arc<Permits>> {
        self.bound.get().map(|(_, permits)| permits)
    }

    /// Another number of jobs may run. Called under the queue's lock, so that two that change it at once come to the same number of places.
    /// Returns the wakers to call.
    #[must_use]
    pub(crate) fn resize(&self, before: usize, limit: usize) -> Vec<Waker> {
        let resize = |(capacity, permits): &(usize, Arc<Permits>)| {
            permits.resize(capacity.saturating_add(before), capacity.saturating_add(limit))
        };
        self.bound.get().map_or_else(Vec::new, resize)
    }

    /// Takes a place for a job, if the executor takes jobs.
    #[inline]
    pub(crate) fn enter(&self, is_closed: bool) -> Result<(), Error> {
        match self.permits() {
            _ if is_closed => Err(Error::ShutDown),
            Some(permits) if !permits.try_acquire() => Err(Error::QueueFull),
            _ => Ok(()),
        }
    }

    /// A job has ended, or never begins: its place is free. Returns the wakers to call.
    #[must_use]
    #[inline]
    pub(crate) fn release(&self, is_owed: bool) -> Vec<Waker> {
        match self.permits() {
            Some(permits) if !is_owed => permits.release(),
            _ => Vec::new(),
        }
    }

    /// A job was cancelled while it was queued.
    pub(crate) fn cancelled(&self, job: &Claimed) {
        wake(self.release(job.is_owed()));
        self.sites.tally(job.origin()).cancelled();
    }

    /// Refuses jobs that were taken out of the queue.
    pub(crate) fn refuse(&self, jobs: impl IntoIterator<Item = Claimed>, why: &Error) {
        for job in jobs {
            wake(self.release(job.is_owed()));
            self.sites.tally(job.origin()).refused(why);
            job.refuse(why.duplicate());
        }
    }

    /// Runs a job that was queued at `stamp`. The `worker`, if this thread is one, shows it meanwhile.
    #[inline]
    pub(crate) fn run(&self, job: Claimed, stamp: Stamp, worker: Option<&Worker>) {
        let (tally, is_owed) = (self.sites.tally(job.origin()), job.is_owed());
        let since = tally.started(stamp);
        let mut next = Vec::new();
        let note = |end: End<'_>| {
            tally.ended(end, stamp, since);
            next = self.release(is_owed);
        };
        // Dropping the awaiter wakes it.
        drop(match worker {
            Some(worker) => job.run_shown(&worker.shown, since, note),
            None => job.run_noting(note),
        });
        wake(next);
    }
}
