//! Values that are counted: what a job captured or returned, and whether it is still there.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::eventually;

/// Makes tokens and knows how many are alive.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    made: AtomicUsize,
    dropped: AtomicUsize,
}

impl Tokens {
    /// No tokens yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One more.
    #[must_use]
    pub fn token(&self) -> Token {
        self.counts.made.fetch_add(1, Ordering::SeqCst);
        Token { counts: Arc::clone(&self.counts) }
    }

    /// How many were made.
    #[must_use]
    pub fn made(&self) -> usize {
        self.counts.made.load(Ordering::SeqCst)
    }

    /// How many have not been dropped.
    ///
    /// # Panics
    /// If one was dropped twice.
    #[must_use]
    pub fn alive(&self) -> usize {
        let dropped = self.counts.dropped.load(Ordering::SeqCst);
        self.made().checked_sub(dropped).expect("a token is dropped once")
    }

    /// Waits until all have been dropped.
    #[track_caller]
    pub fn wait_until_none(&self) {
        eventually("all tokens are dropped", || self.alive() == 0);
    }
}

/// A counted value.
#[derive(Debug)]
pub struct Token {
    counts: Arc<Counts>,
}

impl Drop for Token {
    fn drop(&mut self) {
        self.counts.dropped.fetch_add(1, Ordering::SeqCst);
    }
}
