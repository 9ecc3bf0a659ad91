//! An intrusive first-in first-out queue of jobs, from which a job can be taken out at any place.
//!
//! Jobs are pushed into the inbox without the lock. Under the lock they are moved to a doubly linked list, from which they are taken.
//! The queue belongs to a pool or to a view ([`Owner`]), whose state the same lock guards.
//!
//! The owner wakes or starts workers. It tells the queue how many are *coming* ([`Guard::publish`]), and the queue tells a submitter whether
//! to come to the lock. Every critical section that changes the jobs or the workers ends with [`Guard::finish`].
//!
//! A queue holds a reference to itself from its making until it is sealed and empty, so that a job that is linked in it may follow its
//! `owner` (I4).

use std::ptr::NonNull;
use std::sync::{OnceLock, Weak};

use super::cell::Header;
use super::head::{Head, Wait};
use super::inbox::{ENOUGH, Inbox};
use super::list::{List, Place, place};
use super::owned::{Claimed, Job};
use super::state::Claim;
use super::views::{AnyQueue, QueueId, Registration};
use crate::clock::Stamp;
use crate::error::Error;
use crate::hooks::Stop;
use crate::sync::{self, Arc, LooseFlag, Mutex, Ordering};
use crate::unwind::discard;

mod guard;
#[cfg(all(test, offload_loom))]
mod models;
mod oldest;
#[cfg(all(test, not(offload_loom)))]
mod tests;

pub(crate) use guard::Guard;

/// The kind of executor that a queue belongs to.
pub(crate) trait Owner: Sized + Send + Sync + 'static {
    /// What the queue's lock guards besides the jobs.
    type Guarded: Send;
    /// What has to be done after unlocking.
    type Wake;

    /// Chooses a worker to wake or to start if more jobs are queued than workers are coming. Called at the end of a critical section.
    fn settle(guard: &mut Guard<'_, Self>) -> Self::Wake;

    /// Performs what `settle` has chosen, without the lock.
    fn perform(queue: &Arc<Queue<Self>>, wake: Self::Wake);

    /// A job was cancelled while it was queued. Called without the lock, before its closure is dropped.
    fn cancelled(queue: &Arc<Queue<Self>>, job: &Claimed);

    /// A thread that serves the queue begins or ends to wait for a job of it. Called under the lock.
    fn wait(guarded: &mut Self::Guarded, wait: Wait);

    /// Whether one thread alone may serve the queue: a job that awaits another job of the queue would wait for itself.
    fn is_alone(&self) -> bool {
        false
    }

    /// A job was taken out of the queue and is refused. Called without the lock.
    fn refused(queue: &Arc<Queue<Self>>, job: Claimed, why: &Error);

    /// A job was moved to the awaited ones, as a running job awaits it. Called without the lock.
    fn promoted(_queue: &Arc<Queue<Self>>) {}
}

/// The queue of a `P`, with the part of `P` that needs no lock beside it.
#[repr(C)]
pub(crate) struct Queue<P: Owner> {
    // First, so that a pointer to the queue is one to its head.
    head: Head,
    /// Cancels all running jobs of this queue.
    stop: Stop,
    pub(crate) shared: P,
    inbox: Apart<Inbox>,
    /// Whether the list holds jobs, for workers that search without the lock.
    listed: Apart<LooseFlag>,
    locked: Mutex<Locked<P>>,
    /// By which others find the queue.
    registration: OnceLock<Registration>,
}

/// On cache lines of its own. Two, as processors fetch them in pairs.
#[repr(align(128))]
struct Apart<T>(T);

struct Locked<P: Owner> {
    /// The jobs that running jobs await, which come first.
    awaited: List,
    others: List,
    /// The queue itself, until it is sealed and no job is linked in it (I4).
    pin: Option<Arc<Queue<P>>>,
    /// Linked jobs that are in no list any more: their cancellers are about to unlink them.
    aside: usize,
    /// Jobs that were moved from the inbox to a list and are still counted as pushed.
    taken: i32,
    /// The number of pushed jobs that was published as enough.
    enough: i32,
    /// The most jobs that were in the lists at once.
    peak: usize,
    guarded: P::Guarded,
}

impl<P: Owner> Locked<P> {
    /// How many jobs are in the lists.
    fn len(&self) -> usize {
        self.awaited.len + self.others.len
    }

    fn lists(&self) -> impl Iterator<Item = &Header> {
        self.awaited.iter().chain(self.others.iter())
    }

    /// The list that a listed job is in.
    fn list_of(&mut self, cell: &Header) -> &mut List {
        if cell.state.is_awaited() { &mut self.awaited } else { &mut self.others }
    }
}

/// Why a job was not pushed.
pub(crate) enum Rejected {
    /// The queue takes no more jobs.
    Sealed(Job),
    /// The job was cancelled before: drop it.
    Cancelled(Job),
}

impl<P: Owner> Queue<P> {
    /// `parent`: the queue of the executor that gives this one its threads.
    pub(crate) fn new(shared: P, guarded: P::Guarded, parent: Option<QueueId>) -> Arc<Self> {
        let locked = Locked {
            awaited: List::new(),
            others: List::new(),
            pin: None,
            aside: 0,
            taken: 0,
            enough: ENOUGH,
            peak: 0,
            guarded,
        };
        let queue = Arc::new(Self {
            head: Head { unlink: unlink_from::<P> },
            stop: Stop::default(),
            shared,
            inbox: Apart(Inbox::new()),
            listed: Apart(LooseFlag::new(false)),
            locked: Mutex::new(locked),
            registration: OnceLock::new(),
        });
        let unsized_queue: Weak<dyn AnyQueue> = Arc::<Self>::downgrade(&queue);
        let registration = Registration::new(Self::id(&queue), unsized_queue, parent);
        queue.registration.get_or_init(|| registration);
        let mut guard = queue.lock();
        guard.locked.pin = Some(Arc::clone(&queue));
        guard.finish();
        queue
    }

    #[inline]
    pub(crate) fn lock(self: &Arc<Self>) -> Guard<'_, P> {
        Guard { queue: self, locked: sync::lock(&self.locked) }
    }

    /// Appends `job`, and wakes a worker for it if none is coming.
    #[inline]
    pub(crate) fn push(self: &Arc<Self>, job: Job, stamp: Stamp) -> Result<(), Rejected> {
        if self.inbox.0.is_sealed() {
            return Err(Rejected::Sealed(job));
        }
        let header = self.link(job, stamp).map_err(Rejected::Cancelled)?;
        // SAFETY: `link` gave this queue the job, which is in no list.
        if !unsafe { self.inbox.0.push(header) } {
            // SAFETY: as above; it was not pushed.
            return unsafe { self.take_back(header) }.map_or(Ok(()), |job| Err(Rejected::Sealed(job)));
        }
        if self.inbox.0.count() {
            self.lock().finish();
        }
        Ok(())
    }

    /// As `push`, under the lock, even if the queue is sealed: then the owner knows that a worker will come.
    pub(crate) fn push_locked(guard: &mut Guard<'_, P>, job: Job, stamp: Stamp) -> Result<(), Job> {
        let header = guard.queue.link(job, stamp)?;
        // SAFETY: `link` gave this queue the job, which is in no list.
        unsafe { guard.append(header) };
        Ok(())
    }

    /// Makes the job part of this queue, which has its `JOB` bit from now on. `Err`: it was cancelled.
    #[inline]
    fn link(self: &Arc<Self>, job: Job, stamp: Stamp) -> Result<NonNull<Header>, Job> {
        // ORDERING: Relaxed: `State::link` publishes it.
        job.cell().owner.store(Self::head(self).cast_mut(), Ordering::Relaxed);
        job.link(stamp)
    }

    /// The inbox was sealed after the job was linked.
    ///
    /// # Safety
    /// The job is linked in this queue, in no list, and the caller's.
    #[cold]
    unsafe fn take_back(self: &Arc<Self>, header: NonNull<Header>) -> Option<Job> {
        // SAFETY: the queue's JOB bit keeps the cell.
        if unsafe { header.as_ref() }.state.unlink_unclaimed() {
            // SAFETY: not linked any more; the JOB bit was the queue's.
            return Some(unsafe { Job::from_header(header) });
        }
        // A canceller is about to unlink it, and may follow `owner` until it has: the job keeps the queue alive for it.
        let mut guard = self.lock();
        // SAFETY: as promised.
        unsafe { guard.append(header) };
        guard.finish();
        None
    }

    /// Whether there are jobs, as far as is known without the lock.
    #[inline]
    pub(crate) fn has_jobs(&self) -> bool {
        self.inbox.0.has_jobs() || self.listed.0.get()
    }

    /// The number of queued jobs. One that is being cancelled may count.
    pub(crate) fn queued(self: &Arc<Self>) -> usize {
        let mut guard = self.lock();
        guard.drain_inbox();
        let queued = guard.listed();
        guard.finish();
        queued
    }

    #[inline]
    pub(crate) fn is_sealed(&self) -> bool {
        self.inbox.0.is_sealed()
    }

    pub(crate) fn stop(&self) -> &Stop {
        &self.stop
    }

    pub(crate) fn id(this: &Arc<Self>) -> QueueId {
        QueueId(Self::head(this).addr())
    }

    /// The pointer by which jobs know the queue, good for the whole allocation.
    pub(super) fn head(this: &Arc<Self>) -> *const Head {
        Arc::as_ptr(this).cast()
    }
}

impl<P: Owner> AnyQueue for Queue<P> {
    fn stop(&self) -> &Stop {
        &self.stop
    }

    fn is_alone(&self) -> bool {
        self.shared.is_alone()
    }

    fn wait(self: Arc<Self>, wait: Wait) {
        let mut guard = self.lock();
        P::wait(&mut guard, wait);
        guard.finish();
    }

    unsafe fn promote(self: Arc<Self>, header: NonNull<Header>) {
        let mut guard = self.lock();
        // SAFETY: as promised.
        let cell = unsafe { header.as_ref() };
        // SAFETY: as promised.
        let is_here = unsafe { guard.holds(header) };
        if is_here && !cell.state.is_awaited() {
            // SAFETY: linked in this queue and listed, under its lock, and not awaited: it is in this list.
            unsafe { guard.locked.others.remove(header) };
            // SAFETY: the cell stays while it is linked.
            unsafe { guard.locked.awaited.push_back(header) };
            cell.state.set_awaited();
        }
        guard.finish();
        if is_here {
            P::promoted(&self);
        }
        // It may be the last reference: the queue's owner holds values of the user.
        discard(self);
    }

    unsafe fn refuse(self: Arc<Self>, header: NonNull<Header>, why: &Error) {
        let mut guard = self.lock();
        // SAFETY: as promised.
        let is_here = unsafe { guard.holds(header) };
        // SAFETY: as promised.
        let cell = unsafe { header.as_ref() };
        let is_claimed = is_here && matches!(cell.state.claim(), Claim::Won { .. });
        if is_claimed {
            // SAFETY: it is in this list, and having claimed it, this call is the one to unlink it.
            unsafe { guard.locked.list_of(cell).remove(header) };
        }
        guard.finish();
        if is_claimed {
            // SAFETY: claimed and unlinked; its JOB bit was the queue's.
            P::refused(&self, unsafe { Claimed::from_header(header) }, why);
        }
        // As above.
        discard(self);
    }
}

/// # Safety
/// As for [`Head::unlink`]. `head` is that of a queue of `P`, by `Queue::head`.
unsafe fn unlink_from<P: Owner>(head: NonNull<Head>, header: NonNull<Header>) -> bool {
    let queue: *const Queue<P> = head.as_ptr().cast_const().cast();
    // SAFETY: it is the pointer of an `Arc`, which is alive while the job is linked (I4).
    unsafe { Arc::increment_strong_count(queue) };
    // Once the job is unlinked nothing but this reference keeps the queue.
    // SAFETY: the count was raised for this `Arc`.
    let queue = unsafe { Arc::from_raw(queue) };
    let mut guard = queue.lock();
    guard.drain_inbox();
    // SAFETY: the caller keeps the cell.
    let cell = unsafe { header.as_ref() };
    cell.state.unlink_claimed();
    // SAFETY: the caller keeps the cell.
    let place = unsafe { place(header) };
    match place {
        Place::Inbox => {}
        // SAFETY: it is in this list: `pop` leaves it to its canceller, which is the caller.
        Place::List => unsafe { guard.locked.list_of(cell).remove(header) },
        Place::Aside => guard.locked.aside -= 1,
    }
    guard.finish();
    // SAFETY: claimed and unlinked. `into_header` gives the JOB bit up: to the caller if the queue had the job, else it was never this call's.
    let job = unsafe { Claimed::from_header(header) };
    P::cancelled(&queue, &job);
    job.into_header();
    // It may be the last reference: the queue's owner holds values of the user.
    discard(queue);
    place != Place::Inbox
}
