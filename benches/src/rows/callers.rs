//! So many callers, each awaiting one call after the other: the first table, with real jobs, and 1 or 256 callers with empty ones.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use crate::contestants::{Channel, Contestant};
use crate::gate::Gate;
use crate::host::{Host, Kind};
use crate::jobs::Job;
use crate::meter::{Meter, as_f64};
use crate::row::{Row, Workload, field, turn};

/// What a turn is to take with a pool of average speed: half of the 20 ms that it may take.
const TURN: Duration = Duration::from_millis(10);
/// The same in a quick run.
const QUICK_TURN: Duration = Duration::from_millis(1);

#[derive(Clone, Copy)]
pub(super) struct Callers {
    /// `None`: an empty job.
    job: Option<Job>,
    count: usize,
    kind: Kind,
    calls_each: usize,
}

impl Workload for Callers {
    fn turn<C: Contestant>(self, pool: C, host: &Host) -> Vec<f64> {
        // Every thread has started, and has its database connection if the job needs one.
        Gate::close(&pool, move || _ = black_box(self.run(0))).open();
        let pool = Arc::new(pool);
        host.run(async move {
            self.play(&pool, self.calls_each.div_ceil(10)).await;
            let meter = Meter::start();
            self.play(&pool, self.calls_each).await;
            meter.stop(self.count * self.calls_each)
        })
    }
}

impl Callers {
    #[inline]
    fn run(self, i: u64) -> u64 {
        self.job.map_or(i, |job| job.run(i))
    }

    async fn play<C: Contestant>(self, pool: &Arc<C>, calls_each: usize) {
        let call = |caller: usize| {
            let pool = Arc::clone(pool);
            tokio::spawn(async move {
                for i in 0..calls_each {
                    let i = (caller * calls_each + i) as u64;
                    black_box(pool.submit(move || self.run(i)).await);
                }
            })
        };
        let callers: Vec<_> = (0..self.count).map(call).collect();
        for caller in callers {
            caller.await.expect("no caller of a benchmark panics");
        }
    }

    pub(super) fn id(&self) -> String {
        let Self { job, count, kind, .. } = self;
        match job {
            Some(job) => format!("{}/{count}/{}", job.name(), kind.name()),
            None if *count == 1 => format!("round-trip/{}", kind.name()),
            None => format!("{count}-callers/{}", kind.name()),
        }
    }

    /// The row, with as many calls as make a turn of the right length on a peer's pool. Ours does not decide on the length of its turns.
    pub(super) fn sized(mut self, quick: bool) -> Row {
        let length = if quick { QUICK_TURN } else { TURN }.as_secs_f64() * 1e9;
        loop {
            let took = turn::<Channel>(self, self.kind)[0] * as_f64(self.count * self.calls_each);
            if took >= length / 2.0 {
                self.calls_each = scaled(self.calls_each, length / took);
                break;
            }
            self.calls_each *= 2;
        }
        let entries = field(self, self.kind);
        Row { id: self.id(), first: self.job.is_some(), figures: &["time", "cpu"], entries }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most doubled")]
fn scaled(calls: usize, factor: f64) -> usize {
    ((as_f64(calls) * factor) as usize).max(1)
}

/// All, before they are sized.
pub(super) fn all() -> Vec<Callers> {
    let real = Job::ALL.into_iter().flat_map(|job| [1, 8, 64].map(|count| (Some(job), count)));
    let all = real.chain([(None, 1), (None, 256)]);
    all.flat_map(|(job, count)| Kind::ALL.map(|kind| Callers { job, count, kind, calls_each: 1 })).collect()
}
