//! What a stretch of work costs: time, CPU time of the whole process, context switches of all its threads.

use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::time::{ClockId, clock_gettime};

use crate::row::{Figure, Unit};
use crate::stats;

/// A stretch that has begun.
#[derive(Debug)]
pub(crate) struct Meter {
    begun: Instant,
    cpu: Duration,
    switches: i64,
}

/// What it cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) time: Duration,
    pub(crate) cpu: Duration,
    pub(crate) switches: i64,
}

impl Meter {
    pub(crate) fn start() -> Self {
        let (cpu, switches) = (cpu_time(), context_switches());
        Self { begun: Instant::now(), cpu, switches }
    }

    pub(crate) fn stop(self) -> Cost {
        let time = self.begun.elapsed();
        Cost { time, cpu: cpu_time().saturating_sub(self.cpu), switches: context_switches() - self.switches }
    }
}

impl Cost {
    /// The figures of `per_call`.
    pub(crate) fn figures() -> Vec<Figure> {
        vec![
            Figure::ratio("time", "time per call", Unit::Nanoseconds),
            Figure::ratio("cpu", "CPU per call", Unit::Nanoseconds),
            Figure::ratio("switches", "context switches per call", Unit::Count),
        ]
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of context switches are small")]
    pub(crate) fn per_call(self, calls: usize) -> Vec<f64> {
        vec![per(self.time, calls), per(self.cpu, calls), self.switches as f64 / as_f64(calls)]
    }
}

/// Nanoseconds of `time` for each of `n`.
pub(crate) fn per(time: Duration, n: usize) -> f64 {
    time.as_secs_f64() * 1e9 / as_f64(n)
}

#[expect(clippy::cast_precision_loss, reason = "no count in here is beyond 2^53")]
pub(crate) fn as_f64(n: usize) -> f64 {
    n as f64
}

/// What the clock can tell of times that are not much longer than a look at it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// What two looks take, in nanoseconds, in the median.
    pub(crate) look: f64,
    /// By how much it goes on at a time, in nanoseconds. On a virtual machine that may be 10, a quarter of what is measured.
    step: f64,
}

impl Clock {
    pub(crate) fn measure() -> Self {
        let mut looks = [(); 10_001].map(|()| {
            let begun = Instant::now();
            per(begun.elapsed(), 1)
        });
        looks.sort_unstable_by(f64::total_cmp);
        // Without those that were interrupted.
        let step = stats::step(&looks[..9_000]);
        Self { look: stats::quantile_of_steps(&looks, step, 0.5), step }
    }

    /// The value below which a share `q` of the sorted `times` lies that it took, without the look itself. At least a nanosecond: nothing takes
    /// less, and a figure of zero could not be compared.
    pub(crate) fn quantile(&self, times: &[f64], q: f64) -> f64 {
        (stats::quantile_of_steps(times, self.step, q) - self.look).max(1.0)
    }
}

/// Of all threads of the process, those that have ended included.
fn cpu_time() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).expect("every process has this clock").into()
}

/// Of all processes that this one has started and that have ended.
pub(crate) fn children_cpu_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("every process may ask for its children's usage");
    let [user, system] = [usage.user_time(), usage.system_time()].map(|time| {
        let microseconds = time.tv_sec() * 1_000_000 + time.tv_usec();
        Duration::from_micros(u64::try_from(microseconds).unwrap_or(0))
    });
    user + system
}

/// Voluntary and not, of all threads of the process.
fn context_switches() -> i64 {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("every process may ask for its own usage");
    usage.voluntary_context_switches() + usage.involuntary_context_switches()
}
