//! 10,000 empty jobs are submitted, then all awaited: fan-out.

use std::hint::black_box;

use crate::contestants::Contestant;
use crate::gate::Gate;
use crate::host::{Host, Kind};
use crate::meter::Meter;
use crate::row::{Row, Workload, field};

#[derive(Clone, Copy)]
struct Burst {
    jobs: usize,
}

impl Workload for Burst {
    fn turn<C: Contestant>(self, pool: C, host: &Host) -> Vec<f64> {
        Gate::close(&pool, || ()).open();
        host.run(async move {
            play(&pool, self.jobs / 10).await;
            let meter = Meter::start();
            play(&pool, self.jobs).await;
            meter.stop(self.jobs)
        })
    }
}

async fn play<C: Contestant>(pool: &C, jobs: usize) {
    let handles: Vec<_> = (0..jobs as u64).map(|i| pool.submit(move || i)).collect();
    for handle in handles {
        black_box(handle.await);
    }
}

pub(super) fn rows(quick: bool) -> Vec<Row> {
    let burst = Burst { jobs: if quick { 1_000 } else { 10_000 } };
    let row = |kind: Kind| Row {
        id: format!("burst/{}", kind.name()),
        first: false,
        figures: &["time", "cpu"],
        entries: field(burst, kind),
    };
    Kind::ALL.map(row).into()
}
