//! 100,000 jobs are queued, and their clients hang up: the handles are dropped before anything has run.
//!
//! What counts is those who are still there: `served` is the time from the hang-up until a call made after it is answered. Most peers
//! drop a handle at once, and then run, or at least dequeue and free, all that nobody waits for; ours frees each job as its
//! handle is dropped. `drop` shows that part alone, `growth` that it does not get dearer the more jobs there are.
//! Each job holds a clone of one `Arc`, as the job of a method holds its service.

use std::sync::Arc;
use std::time::Instant;

use super::gate;
use crate::args::Scale;
use crate::contestants::Contestant;
use crate::host::{Host, Kind};
use crate::meter::per;
use crate::row::{Figure, Row, Unit, Workload, field};

#[derive(Clone)]
struct HangUp {
    jobs: usize,
}

impl Workload for HangUp {
    fn turn<C: Contestant>(&self, pool: &Arc<C>, host: &Host) -> Vec<f64> {
        let (few, _) = hang_up(pool, host, self.jobs / 10);
        let (many, served) = hang_up(pool, host, self.jobs);
        vec![served, many, many / few]
    }
}

/// Nanoseconds to drop a handle, and until the next call is served, for each handle dropped.
fn hang_up<C: Contestant>(pool: &Arc<C>, host: &Host, jobs: usize) -> (f64, f64) {
    let open = gate::close(&**pool, host.setup().threads);
    let token = Arc::new(());
    let submit = |_| {
        let token = Arc::clone(&token);
        pool.submit(move || drop(token))
    };
    let handles: Vec<_> = (0..jobs).map(submit).collect();
    let begun = Instant::now();
    drop(handles);
    let dropped = begun.elapsed();
    let next = pool.submit(|| ());
    open();
    pollster::block_on(next);
    let served = begun.elapsed();
    gate::wait_for_all(&token);
    (per(dropped, jobs), per(served, jobs))
}

pub(crate) fn rows(scale: &Scale) -> Vec<Row> {
    let workload = HangUp { jobs: scale.shrink(100_000, 10) };
    let stands_for = format!("{} queued, handles dropped", workload.jobs);
    let figures = vec![
        Figure::ratio("served", "until the next call is served, per handle", Unit::Nanoseconds),
        Figure::ratio("drop", "time to drop a handle", Unit::Nanoseconds),
        Figure::as_is("growth", "drop of one among all, over one among a tenth", Unit::Count),
    ];
    vec![Row::new("hang-up", stands_for, figures, move |scale| field(&workload, Kind::Bare, scale.threads, scale))]
}
