//! How long a worker searches for a job before it parks (rule 3 of `mod.rs`).
//!
//! Without the long search, the rows `stat/1` and `read/1` of `benches` take 4 to 30 times as long, on two cores.

use std::time::{Duration, Instant};

use crate::clock::Moment;
use crate::sync::{AtomicBool, Ordering, thread};

/// For how long a worker spins at most, as learnt from the gaps between jobs.
///
/// Where the next job comes while a worker spins, no thread has to be woken, which costs a system call and a context switch. So a gap that a longer search would
/// have bridged raises the limit, to twice the gap; a longer gap halves it, until it is zero. "Competitive spinning" loses by a
/// factor of two at most against knowing the gaps (Karlin, Li, Manasse and Owicki, "Empirical studies of competitive spinning for a
/// shared-memory multiprocessor", SOSP 1991).
#[derive(Debug)]
pub(super) struct SpinLimit {
    nanoseconds: u64,
    /// When the last search began.
    since: Option<Moment>,
}

impl SpinLimit {
    /// Before anything is known. A shorter limit is zero.
    const SHORTEST: u64 = 3_000;
    /// About what it costs to park and to be woken.
    const LONGEST: u64 = 50_000;

    /// A search begins now. Returns for how long it may last.
    pub(super) fn begin(&mut self) -> Duration {
        self.since = Some(Moment::now());
        Duration::from_nanos(self.nanoseconds)
    }

    /// A parked worker is called for a job, beside others that are `searching`.
    pub(super) fn called(&mut self, searching: usize) {
        if let Some(since) = self.since
            && searching == 0
        {
            self.learn(Moment::now().since(since));
        }
    }

    fn learn(&mut self, gap: u64) {
        self.nanoseconds = if gap <= Self::LONGEST {
            self.nanoseconds.max(2 * gap).clamp(Self::SHORTEST, Self::LONGEST)
        } else if self.nanoseconds >= 2 * Self::SHORTEST {
            self.nanoseconds / 2
        } else {
            0
        };
    }
}

impl Default for SpinLimit {
    fn default() -> Self {
        Self { nanoseconds: Self::SHORTEST, since: None }
    }
}

/// Searches for a job without the lock, until the queue seems to have one or it is time to park: first for a moment, as any worker does; then,
/// if no other worker has the `token`, until the `limit`.
pub(super) fn search(limit: Duration, token: &AtomicBool, has_jobs: impl Fn() -> bool) {
    if cfg!(offload_loom) {
        // In a model a longer search is only more of the same.
        return thread::yield_now();
    }
    for spins in [1, 2, 4, 8, 16, 32, 64] {
        if spin(&has_jobs, spins) {
            return;
        }
    }
    for _ in 0..YIELDS {
        thread::yield_now();
        if has_jobs() {
            return;
        }
    }
    // ORDERING: Relaxed: a token that guards no data.
    if !limit.is_zero() && !token.swap(true, Ordering::Relaxed) {
        let began = Instant::now();
        while !spin(&has_jobs, BETWEEN_YIELDS) && began.elapsed() < limit {
            thread::yield_now();
        }
        // ORDERING: Relaxed, as above.
        token.store(false, Ordering::Relaxed);
    }
}

const YIELDS: usize = 4;

/// Short, as the caller that submits the next job may need this very core.
const BETWEEN_YIELDS: u32 = 100;

/// Spins so many times, with a look at the queue before each. Returns whether there is a job.
fn spin(has_jobs: impl Fn() -> bool, times: u32) -> bool {
    for _ in 0..times {
        if has_jobs() {
            return true;
        }
        std::hint::spin_loop();
    }
    false
}

#[cfg(all(test, not(offload_loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_limit_follows_the_gaps() {
        let mut limit = SpinLimit::default();
        for (gap, expected) in [
            (1_000, 3_000),
            (5_000, 10_000),
            (50_000, 50_000),
            (50_001, 25_000),
            (1_000_000, 12_500),
            (1_000_000, 6_250),
            (1_000_000, 3_125),
            (1_000_000, 0),
            (1_000_000, 0),
            (100, 3_000),
        ] {
            limit.learn(gap);
            assert_eq!(limit.nanoseconds, expected, "after a gap of {gap} ns");
        }
    }

    #[test]
    fn one_worker_at_a_time_searches_for_long() {
        let token = AtomicBool::new(false);
        let began = Instant::now();
        search(Duration::from_millis(20), &token, || false);
        assert!(began.elapsed() >= Duration::from_millis(20));
        assert!(!token.load(Ordering::Relaxed), "the token was not given back");
        token.store(true, Ordering::Relaxed);
        search(Duration::MAX, &token, || false); // returns at once, and not never
        token.store(false, Ordering::Relaxed);
        search(Duration::MAX, &token, || true);
    }
}
