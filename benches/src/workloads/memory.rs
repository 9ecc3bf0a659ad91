//! What a call allocates, what a queued job holds, what is left of it when its handle has been dropped.
//!
//! Counted by the process's allocator, in bytes that were asked for; the resident set, in pages, is beside them where it is large
//! enough to say something.

use std::sync::Arc;

use super::{gate, warm_up};
use crate::args::Scale;
use crate::contestants::Contestant;
use crate::host::{Host, Kind};
use crate::memory::{Count, resident};
use crate::meter::as_f64;
use crate::row::{Figure, Row, Unit, Workload, field};

/// Calls one after the other, by a closure of sixteen bytes with a result of eight.
#[derive(Clone)]
struct Calls {
    calls: usize,
}

impl Workload for Calls {
    fn turn<C: Contestant>(&self, pool: &Arc<C>, host: &Host) -> Vec<f64> {
        warm_up(pool, host);
        let (pool, calls) = (Arc::clone(pool), self.calls);
        host.run(async move {
            let token = Arc::new(());
            Count::start();
            for i in 0..calls as u64 {
                pool.submit(sixteen_bytes(i, &token)).await;
            }
            let count = Count::stop();
            [count.allocations, count.bytes].map(|n| as_f64(n) / as_f64(calls)).into()
        })
    }
}

/// Very many jobs that wait; then their handles are dropped while all threads are still busy.
#[derive(Clone)]
struct Queued {
    jobs: usize,
}

impl Workload for Queued {
    fn turn<C: Contestant>(&self, pool: &Arc<C>, host: &Host) -> Vec<f64> {
        let open = gate::close(&**pool, host.setup().threads);
        // Filled once, so that its own pages are there before.
        let mut handles: Vec<_> = (0..self.jobs).map(|_| None).collect();
        let token = Arc::new(());
        let before = resident();
        Count::start();
        for (i, handle) in (0_u64..).zip(&mut handles) {
            *handle = Some(pool.submit(sixteen_bytes(i, &token)));
        }
        let queued = Count::now().live();
        let pages = resident() - before;
        handles.clear();
        let left = Count::stop().live();
        open();
        gate::wait_for_all(&token);
        [queued, pages, left].map(|bytes| bytes / as_f64(self.jobs)).into()
    }
}

/// A pointer and a number.
fn sixteen_bytes(i: u64, token: &Arc<()>) -> impl FnOnce() -> u64 + Send + 'static {
    let token = Arc::clone(token);
    let job = move || {
        drop(token);
        i
    };
    assert_eq!(size_of_val(&job), 16);
    job
}

pub(crate) fn rows(scale: &Scale) -> Vec<Row> {
    let calls = Calls { calls: scale.shrink(2_000, 4) };
    let queued = Queued { jobs: scale.shrink(1_000_000, 10) };
    let stands_for = format!("{} jobs of a 16-byte closure wait", queued.jobs);
    let of_calls = vec![
        Figure::as_is("allocations", "allocations per call", Unit::Count),
        Figure::as_is("bytes", "bytes allocated per call", Unit::Bytes),
    ];
    let of_queued = vec![
        Figure::as_is("bytes", "bytes per queued job", Unit::Bytes),
        Figure::as_is("resident", "resident bytes per queued job", Unit::Bytes),
        Figure::as_is("left", "bytes left per job whose handle was dropped", Unit::Bytes),
    ];
    let calls = Row::new("memory", "what a call of a 16-byte closure allocates", of_calls, move |scale| {
        field(&calls, Kind::Bare, scale.threads, scale)
    });
    let queued =
        Row::new("queued", stands_for, of_queued, move |scale| field(&queued, Kind::Bare, scale.threads, scale));
    vec![calls.few_rounds(), queued.few_rounds()]
}
