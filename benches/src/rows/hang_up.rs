//! 10,000 jobs are queued, and their callers drop the futures before any has run.
//!
//! `drop`: time per future. `served`: time from the first drop until a job submitted after them has run, per future. `freed`: the share of the
//! jobs whose captures are freed once all futures are dropped; here more is better.

use std::sync::Arc;
use std::time::Instant;

use crate::contestants::Contestant;
use crate::gate::{Gate, wait_for_all};
use crate::host::{Host, Kind};
use crate::meter::{as_f64, per};
use crate::row::{Row, Workload, field};

const JOBS: usize = 10_000;

#[derive(Clone, Copy)]
struct HangUp;

impl Workload for HangUp {
    fn turn<C: Contestant>(self, pool: C, _: &Host) -> Vec<f64> {
        let gate = Gate::close(&pool, || ());
        let token = Arc::new(());
        let submit = |_| {
            let token = Arc::clone(&token);
            pool.submit(move || drop(token))
        };
        let handles: Vec<_> = (0..JOBS).map(submit).collect();
        let begun = Instant::now();
        drop(handles);
        let dropped = begun.elapsed();
        // The threads are busy, so nothing but the drop has freed any.
        let freed = JOBS + 1 - Arc::strong_count(&token);
        let next = pool.submit(|| ());
        gate.open();
        pollster::block_on(next);
        let served = begun.elapsed();
        wait_for_all(&token);
        vec![per(dropped, JOBS), per(served, JOBS), as_f64(freed) / as_f64(JOBS)]
    }
}

pub(super) fn rows() -> Vec<Row> {
    let id = "hang-up".to_owned();
    vec![Row { id, first: false, figures: &["drop", "served", "freed"], entries: field(HangUp, Kind::Current) }]
}
