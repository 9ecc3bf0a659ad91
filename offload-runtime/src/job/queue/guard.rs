//! What a thread does with a queue while it holds its lock.

use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::time::Duration;

use super::{Locked, Owner, Queue};
use crate::clock::Stamp;
use crate::job::cell::Header;
use crate::job::inbox::ENOUGH;
use crate::job::list::{Place, place};
use crate::job::owned::{Claimed, Job};
use crate::job::state::Claim;
use crate::sync::{Arc, Condvar, MutexGuard, Ordering};

/// The locked queue. While it is held, no user code runs.
#[must_use = "end the critical section with `finish`"]
pub(crate) struct Guard<'a, P: Owner> {
    pub(super) queue: &'a Arc<Queue<P>>,
    pub(super) locked: MutexGuard<'a, Locked<P>>,
}

impl<'a, P: Owner> Guard<'a, P> {
    pub(crate) fn queue(&self) -> &'a Arc<Queue<P>> {
        self.queue
    }

    /// Ends the critical section: lets the owner choose a worker to wake, unlocks, and wakes it.
    #[inline]
    pub(crate) fn finish(mut self) {
        let wake = P::settle(&mut self);
        let queue = self.queue;
        drop(self);
        P::perform(queue, wake);
    }

    /// Publishes how many workers are `coming` for jobs; `None` if no other could be had for any number of jobs. Returns whether more
    /// jobs are queued.
    #[inline]
    pub(crate) fn publish(&mut self, coming: Option<usize>) -> bool {
        let locked = &mut *self.locked;
        let count = |n: usize| i32::try_from(n).unwrap_or(ENOUGH);
        // Jobs of the list come first.
        let enough = coming.map_or(ENOUGH, |coming| count(coming).saturating_sub(count(locked.len())));
        self.queue.listed.0.set(locked.len() > 0);
        if locked.pin.is_some() && locked.len() == 0 && locked.aside == 0 && self.queue.inbox.0.is_sealed() {
            // Never the last reference: `self.queue` is another.
            locked.pin = None;
        }
        // The list alone holds more, though their submitters may not have counted them yet.
        let lists_more = enough < 0;
        if enough == locked.enough && locked.taken == 0 {
            return enough != ENOUGH && (lists_more || self.queue.inbox.0.has_more_than(enough));
        }
        let before = std::mem::replace(&mut locked.enough, enough);
        self.queue.inbox.0.publish(std::mem::take(&mut locked.taken), before, enough) || lists_more
    }

    /// Moves the jobs of the inbox to the list, in order.
    #[inline]
    pub(crate) fn drain_inbox(&mut self) {
        if let Some(newest) = self.queue.inbox.0.take() {
            // SAFETY: the jobs of the inbox are linked, in no list, and, once taken out, the lock holder's to append.
            unsafe { self.append_stack(newest) };
        }
    }

    /// Whether the job is in a list of this queue. Empties the inbox.
    ///
    /// # Safety
    /// The caller keeps the cell until the call returns.
    pub(super) unsafe fn holds(&mut self, header: NonNull<Header>) -> bool {
        self.drain_inbox();
        // SAFETY: as promised.
        let cell = unsafe { header.as_ref() };
        // ORDERING: Relaxed: compared, not followed.
        let is_here =
            std::ptr::eq(cell.owner.load(Ordering::Relaxed), Queue::head(self.queue)) && cell.state.is_linked();
        // SAFETY: as promised.
        is_here && unsafe { place(header) } == Place::List
    }

    /// Takes no more jobs. A second call does nothing.
    pub(crate) fn seal(&mut self) {
        if let Some(newest) = self.queue.inbox.0.seal() {
            // SAFETY: as in `drain_inbox`.
            unsafe { self.append_stack(newest) };
        }
    }

    /// # Safety
    /// The jobs are linked in this queue, in no list, and the caller's to append.
    unsafe fn append_stack(&mut self, newest: NonNull<Header>) {
        let before = self.locked.others.len;
        // SAFETY: as promised.
        unsafe { self.locked.others.append_stack(newest) };
        let taken = i32::try_from(self.locked.others.len - before).unwrap_or(i32::MAX);
        self.locked.taken = self.locked.taken.wrapping_add(taken);
        self.note_peak();
    }

    /// # Safety
    /// The job is linked in this queue, in no list, and the caller's to append.
    pub(super) unsafe fn append(&mut self, header: NonNull<Header>) {
        // What was pushed before comes first.
        self.drain_inbox();
        // SAFETY: as promised.
        unsafe { self.locked.others.push_back(header) };
        if self.locked.pin.is_none() {
            self.locked.pin = Some(Arc::clone(self.queue));
        }
        self.note_peak();
    }

    fn note_peak(&mut self) {
        self.locked.peak = self.locked.peak.max(self.locked.len());
    }

    /// The most jobs that waited at once, as seen whenever the inbox was emptied.
    pub(crate) fn peak(&mut self) -> usize {
        self.drain_inbox();
        self.locked.peak
    }

    /// Takes the first job that was not cancelled, to run or to refuse it.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<(Claimed, Stamp)> {
        if self.locked.len() == 0 {
            self.drain_inbox();
        }
        self.pop_listed(true).or_else(|| self.pop_listed(false)).or_else(|| {
            // The lists held nothing but cancelled jobs.
            self.drain_inbox();
            self.pop_listed(false)
        })
    }

    /// As `pop`, if a running job awaits the job.
    pub(crate) fn pop_awaited(&mut self) -> Option<(Claimed, Stamp)> {
        self.pop_listed(true)
    }

    /// Whether a running job awaits a job that was not cancelled.
    pub(crate) fn has_awaited(&self) -> bool {
        self.locked.awaited.iter().any(|cell| cell.state.is_waiting())
    }

    #[inline]
    fn pop_listed(&mut self, awaited: bool) -> Option<(Claimed, Stamp)> {
        let locked = &mut *self.locked;
        let list = if awaited { &mut locked.awaited } else { &mut locked.others };
        while let Some(header) = NonNull::new(list.first) {
            // SAFETY: it is in the list, so its cell is there.
            match unsafe { header.as_ref() }.state.claim() {
                Claim::Won { stamp, .. } => {
                    // SAFETY: it is in this list, and having claimed it, this call is the one to unlink it.
                    unsafe { list.remove(header) };
                    // SAFETY: claimed and unlinked; its JOB bit was the queue's.
                    return Some((unsafe { Claimed::from_header(header) }, stamp));
                }
                // Its canceller is about to lock the queue and unlink it. No worker waits for that: the canceller's thread may have to wait
                // for the worker's core.
                Claim::Lost { linked: true } => {
                    // SAFETY: it is in this list, and still linked.
                    unsafe { list.set_aside(header) };
                    locked.aside += 1;
                }
                // Its canceller came before the job was in the list, and has left it to the queue.
                Claim::Lost { linked: false } => {
                    // SAFETY: it is in this list, and no other thread unlinks it.
                    unsafe { list.remove(header) };
                    // SAFETY: unlinked; its JOB bit was the queue's.
                    drop(unsafe { Job::from_header(header) });
                }
            }
        }
        None
    }

    /// Takes all jobs that were not cancelled, to refuse them after unlocking.
    pub(crate) fn pop_all(&mut self) -> Vec<Claimed> {
        std::iter::from_fn(|| self.pop()).map(|(job, _)| job).collect()
    }

    /// Whether a job waits, that is perhaps being cancelled.
    pub(crate) fn has_next(&self) -> bool {
        self.locked.len() > 0 || self.queue.inbox.0.has_jobs()
    }

    /// The number of jobs in the lists. Jobs that are being cancelled count until a worker comes upon them.
    #[inline]
    pub(crate) fn listed(&self) -> usize {
        self.locked.len()
    }

    /// Unlocks until `condvar` is notified, or for no reason at all.
    pub(crate) fn wait(self, condvar: &Condvar) -> Self {
        let locked = condvar.wait(self.locked).unwrap_or_else(std::sync::PoisonError::into_inner);
        Self { queue: self.queue, locked }
    }

    /// As `wait`, for `timeout` at most. Returns whether the time is over.
    pub(crate) fn wait_timeout(self, condvar: &Condvar, timeout: Duration) -> (Self, bool) {
        let (locked, result) =
            condvar.wait_timeout(self.locked, timeout).unwrap_or_else(std::sync::PoisonError::into_inner);
        (Self { queue: self.queue, locked }, result.timed_out())
    }
}

impl<P: Owner> Deref for Guard<'_, P> {
    type Target = P::Guarded;

    fn deref(&self) -> &P::Guarded {
        &self.locked.guarded
    }
}

impl<P: Owner> DerefMut for Guard<'_, P> {
    fn deref_mut(&mut self) -> &mut P::Guarded {
        &mut self.locked.guarded
    }
}
