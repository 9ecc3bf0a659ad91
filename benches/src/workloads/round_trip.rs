//! One caller and a pool that has nothing else to do: the latency of a quiet service.
//!
//! `round-trip` calls again as soon as the answer is there; `round-trip-quiet` lets everybody fall asleep before each call, and times
//! the calls alone. The floor takes part: two threads and a word; and, where everybody sleeps, a thread that does nothing but wake the caller, which
//! each pool has to do through the caller's runtime.

use std::hint::black_box;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::warm_up;
use crate::args::Scale;
use crate::contestants::{Contestant, Futex, HandOver, Spin, Waking, hand_over};
use crate::host::{Host, Kind};
use crate::meter::{Cost, Meter};
use crate::row::{Entry, Row, Workload, entry, field};

/// Long enough for every worker to go to sleep, short enough for many calls.
const QUIET: Duration = Duration::from_micros(300);

#[derive(Clone)]
struct RoundTrip {
    calls: usize,
    pause: Option<Duration>,
}

impl Workload for RoundTrip {
    fn turn<C: Contestant>(&self, pool: &Arc<C>, host: &Host) -> Vec<f64> {
        warm_up(pool, host);
        let (pool, Self { calls, pause }) = (Arc::clone(pool), *self);
        host.run(async move {
            let meter = Meter::start();
            let mut spent = Duration::ZERO;
            for i in 0..calls as u64 {
                if let Some(pause) = pause {
                    // Nothing else runs on this thread: nobody minds that it is blocked.
                    thread::sleep(pause);
                }
                let begun = Instant::now();
                black_box(pool.submit(move || i).await);
                spent += begun.elapsed();
            }
            Cost { time: spent, ..meter.stop() }.per_call(calls)
        })
    }
}

impl Copy for RoundTrip {}

fn floor<H: HandOver>(RoundTrip { calls, pause }: RoundTrip) -> Entry {
    let turn = move || {
        let meter = Meter::start();
        let mut spent = Duration::ZERO;
        hand_over::<H>(calls, pause, |time| spent += time);
        Cost { time: spent, ..meter.stop() }.per_call(calls)
    };
    Entry { name: H::NAME, turn: Box::new(turn) }
}

fn row(id: &str, what: &str, kind: Kind, workload: RoundTrip) -> Row {
    let stands_for = format!("{what}, {}", kind.title());
    Row::new(format!("{id}/{}", kind.suffix()), stands_for, Cost::figures(), move |scale| {
        let mut entries = field(&workload, kind, scale.threads, scale);
        entries.push(floor::<Futex>(workload));
        // Who spins through the quiet takes the core from those who are to wake up: that is no floor.
        entries.push(match workload.pause {
            None => floor::<Spin>(workload),
            Some(_) => entry::<Waking<0>>(&workload, kind, scale.threads, scale),
        });
        entries
    })
}

pub(crate) fn rows(scale: &Scale) -> Vec<Row> {
    let busy = RoundTrip { calls: scale.shrink(2_000, 10), pause: None };
    let quiet = RoundTrip { calls: scale.shrink(100, 4), pause: Some(QUIET) };
    let mut rows = Vec::new();
    for kind in [Kind::CurrentThread, Kind::Workers, Kind::Bare] {
        rows.push(row("round-trip", "one caller, call after call", kind, busy));
        rows.push(row("round-trip-quiet", "one caller, a call now and then", kind, quiet));
    }
    rows
}
