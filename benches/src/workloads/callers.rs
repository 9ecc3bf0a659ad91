//! 256 callers, each awaiting one call after the other: a busy service. The floor takes part: a thread that does nothing but wake them.

use std::hint::black_box;
use std::sync::Arc;

use super::warm_up;
use crate::args::Scale;
use crate::contestants::{Contestant, Waking};
use crate::host::{Host, Kind};
use crate::meter::{Cost, Meter};
use crate::row::{Row, Workload, entry, field};

#[derive(Clone)]
pub(super) struct Callers<F> {
    pub(super) count: usize,
    pub(super) calls: usize,
    /// What each job does.
    pub(super) job: F,
}

impl<F> Workload for Callers<F>
where
    F: Fn(u64) -> u64 + Copy + Send + 'static,
{
    fn turn<C: Contestant>(&self, pool: &Arc<C>, host: &Host) -> Vec<f64> {
        warm_up(pool, host);
        let (pool, Self { count, calls, job }) = (Arc::clone(pool), self.clone());
        host.run(async move {
            let meter = Meter::start();
            let callers: Vec<_> = (0..count)
                .map(|_| {
                    let pool = Arc::clone(&pool);
                    tokio::spawn(async move {
                        for i in 0..calls as u64 {
                            black_box(pool.submit(move || job(i)).await);
                        }
                    })
                })
                .collect();
            for caller in callers {
                caller.await.expect("no caller of a benchmark panics");
            }
            meter.stop().per_call(count * calls)
        })
    }
}

pub(crate) fn rows(scale: &Scale) -> Vec<Row> {
    // A turn of 30 milliseconds or more: about ten of the scheduler's time slices. Who has which core after a pause, it takes some to settle.
    let workload = Callers { count: 256, calls: scale.shrink(600, 40), job: |i| i };
    let row = |kind: Kind| {
        let workload = workload.clone();
        let stands_for = format!("256 callers, each awaiting in a loop, {}", kind.title());
        Row::new(format!("callers/{}", kind.suffix()), stands_for, Cost::figures(), move |scale| {
            let mut entries = field(&workload, kind, scale.threads, scale);
            // On a current-thread runtime it is no floor: there, to wake callers a few at a time takes less.
            if kind == Kind::Workers {
                entries.push(entry::<Waking<400>>(&workload, kind, scale.threads, scale));
            }
            entries
        })
    };
    vec![row(Kind::CurrentThread), row(Kind::Workers)]
}
