//! The two ways to look for a result.

use std::time::{Duration, Instant};

/// Less than the waker's way takes, of the caller's thread alone: 1.7 to 4.4 microseconds per call with tokio's current-thread runtime or
/// `pollster`, against 0.8 where all calls are glanced at (Intel Xeon, Linux 6.18).
pub(super) const LONGEST: Duration = Duration::from_micros(1);

/// Between two looks in line, so that who runs the jobs gets ahead: each look takes a line from its cache.
const PACE: Duration = Duration::from_nanos(250);

/// Looks between two at the clock, 10 to 40 nanoseconds each.
const BETWEEN: u32 = 8;

/// Looks for [`LONGEST`], or a little longer, whether the job `is_done`.
pub(super) fn look(is_done: impl Fn() -> bool) -> bool {
    let begin = Instant::now();
    loop {
        for _ in 0..BETWEEN {
            std::hint::spin_loop();
            if is_done() {
                return true;
            }
        }
        if begin.elapsed() >= LONGEST {
            return false;
        }
    }
}

/// The same, with a look every [`PACE`].
pub(super) fn look_now_and_then(is_done: impl Fn() -> bool) -> bool {
    let begin = Instant::now();
    let mut next = PACE;
    while next <= LONGEST {
        while begin.elapsed() < next {
            std::hint::spin_loop();
        }
        if is_done() {
            return true;
        }
        next += PACE;
    }
    false
}

#[cfg(all(test, not(offload_loom)))]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn c03_a_glance_in_line_ends() {
        let looks = Cell::new(0_u128);
        let begin = Instant::now();
        assert!(!look_now_and_then(|| {
            looks.set(looks.get() + 1);
            assert!(begin.elapsed() >= PACE, "it does not let who runs the jobs get ahead");
            false
        }));
        assert!(begin.elapsed() >= LONGEST, "it gave up early");
        assert_eq!(looks.get(), LONGEST.as_nanos() / PACE.as_nanos());
        assert!(look_now_and_then(|| true));
    }

    #[test]
    fn c03_a_glance_ends() {
        let (looks, late, first) = (Cell::new(0_u32), Cell::new(0_u32), Cell::new(None::<Instant>));
        let begin = Instant::now();
        assert!(!look(|| {
            let since = first.get().unwrap_or_else(Instant::now);
            first.set(Some(since));
            late.set(late.get() + u32::from(since.elapsed() >= LONGEST));
            looks.set(looks.get() + 1);
            false
        }));
        assert!(begin.elapsed() >= LONGEST, "it gave up early");
        assert!(looks.get() >= BETWEEN && looks.get().is_multiple_of(BETWEEN));
        assert!(late.get() <= BETWEEN, "{} looks after its time", late.get());
        assert!(look(|| true));
    }
}
