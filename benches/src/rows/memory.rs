//! What a queued job allocates: how often, and how many bytes beyond its closure or its result, whichever is larger. `memory`: a closure of 16
//! bytes with a result of 8. `memory-result`: the same closure with a result of 1,024 bytes.

use std::sync::Arc;

use crate::contestants::Contestant;
use crate::gate::{Gate, wait_for_all};
use crate::host::{Host, Kind};
use crate::memory::Counted;
use crate::meter::as_f64;
use crate::row::{Row, Workload, field};

const CLOSURE: usize = 16;
const RESULT: usize = 1_024;

#[derive(Clone, Copy)]
struct Memory<const RESULT: usize> {
    jobs: usize,
}

impl<const RESULT: usize> Workload for Memory<RESULT> {
    fn turn<C: Contestant>(self, pool: C, _: &Host) -> Vec<f64> {
        let gate = Gate::close(&pool, || ());
        let token = Arc::new(());
        let mut handles = Vec::with_capacity(self.jobs);
        let counted = Counted::during(|| {
            handles.extend((0..self.jobs).map(|i| pool.submit(sixteen_bytes::<RESULT>(i, &token))));
        });
        gate.open();
        for handle in handles {
            pollster::block_on(handle);
        }
        wait_for_all(&token);
        let each = |n: usize| as_f64(n) / as_f64(self.jobs);
        vec![each(counted.allocations), each(counted.bytes) - as_f64(CLOSURE.max(RESULT))]
    }
}

/// A pointer and a number.
fn sixteen_bytes<const RESULT: usize>(
    i: usize,
    token: &Arc<()>,
) -> impl FnOnce() -> [u8; RESULT] + Send + 'static + use<RESULT> {
    let token = Arc::clone(token);
    let job = move || {
        drop(token);
        [i.to_le_bytes()[0]; RESULT]
    };
    assert_eq!(size_of_val(&job), CLOSURE);
    job
}

pub(super) fn rows(quick: bool) -> Vec<Row> {
    let jobs = if quick { 1_000 } else { 10_000 };
    let row =
        |id: &str, entries| Row { id: id.to_owned(), first: false, figures: &["allocations", "bytes beyond"], entries };
    vec![
        row("memory", field(Memory::<8> { jobs }, Kind::Current)),
        row("memory-result", field(Memory::<RESULT> { jobs }, Kind::Current)),
    ]
}
