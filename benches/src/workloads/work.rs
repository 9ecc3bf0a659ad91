//! Jobs of 0, 1, 10 and 100 microseconds of work: where overhead stops mattering.

use std::hint::black_box;
use std::time::Instant;

use super::callers::Callers;
use crate::args::Scale;
use crate::host::Kind;
use crate::meter::Cost;
use crate::row::{Row, field};

/// Work that takes as many steps on every machine and cannot be shortened: each step needs the one before.
#[inline(never)]
fn compute(steps: u64) -> u64 {
    let mut x = black_box(0x9E37_79B9_7F4A_7C15_u64);
    for _ in 0..steps {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    x
}

/// How many steps take a microsecond here, at the machine's best.
fn steps_per_microsecond() -> f64 {
    const STEPS: u64 = 100_000;
    let time = || {
        let begun = Instant::now();
        black_box(compute(STEPS));
        begun.elapsed().as_secs_f64() * 1e6
    };
    let best = (0..20).map(|_| time()).fold(f64::INFINITY, f64::min);
    100_000.0 / best
}

pub(crate) fn rows(scale: &Scale) -> Vec<Row> {
    // A turn of 30 milliseconds or more, as in the rows `callers`.
    let sizes = [(0.0, "0us", 4096), (1.0, "1us", 1024), (10.0, "10us", 128), (100.0, "100us", 20)];
    let row = |(microseconds, name, calls)| {
        let calls = scale.shrink(calls, 4);
        let stands_for = format!("32 callers, jobs of {name} of work, multi-thread runtime");
        Row::new(format!("work/{name}"), stands_for, Cost::figures(), move |scale| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive number of steps")]
            let steps = (microseconds * steps_per_microsecond()) as u64;
            let job = move |i: u64| compute(steps).wrapping_add(i);
            field(&Callers { count: 32, calls, job }, Kind::Workers, scale.threads, scale)
        })
    };
    sizes.map(row).into()
}
