//! 10,000 jobs are queued, and their callers drop the futures before any has run.
//!
//! `drop`: time per future. `served`: time from the first drop until a job submitted after them has run, per future.

use std::sync::Arc;
use std::time::Instant;

use crate::contestants::Contestant;
use crate::gate::{Gate, wait_for_all};
use crate::host::{Host, Kind};
use crate::meter::per;
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
        let next = pool.submit(|| ());
        gate.open();
        pollster::block_on(next);
        let served = begun.elapsed();
        wait_for_all(&token);
        vec![per(dropped, JOBS), per(served, JOBS)]
    }
}

pub(super) fn rows() -> Vec<Row> {
    let id = "hang-up".to_owned();
    vec![Row { id, first: false, figures: &["drop", "served"], entries: field(HangUp, Kind::Current) }]
}
