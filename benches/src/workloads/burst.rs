//! 50,000 submits, then all awaited: fan-out. Again and again, as a turn of one burst would be over before it is settled who has which core.

use std::hint::black_box;
use std::sync::Arc;

use super::warm_up;
use crate::args::Scale;
use crate::contestants::Contestant;
use crate::host::{Host, Kind};
use crate::meter::{Cost, Meter};
use crate::row::{Row, Workload, field};

#[derive(Clone)]
struct Burst {
    jobs: usize,
    bursts: usize,
}

impl Workload for Burst {
    fn turn<C: Contestant>(&self, pool: &Arc<C>, host: &Host) -> Vec<f64> {
        warm_up(pool, host);
        let (pool, Self { jobs, bursts }) = (Arc::clone(pool), self.clone());
        host.run(async move {
            let mut handles = Vec::with_capacity(jobs);
            let meter = Meter::start();
            for _ in 0..bursts {
                handles.extend((0..jobs as u64).map(|i| pool.submit(move || i)));
                for handle in handles.drain(..) {
                    black_box(handle.await);
                }
            }
            meter.stop().per_call(bursts * jobs)
        })
    }
}

pub(crate) fn rows(scale: &Scale) -> Vec<Row> {
    let workload = Burst { jobs: scale.shrink(50_000, 5), bursts: scale.shrink(8, 8) };
    let row = |kind: Kind| {
        let workload = workload.clone();
        let stands_for = format!("bursts of {} submits, then all awaited, {}", workload.jobs, kind.title());
        Row::new(format!("burst/{}", kind.suffix()), stands_for, Cost::figures(), move |scale| {
            field(&workload, kind, scale.threads, scale)
        })
    };
    vec![row(Kind::CurrentThread), row(Kind::Workers)]
}
