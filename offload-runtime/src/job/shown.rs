//! The job that a thread runs, for other threads to look at.
//!
//! A cell may be freed as soon as its result is published. So a look takes the pointer out for its length, and who would end the job waits
//! until it is back: a lock of one word that costs the running thread one compare-and-swap, and is held for two loads.

use std::ptr::{self, NonNull};

use super::cell::Header;
use super::origin::Origin;
use crate::sync::{AtomicPtr, Ordering, thread};

/// The innermost job that one thread runs.
#[derive(Debug)]
pub(crate) struct Shown {
    /// Null, a job whose `JOB` bit is held by the thread that shows it, or [`LOOKING`].
    job: AtomicPtr<Header>,
}

/// Stands for a job that somebody is looking at. No header is there.
const LOOKING: *mut Header = ptr::without_provenance_mut(1);

impl Shown {
    pub(crate) fn new() -> Self {
        Self { job: AtomicPtr::new(ptr::null_mut()) }
    }

    /// Shows `job` instead of what is shown, which is returned. To be called by one thread only.
    ///
    /// # Safety
    /// The caller holds the job's `JOB` bit until it has called [`hide`](Self::hide).
    pub(super) unsafe fn show(&self, job: NonNull<Header>) -> *mut Header {
        // ORDERING: Relaxed: what is shown is changed by this thread only, but for LOOKING, which is waited out in `exchange`.
        let mut outer = self.job.load(Ordering::Relaxed);
        while outer == LOOKING {
            thread::yield_now();
            // ORDERING: Relaxed, as above.
            outer = self.job.load(Ordering::Relaxed);
        }
        if outer.is_null() {
            // What is null nobody else changes.
            // ORDERING: Release, as in `exchange`. No look at the job before is going on: `hide` has waited for it.
            self.job.store(job.as_ptr(), Ordering::Release);
        } else {
            self.exchange(outer, job.as_ptr());
        }
        outer
    }

    /// Shows `outer` again. When this returns nobody looks at `job`.
    pub(super) fn hide(&self, job: NonNull<Header>, outer: *mut Header) {
        self.exchange(job.as_ptr(), outer);
    }

    fn exchange(&self, shown: *mut Header, next: *mut Header) {
        // ORDERING: Release pairs with the Acquire in `look`: the cell is whole. Acquire pairs with the Release there: the look is over
        // before the cell is freed.
        while self.job.compare_exchange_weak(shown, next, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            thread::yield_now();
        }
    }

    /// Where the job comes from that is shown, and whether its handle wants it cancelled.
    pub(crate) fn look(&self) -> Option<(Origin, bool)> {
        loop {
            // ORDERING: Relaxed: the exchange below decides.
            let shown = self.job.load(Ordering::Relaxed);
            if shown == LOOKING {
                thread::yield_now();
                continue;
            }
            let job = NonNull::new(shown)?;
            // ORDERING: Acquire pairs with the Release in `exchange`. If the job has been replaced by another in the same place, that one is
            // looked at.
            if self.job.compare_exchange(shown, LOOKING, Ordering::Acquire, Ordering::Relaxed).is_err() {
                continue;
            }
            // SAFETY: its thread holds the JOB bit until `hide` returns, which waits for the store below.
            let cell = unsafe { job.as_ref() };
            #[cfg(all(test, offload_loom))]
            cell.b.with(|_| ());
            let seen = (cell.origin, cell.state.is_cancelled());
            // ORDERING: Release pairs with the Acquire in `exchange`.
            self.job.store(shown, Ordering::Release);
            return Some(seen);
        }
    }
}
