//! For how long a submit holds the event loop: what every other request on that thread feels.
//!
//! `hold-idle` submits to an idle pool and awaits the answer before the next; `hold-busy` submits in a row, so that the pool is at
//! work. Each submit is timed on its own; what the clock itself takes is subtracted, and its steps are evened out. The floor takes part: an allocation, and a word at which
//! another thread looks. And so does ours without times.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use super::warm_up;
use crate::args::Scale;
use crate::contestants::{Contestant, Untimed, Word};
use crate::host::{Host, Kind};
use crate::meter::{Clock, per};
use crate::row::{Figure, Row, Unit, Workload, entry, field};

#[derive(Clone, Copy)]
struct Hold {
    submits: usize,
    /// After so many, all are awaited.
    in_a_row: usize,
}

impl Workload for Hold {
    fn turn<C: Contestant>(&self, pool: &Arc<C>, host: &Host) -> Vec<f64> {
        warm_up(pool, host);
        let (pool, Self { submits, in_a_row }) = (Arc::clone(pool), *self);
        host.run(async move {
            let clock = Clock::measure();
            let mut times = Vec::with_capacity(submits);
            let mut handles = Vec::with_capacity(in_a_row);
            for _ in 0..submits / in_a_row {
                for i in 0..in_a_row as u64 {
                    let begun = Instant::now();
                    let handle = pool.submit(move || i);
                    times.push(begun.elapsed());
                    handles.push(handle);
                }
                for handle in handles.drain(..) {
                    black_box(handle.await);
                }
            }
            let mut times: Vec<_> = times.iter().map(|time| per(*time, 1)).collect();
            times.sort_unstable_by(f64::total_cmp);
            [0.5, 0.99, 1.0].map(|q| clock.quantile(&times, q)).into()
        })
    }
}

fn row(id: &str, what: &str, kind: Kind, workload: Hold) -> Row {
    let figures = vec![
        Figure::ratio("median", "submit holds the loop, median", Unit::Nanoseconds),
        Figure::ratio("p99", "submit holds the loop, p99", Unit::Nanoseconds),
        Figure::ratio("worst", "submit holds the loop, worst", Unit::Nanoseconds),
    ];
    Row::new(format!("{id}/{}", kind.suffix()), format!("{what}, {}", kind.title()), figures, move |scale| {
        let mut entries = field(&workload, kind, scale.threads, scale);
        entries.push(entry::<Untimed>(&workload, kind, scale.threads, scale));
        entries.push(entry::<Word>(&workload, kind, scale.threads, scale));
        entries
    })
}

pub(crate) fn rows(scale: &Scale) -> Vec<Row> {
    let idle = Hold { submits: scale.shrink(8_000, 16), in_a_row: 1 };
    let busy = Hold { submits: scale.shrink(100_000, 100), in_a_row: 1_000 };
    let mut rows = Vec::new();
    for kind in [Kind::CurrentThread, Kind::Workers] {
        rows.push(row("hold-idle", "submits to an idle pool", kind, idle));
        rows.push(row("hold-busy", "submits in a row", kind, busy));
    }
    rows
}
