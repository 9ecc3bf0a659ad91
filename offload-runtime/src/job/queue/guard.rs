//! The locked side of a queue: what was posted is taken in, jobs are pushed and popped, the inbox is opened, asked and sealed.

use std::mem;
use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};
use std::time::Duration;

use super::{Locked, Owner, Queue};
use crate::clock::{Moment, Stamp};
use crate::error::Error;
use crate::job::cell::Header;
use crate::job::glance;
use crate::job::inbox::{ASK, LOOKED_FOR, SEALED};
use crate::job::list::{for_each, set_next};
use crate::job::owned::{Claimed, Job, Taken};
use crate::job::state::Claim;
use crate::metrics::{Ledger, Place, Sampling, Ticket};
use crate::sync::{Arc, Condvar, MutexGuard, Ordering};

/// The locked queue.
pub(crate) struct Guard<'a, P: Owner> {
    pub(super) queue: &'a Arc<Queue<P>>,
    pub(super) locked: MutexGuard<'a, Locked<P>>,
}

impl<'a, P: Owner> Guard<'a, P> {
    /// With all jobs in the list that were posted before.
    #[inline]
    pub(super) fn of(queue: &'a Arc<Queue<P>>, mut locked: MutexGuard<'a, Locked<P>>) -> Self {
        locked.take_in(queue);
        Self { queue, locked }
    }

    pub(crate) fn queue(&self) -> &'a Arc<Queue<P>> {
        self.queue
    }

    /// Nobody is there to take jobs, or will be before one comes.
    pub(crate) fn falls_quiet(&mut self) {
        self.locked.sample(self.queue, Sampling::quiet);
    }

    /// Appends a job of the inbox that never was in it.
    ///
    /// # Safety
    /// The job is linked, in no list, and the caller's to append.
    pub(super) unsafe fn append(&mut self, header: NonNull<Header>) {
        // SAFETY: it is linked, so its cell is there.
        let origin = unsafe { header.as_ref() }.origin;
        self.locked.ledger.came(origin);
        // It was to be put before another, perhaps, which has been taken out meanwhile.
        // SAFETY: the cell is there, and its links are the list's from now on.
        unsafe { set_next(header, ptr::null_mut()) };
        // SAFETY: as promised.
        unsafe { self.locked.list.push_back(header) };
        self.locked.grown(self.queue);
    }

    /// Lets jobs come without the lock, and without that anybody is asked to see to them: for who looks for them ([`Queue::is_stirred`]) from
    /// now on.
    pub(crate) fn open(&mut self) {
        // Jobs that came are no hindrance: then it is open.
        self.queue.inbox.0.mark(LOOKED_FOR);
        if !self.queue.inbox.0.is_sealed() {
            self.locked.open = true;
            self.locked.pin(self.queue);
        }
    }

    /// Asks who posts the next job to lock the queue. `false`: jobs came, and are in the list now.
    pub(crate) fn ask(&mut self) -> bool {
        let asked = self.stir();
        if !asked {
            self.locked.take_in(self.queue);
        }
        asked
    }

    /// As `ask`, where it does not matter if jobs came: calls who looks for work without the lock.
    pub(crate) fn stir(&mut self) -> bool {
        let asked = self.queue.inbox.0.mark(ASK);
        if asked {
            self.shut();
        }
        asked
    }

    /// Lets no job come without the lock any more.
    pub(crate) fn seal(&mut self) {
        self.queue.sealed.set(true);
        while !self.queue.inbox.0.mark(SEALED) {
            self.locked.take_in(self.queue);
        }
        self.shut();
    }

    fn shut(&mut self) {
        self.locked.open = false;
        if self.is_empty() {
            self.locked.pin = None;
        }
    }

    /// Appends `job`, which came at `now` ([`Queue::now`]). `Err`: it was cancelled before; drop it after unlocking. The ticket is to be
    /// announced then.
    #[inline]
    pub(crate) fn push(&mut self, job: Job, now: Option<Moment>) -> (Ticket, Result<(), Job>) {
        let header = job.header();
        // SAFETY: `job` keeps the cell.
        let cell = unsafe { header.as_ref() };
        let origin = cell.origin;
        let len = self.len() + 1;
        let (stamp, ticket) = self.locked.ledger.submitted(origin, len, now);
        // ORDERING: Relaxed: `State::link` publishes it.
        cell.owner.store(Queue::head(self.queue).cast_mut(), Ordering::Relaxed);
        let header = match job.link(stamp) {
            Ok(header) => header,
            Err(cancelled) => return (self.locked.ledger.came_cancelled(origin), Err(cancelled)),
        };
        glance::submitted(header, self.queue.inbox.0.is_looked_for());
        // SAFETY: `link` gave this queue the job: its cell stays until it is unlinked, and it is in no other list.
        unsafe { self.locked.list.push_back(header) };
        self.locked.grown(self.queue);
        (ticket, Ok(()))
    }

    /// Takes the first job that no handle has cancelled, to run it.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Taken> {
        let (job, stamp) = self.claim_first()?;
        let place = self.locked.ledger.started(job.origin());
        Some(Taken { job, stamp, place })
    }

    /// Where the first job is accounted for.
    pub(crate) fn next_place(&mut self) -> Option<Place> {
        let first = NonNull::new(self.locked.list.first)?;
        // SAFETY: it is linked, so its cell is there.
        let origin = unsafe { first.as_ref() }.origin;
        Some(self.locked.ledger.place(origin))
    }

    /// Takes all jobs that no handle has cancelled, for [`refuse_all`] after unlocking, because of `why`.
    pub(crate) fn drain(&mut self, why: &Error) -> Vec<(Claimed, Ticket)> {
        let mut drained = Vec::new();
        while let Some((job, _)) = self.claim_first() {
            let ticket = self.locked.ledger.refused(job.origin(), why);
            drained.push((job, ticket));
        }
        drained
    }

    #[inline]
    fn claim_first(&mut self) -> Option<(Claimed, Stamp)> {
        let mut next = self.locked.list.first;
        // A job that was claimed but is still linked is about to be unlinked by its canceller, who waits for the lock: there
        // are at most as many of them as threads in `cancel` or `drop` of a handle.
        while let Some(header) = NonNull::new(next) {
            // SAFETY: it is linked, so its cell is there.
            let cell = unsafe { header.as_ref() };
            match cell.state.claim() {
                Claim::Won { linked, stamp } => {
                    debug_assert!(linked);
                    // SAFETY: it is linked in this list; having claimed it, this call is the one to unlink it.
                    unsafe { self.locked.list.remove(header) };
                    self.locked.sample(self.queue, |sampling| sampling.taken(stamp));
                    self.settle();
                    // SAFETY: claimed and unlinked; its JOB bit was the queue's.
                    return Some((unsafe { Claimed::from_header(header) }, stamp));
                }
                // SAFETY: under the lock the links of a linked job are the list's (I5).
                Claim::Lost => next = cell.a.with(|a| unsafe { *a }).cast(),
            }
        }
        None
    }

    /// The books.
    pub(crate) fn ledger(&mut self) -> &mut Ledger {
        &mut self.locked.ledger
    }

    /// How many jobs are linked. Counts jobs that are just being cancelled.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.locked.list.len
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Unlocks until `condvar` is notified, or for no reason at all.
    pub(crate) fn wait(self, condvar: &Condvar) -> Self {
        let locked = condvar.wait(self.locked).unwrap_or_else(std::sync::PoisonError::into_inner);
        Self::of(self.queue, locked)
    }

    /// As `wait`, for `timeout` at most. Returns whether the time is over.
    pub(crate) fn wait_timeout(self, condvar: &Condvar, timeout: Duration) -> (Self, bool) {
        let (locked, result) =
            condvar.wait_timeout(self.locked, timeout).unwrap_or_else(std::sync::PoisonError::into_inner);
        (Self::of(self.queue, locked), result.timed_out())
    }

    /// After a job was unlinked: gives the reference of an empty queue to itself up. Never the last one: `self.queue` is another.
    #[inline]
    pub(super) fn settle(&mut self) {
        let len = self.len();
        if len == 0 && !self.locked.open {
            self.locked.pin = None;
        }
        self.locked.sample(self.queue, |sampling| sampling.shrunk(len));
    }
}

/// Refuses the jobs of [`Guard::drain`].
pub(crate) fn refuse_all(drained: Vec<(Claimed, Ticket)>, why: &Error) {
    for (job, ticket) in drained {
        ticket.announce();
        job.refuse(why.duplicate());
    }
}

/// Of what the lock guards, not of the guard: one whose address is given away is put together in memory and moved from there, which kept the
/// next job waiting (3 of 52 nanoseconds, on an AMD Zen 4). `queue` is the one that this is a part of.
impl<P: Owner> Locked<P> {
    /// Moves jobs from the inbox to the list. Returns whether there were any.
    #[inline]
    pub(super) fn take_in(&mut self, queue: &Arc<Queue<P>>) -> bool {
        let passed_by = mem::take(&mut self.passed_by);
        match NonNull::new(queue.inbox.0.take()) {
            None => false,
            Some(newest) => {
                self.take_in_all(queue, newest, passed_by);
                true
            }
        }
    }

    /// `passed_by`: what was popped since the last look. It was in the queue beside those that come now, as far as anybody can tell.
    fn take_in_all(&mut self, queue: &Arc<Queue<P>>, newest: NonNull<Header>, passed_by: usize) {
        let Self { list, ledger, open, .. } = self;
        *open = true;
        // SAFETY: the jobs of the inbox are linked, in no list, and, once taken out of it, the caller's to append, who holds
        // the lock.
        let oldest = unsafe { list.append_stack(newest) };
        // In the order of their coming, as sites are told of in that order.
        // SAFETY: they are in the list.
        unsafe { for_each(oldest, |job| ledger.came(job.origin)) };
        ledger.queued(list.len + passed_by);
        self.grown(queue);
    }

    /// After jobs were appended.
    #[inline]
    fn grown(&mut self, queue: &Arc<Queue<P>>) {
        self.pin(queue);
        let len = self.list.len;
        self.sample(queue, |sampling| sampling.grown(len));
    }

    /// After `change`, lets those who submit know whether each looks at the clock, if that has changed.
    #[inline]
    pub(super) fn sample(&mut self, queue: &Arc<Queue<P>>, change: impl FnOnce(&mut Sampling) -> bool) {
        if change(&mut self.sampling) {
            queue.unclocked.set(!queue.timing || !self.sampling.is_of_each());
        }
    }

    #[inline]
    fn pin(&mut self, queue: &Arc<Queue<P>>) {
        if self.pin.is_none() {
            self.pin = Some(Arc::clone(queue));
        }
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
