//! Atomics that decide nothing: always `std`'s, so that models need not branch on them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A count, or another figure.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Counts one more, and returns how many there were before.
    #[inline]
    pub(crate) fn add_one(&self) -> u64 {
        // ORDERING: Relaxed: a count. What a reader has to see is ordered by what tells it to read: a job's result, or a queue's lock.
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn get(&self) -> u64 {
        // ORDERING: Relaxed, as in `add_one`.
        self.0.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn set(&self, value: u64) {
        // ORDERING: Relaxed, as in `add_one`.
        self.0.store(value, Ordering::Relaxed);
    }
}

/// A flag for those who may as well see it late. Read by many, and so written only to change it: a write takes it from their caches.
#[derive(Debug)]
pub(crate) struct LooseFlag(AtomicBool);

impl LooseFlag {
    pub(crate) const fn new(value: bool) -> Self {
        Self(AtomicBool::new(value))
    }

    #[inline]
    pub(crate) fn get(&self) -> bool {
        // ORDERING: Relaxed: whoever is late finds it out elsewhere, or counts a little differently.
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
