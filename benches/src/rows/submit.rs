//! What the submitter pays for a job while all threads are busy: the call of `submit` alone.

use std::sync::Arc;

use crate::contestants::Contestant;
use crate::gate::{Gate, wait_for_all};
use crate::host::{Host, Kind};
use crate::meter::Meter;
use crate::row::{Row, Workload, field};

#[derive(Clone, Copy)]
struct Submit {
    jobs: usize,
}

impl Workload for Submit {
    fn turn<C: Contestant>(self, pool: C, _: &Host) -> Vec<f64> {
        let token = Arc::new(());
        let submit = |i: usize| {
            let token = Arc::clone(&token);
            pool.submit(move || {
                drop(token);
                i
            })
        };
        let mut handles = Vec::with_capacity(self.jobs);
        let gate = Gate::close(&pool, || ());
        let meter = Meter::start();
        handles.extend((0..self.jobs).map(submit));
        let values = meter.stop(self.jobs);
        gate.open();
        for handle in handles {
            pollster::block_on(handle);
        }
        wait_for_all(&token);
        values
    }
}

pub(super) fn rows(quick: bool) -> Vec<Row> {
    let submit = Submit { jobs: if quick { 1_000 } else { 10_000 } };
    let id = "submit".to_owned();
    vec![Row { id, first: false, figures: &["time", "cpu"], entries: field(submit, Kind::Current) }]
}
