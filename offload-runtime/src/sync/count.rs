//! Atomics that decide nothing: always those of `std`, so that models need not branch on them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A count. A thread that reads a count sees what the counting threads had counted before, elsewhere: a reader that goes from the
/// later events to the earlier ones finds no more of the later.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Counts one more, and returns how many there were before.
    #[inline]
    pub(crate) fn add_one(&self) -> u64 {
        // ORDERING: Release pairs with the Acquire of `get`.
        self.0.fetch_add(1, Ordering::Release)
    }

    /// Counts `n` more.
    pub(crate) fn add(&self, n: u64) {
        // ORDERING: Release, as in `add_one`.
        self.0.fetch_add(n, Ordering::Release);
    }

    #[inline]
    pub(crate) fn get(&self) -> u64 {
        // ORDERING: Acquire pairs with the Release of `add_one`.
        self.0.load(Ordering::Acquire)
    }

    /// Sets the count, where two threads that do so at once may be counted as one.
    #[inline]
    pub(crate) fn set(&self, value: u64) {
        if self.get() != value {
            // ORDERING: Release, as in `add_one`.
            self.0.store(value, Ordering::Release);
        }
    }
}

/// A flag that may be seen late. Many threads read it, so it is written only to change it: a write takes it from their caches.
#[derive(Debug)]
pub(crate) struct LooseFlag(AtomicBool);

impl LooseFlag {
    pub(crate) const fn new(value: bool) -> Self {
        Self(AtomicBool::new(value))
    }

    #[inline]
    pub(crate) fn get(&self) -> bool {
        // ORDERING: Relaxed: a hint.
        self.0.load(Ordering::Relaxed)
    }

    /// Not by two at once.
    #[inline]
    pub(crate) fn set(&self, value: bool) {
        if self.get() != value {
            // ORDERING: Relaxed, as in `get`.
            self.0.store(value, Ordering::Relaxed);
        }
    }
}
