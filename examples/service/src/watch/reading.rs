//! What is seen of the executors at one moment, and how it goes to a page as JSON.
//!
//! A [`Reading`] is all there is to see, a [`Point`] the few figures of it that are kept for the charts. Durations are milliseconds.

use std::time::Duration;

use offload_runtime::{Histogram, RunningJob, SiteMetrics, ThreadPool};
use serde::Serialize;

use super::Watched;

/// Everything that is to be seen at one moment.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Reading {
    /// Seconds since the service was started.
    pub(super) at: f64,
    /// By how much the runtime's own timer was late: what blocks the runtime shows here.
    pub(super) late_ms: f64,
    pub(super) cores: usize,
    pub(super) executors: Vec<Executor>,
}

/// One executor. All zero where its jobs run inline.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Executor {
    name: &'static str,
    purpose: &'static str,
    inline: bool,
    max_threads: usize,
    queue_capacity: Option<usize>,
    threads: usize,
    running: u64,
    queued: u64,
    completed: u64,
    panicked: u64,
    cancelled: u64,
    cancelled_before_start: u64,
    refused: u64,
    jobs: Vec<Running>,
    methods: Vec<Method>,
}

/// A job that runs.
#[derive(Clone, Debug, Serialize)]
struct Running {
    site: String,
    thread: String,
    /// For how long it has been.
    ms: f64,
    /// Nobody waits for it any more.
    cancelled: bool,
}

/// All jobs of one method, since the service was started.
#[derive(Clone, Debug, Serialize)]
struct Method {
    site: String,
    queued: u64,
    running: u64,
    completed: u64,
    panicked: u64,
    cancelled: u64,
    refused: u64,
    wait: Quantiles,
    run: Quantiles,
}

#[derive(Clone, Debug, Serialize)]
struct Quantiles {
    count: u64,
    p50: Option<f64>,
    p90: Option<f64>,
    p99: Option<f64>,
    max: Option<f64>,
}

/// What is kept of a [`Reading`]: the totals among it are differences once the page has two of them.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Point {
    at: f64,
    late_ms: f64,
    executors: Vec<ExecutorPoint>,
}

#[derive(Clone, Debug, Serialize)]
struct ExecutorPoint {
    queued: u64,
    running: u64,
    done: u64,
    refused: u64,
}

impl Reading {
    pub(super) fn take(executors: &[Watched], at: Duration, late: Duration) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, Into::into);
        let executors = executors.iter().map(Executor::read).collect();
        Self { at: (at.as_secs_f64() * 1e3).round() / 1e3, late_ms: milliseconds(late), cores, executors }
    }

    pub(super) fn point(&self) -> Point {
        let point = |executor: &Executor| {
            let Executor { queued, running, completed: done, refused, .. } = *executor;
            ExecutorPoint { queued, running, done, refused }
        };
        Point { at: self.at, late_ms: self.late_ms, executors: self.executors.iter().map(point).collect() }
    }
}

impl Executor {
    fn read(watched: &Watched) -> Self {
        let Watched { name, purpose, pool } = watched;
        let named = Self { name, purpose, inline: pool.is_none(), ..Self::default() };
        match pool {
            Some(pool) => named.with_figures_of(pool),
            None => named,
        }
    }

    fn with_figures_of(self, pool: &ThreadPool) -> Self {
        let metrics = pool.metrics();
        let mut jobs: Vec<Running> = pool.running_jobs().iter().map(Running::read).collect();
        jobs.sort_by(|a, b| (a.thread.len(), &a.thread).cmp(&(b.thread.len(), &b.thread)));
        Self {
            max_threads: metrics.max_threads(),
            queue_capacity: metrics.queue_capacity(),
            threads: metrics.threads(),
            running: metrics.running(),
            queued: metrics.queued(),
            completed: metrics.completed(),
            panicked: metrics.panicked(),
            cancelled: metrics.cancelled(),
            cancelled_before_start: metrics.cancelled_before_start(),
            refused: metrics.refused(),
            jobs,
            methods: metrics.by_site().iter().map(Method::read).collect(),
            ..self
        }
    }
}

impl Running {
    fn read(job: &RunningJob) -> Self {
        Self {
            site: job.site().to_string(),
            thread: job.thread_name().to_owned(),
            ms: milliseconds(job.elapsed()),
            cancelled: job.is_cancelled(),
        }
    }
}

impl Method {
    fn read(metrics: &SiteMetrics) -> Self {
        Self {
            site: metrics.site().to_string(),
            queued: metrics.queued(),
            running: metrics.running(),
            completed: metrics.completed(),
            panicked: metrics.panicked(),
            cancelled: metrics.cancelled(),
            refused: metrics.refused(),
            wait: Quantiles::read(metrics.wait()),
            run: Quantiles::read(metrics.run()),
        }
    }
}

impl Quantiles {
    fn read(times: &Histogram) -> Self {
        let at = |quantile| times.quantile(quantile).map(milliseconds);
        Self { count: times.count(), p50: at(0.5), p90: at(0.9), p99: at(0.99), max: times.max().map(milliseconds) }
    }
}

/// To a tenth of a microsecond: what lies below is noise, and digits to send.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e7).round() / 1e4
}
