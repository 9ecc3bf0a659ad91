//! The places of a bounded executor: each accepted job holds a permit from its submission until it ends, is cancelled or is refused.

use crate::sync::{AtomicUsize, Ordering};

#[derive(Debug)]
pub(crate) struct Permits(AtomicUsize);

impl Permits {
    pub(crate) fn new(n: usize) -> Self {
        Self(AtomicUsize::new(n))
    }

    /// Takes a permit, if one is free.
    pub(crate) fn try_acquire(&self) -> bool {
        // ORDERING: Acquire pairs with the Release of `release`: the job that had the permit has ended. A failure reads nothing.
        let taken = self.0.fetch_update(Ordering::Acquire, Ordering::Relaxed, |free| free.checked_sub(1));
        taken.is_ok()
    }

    /// Gives a permit back, before the job's result is published: a caller that has awaited a job finds its place free.
    pub(crate) fn release(&self) {
        // ORDERING: Release, see `try_acquire`.
        self.0.fetch_add(1, Ordering::Release);
    }
}
