//! A pool that has worked and has nothing to do: what it costs to have it.
//!
//! Comes first of all rows and leaves `unblock` out: that pool is the process's own, can't be stopped, and its threads wake twice a second, which
//! the clocks of the process would charge to everybody.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::warm_up;
use crate::args::Scale;
use crate::contestants::{AffinityPool, Channel, Contestant, Offload, Rayon, SpawnBlocking};
use crate::host::{Host, Kind};
use crate::meter::Meter;
use crate::row::{Entry, Figure, Row, Unit};

/// From the last answer until the pool has to be still.
const SETTLE: Duration = Duration::from_millis(20);

/// Each pool is there only in its own turn: the process clock knows no pools.
fn entry<C: Contestant>(scale: &Scale) -> Entry {
    let scale = scale.clone();
    let still = Duration::from_millis(if scale.quick { 100 } else { 1_000 });
    let turn = move || {
        let host = Host::new(Kind::Bare, scale.threads, &scale);
        let pool = Arc::new(C::start(&host.setup()));
        warm_up(&pool, &host);
        thread::sleep(SETTLE);
        let meter = Meter::start();
        thread::sleep(still);
        let cost = meter.stop();
        let seconds = cost.time.as_secs_f64();
        // The sleep above is a context switch of this thread.
        let switches = u32::try_from(cost.switches - 1).unwrap_or(0);
        vec![cost.cpu.as_secs_f64() * 1e9 / seconds, f64::from(switches) / seconds]
    };
    Entry { name: C::NAME, turn: Box::new(turn) }
}

pub(crate) fn rows(_: &Scale) -> Vec<Row> {
    let figures = vec![
        Figure::as_is("cpu", "CPU time per second", Unit::Nanoseconds),
        Figure::as_is("switches", "context switches per second", Unit::Count),
    ];
    let row = Row::new("idle", "a pool with nothing to do", figures, |scale| {
        vec![
            entry::<Offload>(scale),
            entry::<SpawnBlocking>(scale),
            entry::<Rayon>(scale),
            entry::<AffinityPool>(scale),
            entry::<Channel>(scale),
        ]
    });
    vec![row.few_rounds()]
}
