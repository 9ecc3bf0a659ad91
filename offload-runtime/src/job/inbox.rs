//! The inbox of a queue, into which jobs are posted without the queue's lock.
//!
//! One word: a stack of jobs, or a mark. Whoever locks the queue takes the whole stack at once and appends it to the list, in order, before
//! anything else; so under the lock a job that was posted is in the list, as if it had been pushed. The stack is never
//! popped from, only taken as a whole: there is no ABA. The marks tell who posts the next job what to do:
//!
//! | mark | meaning | set by |
//! |---|---|---|
//! | null | open: somebody will come, post and go | taking the stack |
//! | `LOOKED_FOR` | open, and somebody looks for a job at this moment, or has just before | [`Guard::open`] |
//! | `ASK` | post, then come to the lock and see who has to be called | [`Guard::ask`], [`Guard::stir`] |
//! | `SEALED` | no job can be posted any more | [`Guard::seal`] |
//!
//! A queue of which nobody opens the inbox (a view's) has all its jobs pushed under the lock, and pays nothing for it but a look.

use std::ptr::{self, NonNull};

use super::cell::Header;
use super::list::set_next;
#[cfg(doc)]
use super::queue::Guard;
use crate::sync::{AtomicPtr, Ordering};

/// Jobs on their way to the queue, appended without its lock: a stack, the last one first, linked by their words `a`.
///
/// Or a mark: null for an inbox that is open and empty, [`LOOKED_FOR`], [`ASK`], or [`SEALED`]. Marks are set under the lock alone, and jobs
/// taken out under the lock alone.
pub(super) struct Inbox(AtomicPtr<Header>);

/// Open and empty; somebody looks for a job.
pub(super) const LOOKED_FOR: *mut Header = ptr::without_provenance_mut(1);
/// Empty; who posts the next job is to lock the queue.
pub(super) const ASK: *mut Header = ptr::without_provenance_mut(2);
/// Empty, for good.
pub(super) const SEALED: *mut Header = ptr::without_provenance_mut(3);

/// Whether it is empty, and somebody is awake who will come, or looks.
#[inline]
pub(super) fn is_open(head: *mut Header) -> bool {
    head.addr() <= LOOKED_FOR.addr()
}

/// Whether there is no job.
#[inline]
fn is_mark(head: *mut Header) -> bool {
    head.addr() <= SEALED.addr()
}

impl Inbox {
    pub(super) fn new() -> Self {
        Self(AtomicPtr::new(ASK))
    }

    /// Whether it holds a job, or is not open.
    #[inline]
    pub(super) fn is_stirred(&self) -> bool {
        !is_open(self.head())
    }

    /// Whether somebody looks for a job, as far as is known under the lock.
    #[inline]
    pub(super) fn is_looked_for(&self) -> bool {
        self.head() == LOOKED_FOR
    }

    #[inline]
    fn head(&self) -> *mut Header {
        // ORDERING: Relaxed: a hint, or what is done about it is done by read-modify-writes of this word, or under the lock.
        self.0.load(Ordering::Relaxed)
    }

    /// Puts a job in. Returns what was there: [`SEALED`] if it was not put in, another mark, or a job.
    ///
    /// To be called once all else is done: what is looked at here and what is put there come from another core's cache together, unless who looks
    /// for work takes them back in between. With the clock read in between, a submit to a thread that looked took 110 nanoseconds instead of 90
    /// (AMD Zen 4).
    ///
    /// # Safety
    /// The job is linked and in no list, and the caller's to put in; it is not used by the caller after that.
    #[inline]
    pub(super) unsafe fn put(&self, header: NonNull<Header>) -> *mut Header {
        let mut head = self.head();
        while head != SEALED {
            let next = if is_mark(head) { ptr::null_mut() } else { head };
            // SAFETY: `a` of a job that is linked and in no list yet is its poster's (I5), and the cell is there.
            unsafe { set_next(header, next) };
            // ORDERING: Release publishes the cell to the Acquire of `take`. A failure reads nothing of another's cell.
            match self.0.compare_exchange_weak(head, header.as_ptr(), Ordering::Release, Ordering::Relaxed) {
                Ok(_) => break,
                Err(now) => head = now,
            }
        }
        head
    }

    /// Takes all jobs out, under the lock. Null: there are none.
    #[inline]
    pub(super) fn take(&self) -> *mut Header {
        // ORDERING: Relaxed: where there is no job it is left as it is; whoever set the mark held the lock.
        let head = self.0.load(Ordering::Relaxed);
        if is_mark(head) {
            return ptr::null_mut();
        }
        // ORDERING: Acquire pairs with the Release of those who posted the jobs.
        self.0.swap(ptr::null_mut(), Ordering::Acquire)
    }

    pub(super) fn is_sealed(&self) -> bool {
        // ORDERING: Relaxed: under the lock under which the mark is set.
        self.0.load(Ordering::Relaxed) == SEALED
    }

    /// Sets a mark in place of another, under the lock. `false`: there are jobs. What is sealed stays so.
    pub(super) fn mark(&self, mark: *mut Header) -> bool {
        // ORDERING: Relaxed: a mark publishes nothing; who finds it acts under the lock. Under the lock marks are set, so that a failure says
        // that a job came.
        let now = self.0.load(Ordering::Relaxed);
        let is_settled = now == mark || now == SEALED;
        is_mark(now) && (is_settled || self.0.compare_exchange(now, mark, Ordering::Relaxed, Ordering::Relaxed).is_ok())
    }
}
