//! What a queued job allocates, for a closure of 16 bytes with a result of 8: how often, and how many bytes beyond the closure.

use std::sync::Arc;

use crate::contestants::Contestant;
use crate::gate::{Gate, wait_for_all};
use crate::host::{Host, Kind};
use crate::memory::Counted;
use crate::meter::as_f64;
use crate::row::{Row, Workload, field};

const CLOSURE: f64 = 16.0;

#[derive(Clone, Copy)]
struct Memory {
    jobs: usize,
}

impl Workload for Memory {
    fn turn<C: Contestant>(self, pool: C, _: &Host) -> Vec<f64> {
        let gate = Gate::close(&pool, || ());
        let token = Arc::new(());
        let mut handles = Vec::with_capacity(self.jobs);
        let counted = Counted::during(|| {
            handles.extend((0..self.jobs).map(|i| pool.submit(sixteen_bytes(i, &token))));
        });
        gate.open();
        for handle in handles {
            pollster::block_on(handle);
        }
        wait_for_all(&token);
        let each = |n: usize| as_f64(n) / as_f64(self.jobs);
        vec![each(counted.allocations), each(counted.bytes) - CLOSURE]
    }
}

/// A pointer and a number.
fn sixteen_bytes(i: usize, token: &Arc<()>) -> impl FnOnce() -> usize + Send + 'static {
    let token = Arc::clone(token);
    let job = move || {
        drop(token);
        i
    };
    assert_eq!(size_of_val(&job), 16);
    job
}

pub(super) fn rows(quick: bool) -> Vec<Row> {
    let memory = Memory { jobs: if quick { 1_000 } else { 10_000 } };
    let figures = &["allocations", "bytes beyond"];
    vec![Row { id: "memory".to_owned(), first: false, figures, entries: field(memory, Kind::Current) }]
}
