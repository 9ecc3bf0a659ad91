//! What a stretch of work costs: time, and CPU time (user and system) of the whole process.

use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

/// A stretch that has begun.
#[derive(Debug)]
pub(crate) struct Meter {
    begun: Instant,
    cpu: Duration,
}

impl Meter {
    pub(crate) fn start() -> Self {
        Self { cpu: cpu_time(), begun: Instant::now() }
    }

    /// Nanoseconds of time and of CPU time for each of `calls`.
    pub(crate) fn stop(self, calls: usize) -> Vec<f64> {
        let time = self.begun.elapsed();
        vec![per(time, calls), per(cpu_time().saturating_sub(self.cpu), calls)]
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

/// The CPU time of all threads of the process, including ended ones.
fn cpu_time() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).expect("every process has this clock").into()
}
