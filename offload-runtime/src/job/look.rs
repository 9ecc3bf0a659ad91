//! A short look at a job that may end at once, before its handle leaves a waker.
//!
//! Where a worker is awake, a short job ends sooner than a caller that sleeps meanwhile can be woken. So the first poll of a handle spins for
//! [`LONGEST`], unless the last looks of this thread were in vain: each doubles the number of handles that are not looked at, up to
//! [`MOST_SKIPPED`].
//!
//! A stream's consumer looks for a batch of items in the same way, and a producer spins before it sleeps for want of room.
//!
//! Without it, a lone caller of short jobs pays for a sleep and a wake-up in each call: the rows `stat/1` and `read/1` of `benches`.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::sync::thread_local;

/// About what it costs a runtime to sleep and to be woken.
const LONGEST: Duration = Duration::from_micros(2);

/// One look in so many handles costs little, and finds out when jobs have become short.
const MOST_SKIPPED: u32 = 63;

/// Spins between two looks at the clock.
const BETWEEN: u32 = 8;

thread_local! {
    /// How many handles are still to be skipped, and how many were skipped after the last look.
    static SKIPS: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
}

/// Looks whether `is_done`, as the result of a job is there. Returns whether it is.
#[inline]
pub(crate) fn look(is_done: impl Fn() -> bool) -> bool {
    SKIPS
        .try_with(|skips| {
            let (left, last) = skips.get();
            if left > 0 {
                skips.set((left - 1, last));
                return false;
            }
            let found = !cfg!(offload_loom) && spin(LONGEST, is_done);
            let next = if found { 0 } else { (2 * last + 1).min(MOST_SKIPPED) };
            skips.set((next, next));
            found
        })
        .unwrap_or(false)
}

/// Spins until `is_done`, for `longest` at most. Returns whether it is.
pub(crate) fn spin(longest: Duration, is_done: impl Fn() -> bool) -> bool {
    let began = Instant::now();
    loop {
        for _ in 0..BETWEEN {
            if is_done() {
                return true;
            }
            std::hint::spin_loop();
        }
        if began.elapsed() >= longest {
            return false;
        }
    }
}
