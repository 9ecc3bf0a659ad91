//! An intrusive first-in first-out queue of jobs under one short lock, from which a job can be taken at any place; and the inbox before it,
//! into which jobs are posted without the lock.
//!
//! Its users (the pool, the limited view) keep what they decide by under the same lock ([`Owner::Guarded`]). What
//! makes following a job's `owner` sound is I4 of `mod.rs`: the queue claims what it unlinks, who claims a linked job
//! unlinks it, and a queue with a linked job holds a reference to itself (`pin`).

use std::ptr::NonNull;

use super::cell::{Header, discard};
use super::context;
use super::glance;
use super::inbox::{ASK, Inbox, SEALED, is_open};
use super::list::{List, is_listed};
use super::owned::{Begun, Claimed, Job, NewJob};
use super::views::QueueId;
use crate::cancel::Stop;
use crate::clock::{Moment, Stamp};
use crate::metrics::{Ledger, Sampling, Tally};
use crate::sync::{self, Arc, LooseFlag, Mutex, Ordering, thread};

pub(crate) use guard::{Guard, refuse_all};

mod guard;

#[cfg(test)]
pub(super) mod bare;
#[cfg(all(test, offload_loom))]
mod models;
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
    /// Whether jobs come without a look at the clock, but for one in many where times are kept.
    unclocked: LooseFlag,
    /// Whether the inbox is sealed, for who has not looked at it yet. Set before it is.
    sealed: LooseFlag,
    inbox: Apart<Inbox>,
    locked: Apart<Mutex<Locked<P>>>,
}

/// On cache lines of its own. Two, as processors fetch them in pairs.
#[repr(align(128))]
struct Apart<T>(T);

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
    /// The queue itself, while `list` is not empty or the inbox is open (I4).
    pin: Option<Arc<Queue<P>>>,
    /// Whether the inbox is open, as far as this side has to do with it.
    open: bool,
    /// How many jobs may have been popped since the inbox was looked at.
    passed_by: usize,
    sampling: Sampling,
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
            sealed: LooseFlag::new(false),
            inbox: Apart(Inbox::new()),
            locked: Apart(Mutex::new(Locked {
                list: List::new(),
                pin: None,
                open: false,
                passed_by: 0,
                sampling: Sampling::default(),
                ledger,
                guarded,
            })),
        })
    }

    /// Locks the queue. Whoever holds the guard runs no code of the user (C6).
    #[inline]
    pub(crate) fn lock(self: &Arc<Self>) -> Guard<'_, P> {
        Guard::of(self, sync::lock(&self.locked.0))
    }

    /// As `lock`, by who takes a job and need not know of all that were posted: the inbox is on its way from another core's cache. So it passes
    /// that by while it takes some of many ([`passed_by_of`]).
    #[inline]
    pub(crate) fn lock_to_pop(self: &Arc<Self>) -> Guard<'_, P> {
        let mut locked = sync::lock(&self.locked.0);
        let passed_by = locked.passed_by + 1;
        if passed_by <= passed_by_of(locked.list.len) {
            locked.passed_by = passed_by;
        } else {
            locked.take_in(self);
        }
        Guard { queue: self, locked }
    }

    /// As `lock`, if nobody holds it.
    pub(crate) fn try_lock(self: &Arc<Self>) -> Option<Guard<'_, P>> {
        Some(Guard::of(self, self.locked.0.try_lock().ok()?))
    }

    /// Appends `job` without the lock, unless it was cancelled before or the inbox is sealed. Not for a queue that has to know of each job
    /// at once: whoever locks it next finds the job appended.
    #[inline]
    pub(crate) fn post(self: &Arc<Self>, job: Job) -> Posted {
        if self.sealed.get() {
            return Posted::Not(job);
        }
        let (stamp, due) = self.stamp();
        // SAFETY: `job` keeps the cell.
        unsafe { self.own(job.header()) };
        match job.link(stamp) {
            // SAFETY: `link` gave this queue the job, and it is in no list.
            Ok(header) => unsafe { self.put(header, due) },
            Err(cancelled) => Posted::Not(cancelled),
        }
    }

    /// As `post`, of a job whose handle nobody has yet: there is nobody to have cancelled it, and one step less to be taken for that.
    #[inline]
    pub(crate) fn post_new(self: &Arc<Self>, job: NewJob<'_>) -> Posted {
        if self.sealed.get() {
            return Posted::Not(job.into_job());
        }
        let (stamp, due) = self.stamp();
        // SAFETY: `job` keeps the cell.
        unsafe { self.own(job.header()) };
        // SAFETY: `link` gave this queue the job, and it is in no list.
        unsafe { self.put(job.link(stamp), due) }
    }

    /// A job is to be linked.
    ///
    /// # Safety
    /// The cell is there.
    #[inline]
    unsafe fn own(self: &Arc<Self>, header: NonNull<Header>) {
        // SAFETY: as promised.
        let cell = unsafe { header.as_ref() };
        // ORDERING: Relaxed: `State::link` publishes it.
        cell.owner.store(Self::head(self).cast_mut(), Ordering::Relaxed);
    }

    /// Puts a job into the inbox.
    ///
    /// # Safety
    /// The job is linked, this queue's, and in no list.
    #[inline]
    unsafe fn put(self: &Arc<Self>, header: NonNull<Header>, due: bool) -> Posted {
        // SAFETY: as promised; it is used below only if it was not put in.
        let before = unsafe { self.inbox.0.put(header) };
        glance::submitted(header, is_open(before));
        match before {
            ASK => Posted::Asked,
            SEALED => {
                self.came_late(header);
                Posted::Late
            }
            _ => Posted::Quietly { due },
        }
    }

    /// The inbox was sealed while the job was being linked: it goes to the list. (If it was cancelled meanwhile, whoever has done that waits until
    /// it is there, to unlink it.)
    #[cold]
    fn came_late(self: &Arc<Self>, header: NonNull<Header>) {
        // SAFETY: `link` gave this queue the job, and it is in no list.
        unsafe { self.lock().append(header) };
    }

    /// The stamp of a job that comes now, and whether it is one in [`Stamp::SAMPLE`].
    #[inline]
    fn stamp(&self) -> (Stamp, bool) {
        let sampled = sample();
        let stamp = if !self.unclocked.get() {
            Stamp::new(Moment::now(), false)
        } else if sampled && self.timing {
            Stamp::new(Moment::now(), true)
        } else {
            Stamp::NONE
        };
        (stamp, sampled)
    }

    /// Whether there is a reason to come to the lock, for who looks for work without it: a job that was posted, or [`Guard::stir`].
    #[inline]
    pub(crate) fn is_stirred(&self) -> bool {
        self.inbox.0.is_stirred()
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

/// How many jobs are taken in a row without a look into the inbox, while so many wait: one in 16; where [`MANY`] do, half of them, and
/// [`MOST_PASSED_BY`] at most.
///
/// A look takes the inbox's line from those who submit, and they take it back. But what was posted meanwhile lies in another core's cache, and
/// has to be fetched one by one before the next job begins, 25 to 100 nanoseconds each: where few wait, who awaits the next one gives up
/// and sleeps. With seven looks left out, however many wait, 32 callers of empty jobs needed 1.2 times as long, a thread that submits 64 and awaits
/// them 1.1 to 1.4 times, 256 callers and a burst 1.05 to 1.1 times; with none, 256 callers and a burst 1.1 to 1.15 times (AMD Zen 4,
/// Linux 6.18; turns of one process, those left out in which a line took five times as long to be transferred as in the others: in those, only
/// bursts differed). With one in 16 of many, too, and 31 at most, 256 callers needed 1.05 to 1.12 times as long as with half; with one in four
/// of few, 32 callers of empty jobs 1.05 times.
///
/// In a model few jobs wait, and a thread passes the inbox by wherever one does.
#[inline]
fn passed_by_of(waiting: usize) -> usize {
    if cfg!(offload_loom) {
        waiting
    } else if waiting < MANY {
        waiting / 16
    } else {
        (waiting / 2).min(MOST_PASSED_BY)
    }
}

/// From so many on, callers need no longer if what they post is seen late. With 16 or 64 here they were as fast.
const MANY: usize = 32;

/// More at a time bring nothing, and the lock is held while all that came are fetched.
const MOST_PASSED_BY: usize = 127;

/// What became of a job that was to be appended without the lock.
#[must_use]
pub(crate) enum Posted {
    /// Whoever looks for work will find it. `due`: one in [`Stamp::SAMPLE`] is to see to it that the inbox does not grow: by locking the queue,
    /// if that is free.
    Quietly { due: bool },
    /// It was asked for that the queue be locked now ([`Guard::ask`]).
    Asked,
    /// It is too late, or the job was cancelled before: it is to be pushed, or turned away, under the lock.
    Not(Job),
    /// The inbox was sealed at this moment, and the job is in the list all the same: it is to be seen to, as whoever has sealed the inbox may have
    /// done that before it was there.
    Late,
}

/// Whether this one of [`Stamp::SAMPLE`] is the one. At random, so that sites whose jobs come by turns all have their share: from one to the next
/// it is 1 to 31, by a generator of Marsaglia's ("Xorshift RNGs", 2003).
#[inline]
fn sample() -> bool {
    #[cfg(offload_loom)]
    return crate::job::models::is_due();
    #[cfg(not(offload_loom))]
    std::thread_local! {
        static LEFT: std::cell::Cell<u64> = const { std::cell::Cell::new(Stamp::SAMPLE) };
    }
    #[cfg(not(offload_loom))]
    LEFT.with(|left| {
        let now = left.get();
        left.set(if now == 0 { draw() } else { now - 1 });
        now == 0
    })
}

/// How many come before the next one.
#[cold]
#[cfg(not(offload_loom))]
fn draw() -> u64 {
    std::thread_local! {
        static RANDOM: std::cell::Cell<u32> = const { std::cell::Cell::new(0x9E37_79B9) };
    }
    RANDOM.with(|random| {
        let mut x = random.get();
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        random.set(x);
        u64::from(x) % (2 * Stamp::SAMPLE - 1)
    })
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
    // the store; or the job came to the claimer from the thread that did both (`State::link_new`).
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
    // SAFETY: the job is linked, so its cell is there.
    while !unsafe { is_listed(header) } {
        // It is between the link and the inbox, in the hands of a thread that is posting it.
        drop(guard);
        thread::yield_now();
        guard = queue.lock();
    }
    // SAFETY: the job is linked in this list, and the caller is the one to unlink it.
    unsafe { guard.locked.list.remove(header) };
    guard.settle();
    let ledger = guard.ledger();
    let (tally, ticket) = match why {
        Why::Begins => {
            let place = ledger.started(origin);
            (Some(Arc::clone(ledger.tally(place))), None)
        }
        Why::Cancelled => (None, Some(ledger.cancelled(origin))),
    };
    drop(guard);
    if let Some(ticket) = ticket {
        ticket.announce();
    }
    // It may be the last one: what the queue has of the user's goes with it.
    discard(queue);
    tally
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
