//! An intrusive first-in first-out queue of jobs under one short lock, from which a job can be taken at any place.
//!
//! Its users (the pool, the limited view) keep what they decide by under the same lock ([`Owner::Guarded`]). What
//! makes following a job's `owner` sound is I4 of `mod.rs`: the queue claims what it unlinks, who claims a linked job
//! unlinks it, and a queue with a linked job holds a reference to itself (`pin`).

use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};
use std::time::Duration;

use super::cell::Header;
use super::context;
use super::owned::{Begun, Claimed, Job, Taken};
use super::state::Claim;
use super::views::QueueId;
use crate::cancel::Stop;
use crate::clock::{Moment, Stamp};
use crate::error::Error;
use crate::metrics::{DEEP, Ledger, Tally, Ticket};
use crate::sync::{self, Arc, Condvar, LooseFlag, Mutex, MutexGuard, Ordering};

#[cfg(all(test, not(offload_loom)))]
mod tests;

/// Who a queue belongs to.
pub(crate) trait Owner: Sized + Send + Sync + 'static {
    /// What the queue's lock guards besides the jobs.
    type Guarded: Send;

    /// Sees to it that `job`, whose handle is being polled inside a job on a thread of this queue, begins at once (C10). `own`: the job
    /// was in this queue, not in that of a view.
    fn run_nested(queue: &Arc<Queue<Self>>, job: Begun, own: bool);

    /// Runs a job of this queue by `run`, in one of its places, on a thread that does not serve it (C10).
    fn run_in_a_place(queue: &Arc<Queue<Self>>, job: Begun, run: fn(Begun));
}

/// The queue of a `P`, with the rest of `P` beside it.
#[repr(C)]
pub(crate) struct Queue<P: Owner> {
    // First, so that a pointer to the queue is one to its head.
    head: Head,
    pub(crate) shared: P,
    /// Whether times are kept.
    timing: bool,
    /// Whether jobs come without a look at the clock: so many wait that not each is stamped, or times are not kept.
    unclocked: LooseFlag,
    locked: Mutex<Locked<P>>,
}

/// Unlinks a job, and returns what its end is to be noted in if it begins.
type Unlink = unsafe fn(NonNull<Head>, NonNull<Header>, Why) -> Option<Arc<Tally>>;

/// What a job knows of the queue it is linked in.
pub(crate) struct Head {
    unlink: Unlink,
    run_nested: unsafe fn(NonNull<Head>, Begun, bool),
    run_in_a_place: unsafe fn(NonNull<Head>, NonNull<Header>, Stamp),
    stop: Stop,
}

/// Why a claimed job leaves its queue by another way than through the front.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    Cancelled,
    Begins,
}

impl Head {
    /// What stops all jobs of this queue that run.
    pub(crate) fn stop(&self) -> &Stop {
        &self.stop
    }
}

#[repr(C)]
struct Locked<P: Owner> {
    list: List,
    /// The queue itself, while `list` is not empty (I4).
    pin: Option<Arc<Queue<P>>>,
    ledger: Ledger,
    guarded: P::Guarded,
}

impl<P: Owner> Queue<P> {
    pub(crate) fn new(shared: P, guarded: P::Guarded, ledger: Ledger) -> Arc<Self> {
        Arc::new(Self {
            head: Head {
                unlink: unlink_from::<P>,
                run_nested: run_nested_in::<P>,
                run_in_a_place: run_in_a_place_of::<P>,
                stop: Stop::default(),
            },
            shared,
            timing: ledger.is_timing(),
            unclocked: LooseFlag::new(!ledger.is_timing()),
            locked: Mutex::new(Locked { list: List::new(), pin: None, ledger, guarded }),
        })
    }

    /// Locks the queue. Whoever holds the guard runs no code of the user (C6).
    #[inline]
    pub(crate) fn lock(self: &Arc<Self>) -> Guard<'_, P> {
        Guard { queue: self, locked: sync::lock(&self.locked) }
    }

    /// When a job that is now pushed will have come, if that is noted for each: to be asked before the queue is locked.
    #[inline]
    pub(crate) fn now(&self) -> Option<Moment> {
        (!self.unclocked.get()).then(Moment::now)
    }

    pub(crate) fn stop(&self) -> &Stop {
        &self.head.stop
    }

    /// Takes a queue apart that nobody else knows.
    pub(crate) fn into_shared(self) -> P {
        self.shared
    }

    pub(crate) fn id(this: &Arc<Self>) -> QueueId {
        QueueId(Self::head(this).addr())
    }

    /// The queue as its jobs know it, good for the whole allocation.
    pub(super) fn head(this: &Arc<Self>) -> *const Head {
        Arc::as_ptr(this).cast()
    }
}

/// The locked queue.
pub(crate) struct Guard<'a, P: Owner> {
    queue: &'a Arc<Queue<P>>,
    locked: MutexGuard<'a, Locked<P>>,
}

impl<P: Owner> Guard<'_, P> {
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
        // SAFETY: `link` gave this queue the job: its cell stays until it is unlinked, and it is in no other list.
        unsafe { self.locked.list.push_back(header) };
        if self.locked.pin.is_none() {
            self.locked.pin = Some(Arc::clone(self.queue));
        }
        if len == DEEP {
            self.queue.unclocked.set(true);
        }
        (ticket, Ok(()))
    }

    /// Takes the first job that no handle has cancelled, to run it.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Taken> {
        let (job, stamp) = self.claim_first()?;
        let place = self.locked.ledger.started(job.origin());
        Some(Taken { job, stamp, place })
    }

    /// Takes all jobs that no handle has cancelled, to refuse them because of `why`. The tickets are to be announced after unlocking.
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
        Self { queue: self.queue, locked }
    }

    /// As `wait`, for `timeout` at most. Returns whether the time is over.
    pub(crate) fn wait_timeout(self, condvar: &Condvar, timeout: Duration) -> (Self, bool) {
        let (locked, result) =
            condvar.wait_timeout(self.locked, timeout).unwrap_or_else(std::sync::PoisonError::into_inner);
        (Self { queue: self.queue, locked }, result.timed_out())
    }

    /// After a job was unlinked: gives the reference of an empty queue to itself up. Never the last one: `self.queue` is another.
    #[inline]
    fn settle(&mut self) {
        match self.locked.list.len {
            0 => {
                self.locked.pin = None;
                self.queue.unclocked.set(!self.queue.timing);
            }
            // Well below where it was set, so that it does not change with each job.
            len if len == DEEP / 2 => self.queue.unclocked.set(!self.queue.timing),
            _ => {}
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

/// Unlinks a job that was cancelled and returns it, with the `JOB` bit that was its queue's.
///
/// # Safety
/// The caller claimed the job while it was linked, and the cell stays until this returns.
pub(super) unsafe fn unlink(header: NonNull<Header>) -> Claimed {
    // SAFETY: as promised.
    let (job, _) = unsafe { leave(header, Why::Cancelled) };
    job
}

/// Unlinks a job that somebody waits for, to run it (C10). `stamp` is that of the claim.
///
/// # Safety
/// As for `unlink`.
pub(super) unsafe fn begin(header: NonNull<Header>, stamp: Stamp) -> Begun {
    // SAFETY: as promised.
    let (job, tally) = unsafe { leave(header, Why::Begins) };
    let tally = tally.expect("`unlink_from` returns it for a job that begins");
    Begun { job, stamp, tally }
}

/// # Safety
/// As for `unlink`.
unsafe fn leave(header: NonNull<Header>, why: Why) -> (Claimed, Option<Arc<Tally>>) {
    // SAFETY: as promised.
    let owner = unsafe { owner_of(header) };
    // SAFETY: the job is linked, so its queue is alive (I4).
    let head = unsafe { owner.as_ref() };
    // SAFETY: the function is that of the queue; the job is linked in it and the caller's to unlink.
    let tally = unsafe { (head.unlink)(owner, header, why) };
    // SAFETY: claimed by the caller, unlinked now; its JOB bit was the queue's.
    (unsafe { Claimed::from_header(header) }, tally)
}

/// The queue of a job.
///
/// # Safety
/// The caller claimed the job while it was linked, and the cell stays until this returns.
unsafe fn owner_of(header: NonNull<Header>) -> NonNull<Head> {
    // SAFETY: as promised.
    let cell = unsafe { header.as_ref() };
    // ORDERING: Relaxed: the claim that saw LINKED was an Acquire of the Release in `State::link`, which comes after
    // the store.
    let owner = cell.owner.load(Ordering::Relaxed);
    // SAFETY: `push` stored it before LINKED was set, so it is not null.
    unsafe { NonNull::new_unchecked(owner) }
}

/// The queue behind a head.
///
/// # Safety
/// `head` is that of a queue of `P`, made by `Queue::head`, that is alive until this returns.
unsafe fn queue_of<P: Owner>(head: NonNull<Head>) -> Arc<Queue<P>> {
    let queue: *const Queue<P> = head.as_ptr().cast_const().cast();
    // SAFETY: it is the pointer of an `Arc` that is alive, as promised.
    unsafe { Arc::increment_strong_count(queue) };
    // SAFETY: the count was raised for this `Arc`.
    unsafe { Arc::from_raw(queue) }
}

/// # Safety
/// `head` is that of a queue of `P` that is alive and in which the job is linked; the caller is the one to unlink it.
unsafe fn unlink_from<P: Owner>(head: NonNull<Head>, header: NonNull<Header>, why: Why) -> Option<Arc<Tally>> {
    // Once the job is unlinked nothing but this reference keeps the queue until the lock is released.
    // SAFETY: the queue is alive until the job is unlinked.
    let queue = unsafe { queue_of::<P>(head) };
    // SAFETY: the job is linked, so its cell is there.
    let origin = unsafe { header.as_ref() }.origin;
    let mut guard = queue.lock();
    // SAFETY: the job is linked in this list, and the caller is the one to unlink it.
    unsafe { guard.locked.list.remove(header) };
    guard.settle();
    let ledger = guard.ledger();
    if why == Why::Begins {
        let place = ledger.started(origin);
        return Some(Arc::clone(ledger.tally(place)));
    }
    let ticket = ledger.cancelled(origin);
    drop(guard);
    ticket.announce();
    None
}

/// # Safety
/// `head` is that of a queue that is alive until this returns.
pub(super) unsafe fn run_nested(head: NonNull<Head>, job: Begun, own: bool) {
    // SAFETY: as promised.
    let run_nested = unsafe { head.as_ref() }.run_nested;
    // SAFETY: the function is that of the queue.
    unsafe { run_nested(head, job, own) };
}

/// # Safety
/// `head` is that of a queue of `P` that is alive until this returns.
unsafe fn run_nested_in<P: Owner>(head: NonNull<Head>, job: Begun, own: bool) {
    // SAFETY: as promised.
    let queue = unsafe { queue_of::<P>(head) };
    P::run_nested(&queue, job, own);
}

/// Runs a linked job in a place of its queue. `stamp` is that of the claim.
///
/// # Safety
/// The caller claimed the job while it was linked, and the cell stays until this returns.
pub(super) unsafe fn run_in_a_place(header: NonNull<Header>, stamp: Stamp) {
    // SAFETY: as promised.
    let owner = unsafe { owner_of(header) };
    // SAFETY: the job is linked, so its queue is alive (I4).
    let run = unsafe { owner.as_ref() }.run_in_a_place;
    // SAFETY: the function is that of the queue; the job is linked in it and the caller's to unlink.
    unsafe { run(owner, header, stamp) };
}

/// # Safety
/// `head` is that of a queue of `P` in which the job is linked; the caller is the one to unlink it.
unsafe fn run_in_a_place_of<P: Owner>(head: NonNull<Head>, header: NonNull<Header>, stamp: Stamp) {
    // SAFETY: the queue is alive until the job is unlinked.
    let queue = unsafe { queue_of::<P>(head) };
    // SAFETY: the job is linked and the caller's to unlink.
    let job = unsafe { begin(header, stamp) };
    P::run_in_a_place(&queue, job, context::run_elsewhere);
}

/// The list itself. Its links are the words `a` (next) and `b` (before) of the jobs in it. The last one's `a` is null; the first one's `b`
/// means nothing: taking the first job does not write to the second, which is on its way from another core's cache.
#[repr(C)]
struct List {
    first: *mut Header,
    last: *mut Header,
    len: usize,
}

// SAFETY: it is a part of what a lock guards; the jobs in it are `Send`.
unsafe impl Send for List {}

impl List {
    fn new() -> Self {
        Self { first: ptr::null_mut(), last: ptr::null_mut(), len: 0 }
    }

    /// # Safety
    /// The cell stays while it is in the list, and is in no list now.
    #[inline]
    unsafe fn push_back(&mut self, header: NonNull<Header>) {
        // Nothing comes after it: its `a` is null since it was made, for a job is linked once.
        // SAFETY: the cell is there.
        unsafe { set_before(header, self.last) };
        match NonNull::new(self.last) {
            // SAFETY: the last job is in the list, so its cell is there.
            Some(last) => unsafe { set_next(last, header.as_ptr()) },
            None => self.first = header.as_ptr(),
        }
        self.last = header.as_ptr();
        self.len += 1;
    }

    /// # Safety
    /// The job is in this list.
    #[inline]
    unsafe fn remove(&mut self, header: NonNull<Header>) {
        // SAFETY: it is in the list, so its cell is there, and its links are the list's (I5).
        let cell = unsafe { header.as_ref() };
        // SAFETY: as above.
        let next = cell.a.with(|a| unsafe { *a }).cast::<Header>();
        self.len -= 1;
        if ptr::eq(self.first, header.as_ptr()) {
            self.first = next;
            if next.is_null() {
                self.last = ptr::null_mut();
            }
            return;
        }
        // SAFETY: as above.
        let before = cell.b.with(|b| unsafe { *b }).cast::<Header>();
        // SAFETY: it is not the first, so there is one before it.
        let before = unsafe { NonNull::new_unchecked(before) };
        // SAFETY: a neighbour is in the list.
        unsafe { set_next(before, next) };
        match NonNull::new(next) {
            // SAFETY: a neighbour is in the list.
            Some(next) => unsafe { set_before(next, before.as_ptr()) },
            None => self.last = before.as_ptr(),
        }
    }
}

/// # Safety
/// The cell is there, and its links are the caller's list's (I5).
#[inline]
unsafe fn set_next(header: NonNull<Header>, next: *mut Header) {
    // SAFETY: as promised.
    unsafe { header.as_ref() }.a.with_mut(|a| unsafe { *a = next.cast() });
}

/// # Safety
/// As for `set_next`.
#[inline]
unsafe fn set_before(header: NonNull<Header>, before: *mut Header) {
    // SAFETY: as promised.
    unsafe { header.as_ref() }.b.with_mut(|b| unsafe { *b = before.cast() });
}
