//! The inbox of a queue, into which jobs are posted without the queue's lock.
//!
//! One word: a stack of jobs, or a mark. Whoever locks the queue takes the whole stack at once and appends it to the list, in order, before
//! anything else; so under the lock a job that was posted is in the list, as if it had been pushed. The stack is never
//! popped from, only taken as a whole: there is no ABA. The marks tell who posts the next job what to do:
//!
//! | mark | meaning | set by |
//! |---|---|---|
//! | null | open: somebody will look, post and go | [`Guard::open`], and taking the stack |
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
/// Or a mark: null for an inbox that is open and empty, [`ASK`], or [`SEALED`]. Marks are set under the lock alone, and jobs taken
/// out under the lock alone.
pub(super) struct Inbox(AtomicPtr<Header>);

/// Empty; who posts the next job is to lock the queue.
pub(super) const ASK: *mut Header = ptr::without_provenance_mut(1);
/// Empty, for good.
pub(super) const SEALED: *mut Header = ptr::without_provenance_mut(2);

impl Inbox {
    pub(super) fn new() -> Self {
        Self(AtomicPtr::new(ASK))
    }

    /// Whether it holds a job, or a mark that is not null.
    #[inline]
    pub(super) fn is_stirred(&self) -> bool {
        // ORDERING: Relaxed: a hint. Who acts on it takes the lock first.
        !self.0.load(Ordering::Relaxed).is_null()
    }

    /// What is there, for `put`.
    #[inline]
    pub(super) fn head(&self) -> *mut Header {
        // ORDERING: Relaxed: what is done about it is done by read-modify-writes of this word, or under the lock.
        self.0.load(Ordering::Relaxed)
    }

    /// Puts a job in, where `head` was before, and is not [`SEALED`]. Returns what was there: [`SEALED`] if it was not put in, [`ASK`], or
    /// anything else.
    ///
    /// # Safety
    /// The job is linked and in no list, and the caller's to put in; it is not used by the caller after that.
    #[inline]
    pub(super) unsafe fn put(&self, mut head: *mut Header, header: NonNull<Header>) -> *mut Header {
        loop {
            let next = if head == ASK { ptr::null_mut() } else { head };
            // SAFETY: `a` of a job that is linked and in no list yet is its poster's (I5), and the cell is there.
            unsafe { set_next(header, next) };
            // ORDERING: Release publishes the cell to the Acquire of `take`. A failure reads nothing of another's cell.
            match self.0.compare_exchange_weak(head, header.as_ptr(), Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return head,
                Err(SEALED) => return SEALED,
                Err(now) => head = now,
            }
        }
    }

    /// Takes all jobs out, under the lock. Null: there are none.
    #[inline]
    pub(super) fn take(&self) -> *mut Header {
        // ORDERING: Relaxed: where there is no job it is left as it is; whoever set the mark held the lock.
        let head = self.0.load(Ordering::Relaxed);
        if head.is_null() || head == ASK || head == SEALED {
            return ptr::null_mut();
        }
        // ORDERING: Acquire pairs with the Release of those who posted the jobs.
        self.0.swap(ptr::null_mut(), Ordering::Acquire)
    }

    pub(super) fn is_sealed(&self) -> bool {
        // ORDERING: Relaxed: under the lock under which the mark is set.
        self.0.load(Ordering::Relaxed) == SEALED
    }

    /// Sets a mark in place of another, under the lock. `Err`: jobs came.
    pub(super) fn mark(&self, from: *mut Header, to: *mut Header) -> Result<(), ()> {
        // ORDERING: Relaxed: a mark publishes nothing; who finds it acts under the lock.
        match self.0.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => Ok(()),
            Err(now) if now == to || now == SEALED => Ok(()),
            Err(_) => Err(()),
        }
    }
}
