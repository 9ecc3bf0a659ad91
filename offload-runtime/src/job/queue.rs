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
use super::owned::{Claimed, Job};
use super::state::Claim;
use super::views::QueueId;
use crate::cancel::Stop;
use crate::sync::{self, Arc, Condvar, Mutex, MutexGuard, Ordering};

/// Who a queue belongs to.
pub(crate) trait Owner: Sized + Send + Sync + 'static {
    /// What the queue's lock guards besides the jobs.
    type Guarded: Send;

    /// Sees to it that `job`, whose handle is being polled inside a job on a thread of this queue, begins at once (C10). `own`: the job
    /// was in this queue, not in that of a view.
    fn run_nested(queue: &Arc<Queue<Self>>, job: Claimed, own: bool);

    /// Runs a job of this queue by `run`, in one of its places, on a thread that does not serve it (C10).
    fn run_in_a_place(queue: &Arc<Queue<Self>>, job: Claimed, run: fn(Claimed));
}

/// The queue of a `P`, with the rest of `P` beside it.
#[repr(C)]
pub(crate) struct Queue<P: Owner> {
    // First, so that a pointer to the queue is one to its head.
    head: Head,
    pub(crate) shared: P,
    locked: Mutex<Locked<P>>,
}

/// What a job knows of the queue it is linked in.
pub(crate) struct Head {
    unlink: unsafe fn(NonNull<Head>, NonNull<Header>),
    run_nested: unsafe fn(NonNull<Head>, Claimed, bool),
    run_in_a_place: unsafe fn(NonNull<Head>, NonNull<Header>),
    stop: Stop,
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
    guarded: P::Guarded,
}

impl<P: Owner> Queue<P> {
    pub(crate) fn new(shared: P, guarded: P::Guarded) -> Arc<Self> {
        Arc::new(Self {
            head: Head {
                unlink: unlink_from::<P>,
                run_nested: run_nested_in::<P>,
                run_in_a_place: run_in_a_place_of::<P>,
                stop: Stop::default(),
            },
            shared,
            locked: Mutex::new(Locked { list: List::new(), pin: None, guarded }),
        })
    }

    /// Locks the queue. Whoever holds the guard runs no code of the user (C6).
    #[inline]
    pub(crate) fn lock(self: &Arc<Self>) -> Guard<'_, P> {
        Guard { queue: self, locked: sync::lock(&self.locked) }
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
    /// Appends `job`. `Err`: it was cancelled before; drop it after unlocking.
    #[inline]
    pub(crate) fn push(&mut self, job: Job) -> Result<(), Job> {
        let header = job.header();
        // SAFETY: `job` keeps the cell.
        let cell = unsafe { header.as_ref() };
        // ORDERING: Relaxed: `State::link` publishes it.
        cell.owner.store(Queue::head(self.queue).cast_mut(), Ordering::Relaxed);
        let header = job.link()?;
        // SAFETY: `link` gave this queue the job: its cell stays until it is unlinked, and it is in no other list.
        unsafe { self.locked.list.push_back(header) };
        if self.locked.pin.is_none() {
            self.locked.pin = Some(Arc::clone(self.queue));
        }
        Ok(())
    }

    /// Takes the first job that no handle has cancelled.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Claimed> {
        let mut next = self.locked.list.first;
        // A job that was claimed but is still linked is about to be unlinked by its canceller, who waits for the lock: there
        // are at most as many of them as threads in `cancel` or `drop` of a handle.
        while let Some(header) = NonNull::new(next) {
            // SAFETY: it is linked, so its cell is there.
            let cell = unsafe { header.as_ref() };
            match cell.state.claim() {
                Claim::Won { linked } => {
                    debug_assert!(linked);
                    // SAFETY: it is linked in this list; having claimed it, this call is the one to unlink it.
                    unsafe { self.locked.list.remove(header) };
                    self.unpin();
                    // SAFETY: claimed and unlinked; its JOB bit was the queue's.
                    return Some(unsafe { Claimed::from_header(header) });
                }
                // SAFETY: under the lock the links of a linked job are the list's (I5).
                Claim::Lost => next = cell.a.with(|a| unsafe { *a }).cast(),
            }
        }
        None
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

    /// Gives the reference of an empty queue to itself up. Never the last one: `self.queue` is another.
    #[inline]
    fn unpin(&mut self) {
        if self.locked.list.len == 0 {
            self.locked.pin = None;
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

/// Unlinks a job and returns it, with the `JOB` bit that was its queue's.
///
/// # Safety
/// The caller claimed the job while it was linked, and the cell stays until this returns.
pub(super) unsafe fn unlink(header: NonNull<Header>) -> Claimed {
    // SAFETY: as promised.
    let cell = unsafe { header.as_ref() };
    // ORDERING: Relaxed: the claim that saw LINKED was an Acquire of the Release in `State::link`, which comes after
    // the store.
    let owner = cell.owner.load(Ordering::Relaxed);
    // SAFETY: `push` stored it before LINKED was set, so it is not null.
    let owner = unsafe { NonNull::new_unchecked(owner) };
    // SAFETY: the job is linked, so its queue is alive (I4).
    let head = unsafe { owner.as_ref() };
    // SAFETY: the function is that of the queue; the job is linked in it and the caller's to unlink.
    unsafe { (head.unlink)(owner, header) };
    // SAFETY: claimed by the caller, unlinked now; its JOB bit was the queue's.
    unsafe { Claimed::from_header(header) }
}

/// # Safety
/// `head` is that of a queue of `P` that is alive and in which the job is linked; the caller is the one to unlink it.
unsafe fn unlink_from<P: Owner>(head: NonNull<Head>, header: NonNull<Header>) {
    let queue: *const Queue<P> = head.as_ptr().cast_const().cast();
    // Once the job is unlinked nothing but this reference keeps the queue until the lock is released.
    // SAFETY: `push` made the pointer of an `Arc`, alive until the job is unlinked.
    unsafe { Arc::increment_strong_count(queue) };
    // SAFETY: the count was raised for this `Arc`.
    let queue = unsafe { Arc::from_raw(queue) };
    let mut guard = queue.lock();
    // SAFETY: the job is linked in this list, and the caller is the one to unlink it.
    unsafe { guard.locked.list.remove(header) };
    guard.unpin();
}

/// # Safety
/// `head` is that of a queue that is alive until this returns.
pub(super) unsafe fn run_nested(head: NonNull<Head>, job: Claimed, own: bool) {
    // SAFETY: as promised.
    let run_nested = unsafe { head.as_ref() }.run_nested;
    // SAFETY: the function is that of the queue.
    unsafe { run_nested(head, job, own) };
}

/// # Safety
/// `head` is that of a queue of `P` that is alive until this returns.
unsafe fn run_nested_in<P: Owner>(head: NonNull<Head>, job: Claimed, own: bool) {
    let queue: *const Queue<P> = head.as_ptr().cast_const().cast();
    // SAFETY: `Queue::head` made the pointer of an `Arc`, alive as promised.
    unsafe { Arc::increment_strong_count(queue) };
    // SAFETY: the count was raised for this `Arc`.
    let queue = unsafe { Arc::from_raw(queue) };
    P::run_nested(&queue, job, own);
}

/// Runs a linked job in a place of its queue.
///
/// # Safety
/// The caller claimed the job while it was linked, and the cell stays until this returns.
pub(super) unsafe fn run_in_a_place(header: NonNull<Header>) {
    // SAFETY: as promised.
    let cell = unsafe { header.as_ref() };
    // ORDERING: Relaxed, as in `unlink`.
    let owner = cell.owner.load(Ordering::Relaxed);
    // SAFETY: `push` stored it before LINKED was set, so it is not null.
    let owner = unsafe { NonNull::new_unchecked(owner) };
    // SAFETY: the job is linked, so its queue is alive (I4).
    let run = unsafe { owner.as_ref() }.run_in_a_place;
    // SAFETY: the function is that of the queue; the job is linked in it and the caller's to unlink.
    unsafe { run(owner, header) };
}

/// # Safety
/// `head` is that of a queue of `P` in which the job is linked; the caller is the one to unlink it.
unsafe fn run_in_a_place_of<P: Owner>(head: NonNull<Head>, header: NonNull<Header>) {
    let queue: *const Queue<P> = head.as_ptr().cast_const().cast();
    // SAFETY: `push` made the pointer of an `Arc`, alive until the job is unlinked.
    unsafe { Arc::increment_strong_count(queue) };
    // SAFETY: the count was raised for this `Arc`.
    let queue = unsafe { Arc::from_raw(queue) };
    // SAFETY: the job is linked and the caller's to unlink.
    let job = unsafe { unlink(header) };
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
        // SAFETY: the cell is there.
        unsafe { set_next(header, ptr::null_mut()) };
        // SAFETY: as above.
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
