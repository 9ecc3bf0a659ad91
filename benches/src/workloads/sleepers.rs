//! 10,000 jobs that sleep 5 ms on 64 threads: blocking I/O. What counts is the time beyond the ideal.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::warm_up;
use crate::args::Scale;
use crate::contestants::Contestant;
use crate::host::{Host, Kind};
use crate::meter::{as_f64, per};
use crate::row::{Figure, Row, Unit, Workload, field};

const THREADS: usize = 64;
const SLEEP: Duration = Duration::from_millis(5);

#[derive(Clone)]
struct Sleepers {
    jobs: usize,
}

impl Workload for Sleepers {
    fn turn<C: Contestant>(&self, pool: &Arc<C>, host: &Host) -> Vec<f64> {
        warm_up(pool, host);
        let (pool, jobs) = (Arc::clone(pool), self.jobs);
        let ideal = SLEEP.mul_f64(as_f64(jobs.div_ceil(THREADS)));
        host.run(async move {
            let begun = Instant::now();
            let handles: Vec<_> = (0..jobs).map(|_| pool.submit(|| thread::sleep(SLEEP))).collect();
            for handle in handles {
                handle.await;
            }
            let time = begun.elapsed();
            vec![time.as_secs_f64() / ideal.as_secs_f64(), per(time.saturating_sub(ideal), jobs)]
        })
    }
}

pub(crate) fn rows(scale: &Scale) -> Vec<Row> {
    let workload = Sleepers { jobs: scale.shrink(10_000, 10) };
    let stands_for = format!("{} jobs that sleep 5 ms on {THREADS} threads, current-thread runtime", workload.jobs);
    let figures = vec![
        Figure::ratio("time", "time over the ideal", Unit::Count),
        Figure::ratio("excess", "time beyond the ideal, per job", Unit::Nanoseconds),
    ];
    vec![Row::new("sleepers", stands_for, figures, move |scale| field(&workload, Kind::CurrentThread, THREADS, scale))]
}
