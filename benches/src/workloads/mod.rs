//! What the contestants do: one file per kind of work, each giving one or more rows of the table.

mod attribute;
mod burst;
mod callers;
mod compile;
mod gate;
mod hang_up;
mod hold;
mod idle;
mod memory;
mod producers;
mod project;
mod round_trip;
mod sleepers;
mod work;

use std::sync::Arc;

use crate::args::Scale;
use crate::contestants::Contestant;
use crate::host::Host;
use crate::row::Row;

/// All rows, in the order of the table. Those with many threads come last: one peer's threads outlive the row.
pub(crate) fn rows(scale: &Scale) -> Vec<Row> {
    let mut rows = idle::rows(scale);
    rows.extend(round_trip::rows(scale));
    rows.extend(callers::rows(scale));
    rows.extend(burst::rows(scale));
    rows.extend(hold::rows(scale));
    rows.extend(hang_up::rows(scale));
    rows.extend(work::rows(scale));
    rows.extend(producers::rows(scale));
    rows.extend(attribute::rows(scale));
    rows.extend(memory::rows(scale));
    rows.extend(sleepers::rows(scale));
    rows.extend(compile::rows());
    rows
}

/// A few calls that nobody times: threads are there, and where they are to be, code is in the cache, and whoever had his turn before has gone
/// to sleep.
fn warm_up<C: Contestant>(pool: &Arc<C>, host: &Host) {
    if let Some(place) = &host.place {
        place.settle(pool, host);
    }
    let pool = Arc::clone(pool);
    host.run(async move {
        for _ in 0..4 {
            let handles: Vec<_> = (0..8_u64).map(|i| pool.submit(move || i)).collect();
            for handle in handles {
                handle.await;
            }
        }
    });
}
