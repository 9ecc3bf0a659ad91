//! What is seen of the executors at one moment, and how it goes to a page as JSON. Durations are milliseconds.
//!
//! A [`Reading`] is all there is to see, a [`Point`] the few figures of it that are kept for the charts. Each [`Kind`] of executor fills the same fields.

use std::time::Duration;

#[cfg(feature = "process")]
use offload_runtime::process::ProcessPool;
#[cfg(feature = "remote")]
use offload_runtime::remote::RemoteMetrics;
use offload_runtime::{LimitedMetrics, PanicRecord, PoolMetrics, RunningJob, SiteMetrics};
use serde::Serialize;

use crate::times::{History, Key, Times, Windows, milliseconds};

/// Everything that is to be seen at one moment.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Reading {
    /// Seconds since the page's routes were made.
    pub(crate) at: f64,
    /// By how much the runtime's own timer was late: what blocks the runtime shows here.
    pub(crate) late_ms: f64,
    pub(crate) cores: usize,
    pub(crate) may_cancel: bool,
    pub(crate) metrics: Option<String>,
    pub(crate) executors: Vec<Executor>,
}

/// What an executor runs its jobs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    #[default]
    Threads,
    View,
    #[cfg(feature = "process")]
    Processes,
    #[cfg(feature = "remote")]
    Remote,
    Inline,
}

/// One executor.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Executor {
    pub(crate) name: String,
    pub(crate) purpose: String,
    pub(crate) kind: Kind,
    /// For how many seconds it has been closed.
    pub(crate) closed_s: Option<u64>,
    pub(crate) max_threads: usize,
    pub(crate) queue_capacity: Option<usize>,
    pub(crate) threads: usize,
    pub(crate) peak_threads: usize,
    pub(crate) peak_queued: usize,
    pub(crate) oldest_wait_ms: Option<f64>,
    /// How many of its threads were ready to run and had no core, on average since the reading before. `None` where the system does not tell.
    pub(crate) waiting_for_core: Option<f64>,
    pub(crate) running: u64,
    pub(crate) queued: u64,
    pub(crate) completed: u64,
    pub(crate) failed: u64,
    pub(crate) panicked: u64,
    pub(crate) cancelled: u64,
    pub(crate) cancelled_before_start: u64,
    pub(crate) refused: u64,
    pub(crate) abandoned: u64,
    pub(crate) jobs: Vec<Running>,
    pub(crate) methods: Vec<Method>,
    pub(crate) panics: Vec<Failure>,
    /// Why workers were replaced, and how often. Empty where they are threads.
    pub(crate) restarts: Vec<(&'static str, u64)>,
    /// Of a pool whose threads own one.
    pub(crate) states: Option<States>,
    /// The names of its threads begin with this.
    #[serde(skip)]
    pub(crate) thread_name: Option<String>,
}

/// How often a pool has opened what its threads own.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct States {
    open: u64,
    opened: u64,
    failed: u64,
}

/// A job that runs.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Running {
    site: String,
    thread: String,
    /// By which it is cancelled, with the thread.
    number: Option<u64>,
    /// For how long it has been.
    ms: f64,
    cancelled: bool,
}

/// All jobs of one method, since the executor was made.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Method {
    site: String,
    queued: u64,
    running: u64,
    completed: u64,
    failed: u64,
    panicked: u64,
    cancelled: u64,
    refused: u64,
    abandoned: u64,
    /// That its streams have yielded.
    items: u64,
    wait: Windows,
    run: Windows,
    #[serde(skip)]
    times: [Times; 2],
}

/// A panic.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Failure {
    site: String,
    message: Option<String>,
    thread: Option<String>,
    ago_s: u64,
}

/// What is kept of a [`Reading`]: the totals among it are differences once the page has two of them.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Point {
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
    failed: u64,
}

/// Fills in the quantiles of the methods' times, and keeps the times for those to come.
pub(crate) fn fill(executors: &mut [Executor], now: Duration, history: &mut History) {
    let key = |index: usize, method: &Method| -> Key { (index, method.site.clone()) };
    for (index, executor) in executors.iter_mut().enumerate() {
        for method in &mut executor.methods {
            [method.wait, method.run] = history.windows(&key(index, method), &method.times);
        }
    }
    let methods = executors.iter().enumerate().flat_map(|(index, executor)| {
        executor.methods.iter().map(move |method| (key(index, method), method.times.clone()))
    });
    history.keep(now, methods);
}

impl Reading {
    pub(crate) fn point(&self) -> Point {
        let point = |executor: &Executor| ExecutorPoint {
            queued: executor.queued,
            running: executor.running,
            done: executor.completed,
            refused: executor.refused,
            failed: executor.failed + executor.panicked,
        };
        Point { at: self.at, late_ms: self.late_ms, executors: self.executors.iter().map(point).collect() }
    }
}

/// The counts that all kinds have alike.
macro_rules! with_counts {
    ($executor:expr, $metrics:expr) => {{
        let (executor, metrics): (Executor, _) = ($executor, $metrics);
        Executor {
            running: metrics.running(),
            queued: metrics.queued(),
            completed: metrics.completed(),
            panicked: metrics.panicked(),
            cancelled: metrics.cancelled(),
            refused: metrics.refused(),
            failed: metrics.by_site().iter().map(SiteMetrics::failed).sum(),
            abandoned: metrics.by_site().iter().map(SiteMetrics::abandoned).sum(),
            cancelled_before_start: metrics.by_site().iter().map(SiteMetrics::cancelled_before_start).sum(),
            methods: metrics.by_site().iter().map(Method::read).collect(),
            ..executor
        }
    }};
}

impl Executor {
    pub(crate) fn of_threads(metrics: &PoolMetrics, jobs: &[RunningJob]) -> Self {
        let mut jobs: Vec<Running> = jobs.iter().map(Running::read).collect();
        jobs.sort_by(|a, b| (a.thread.len(), &a.thread).cmp(&(b.thread.len(), &b.thread)));
        let executor = Self {
            max_threads: metrics.max_threads(),
            queue_capacity: metrics.queue_capacity(),
            threads: metrics.threads(),
            peak_threads: metrics.peak_threads(),
            peak_queued: metrics.peak_queued(),
            oldest_wait_ms: metrics.oldest_wait().map(milliseconds),
            panics: metrics.recent_panics().iter().map(Failure::read).collect(),
            thread_name: Some(metrics.name().to_owned()),
            jobs,
            ..Self::default()
        };
        with_counts!(executor, metrics)
    }

    pub(crate) fn of_states(metrics: &PoolMetrics, jobs: &[RunningJob]) -> Self {
        let (open, opened, failed) = (metrics.states_open(), metrics.states_opened(), metrics.states_failed());
        Self { states: Some(States { open, opened, failed }), ..Self::of_threads(metrics, jobs) }
    }

    #[cfg(feature = "remote")]
    pub(crate) fn of_remote(metrics: &RemoteMetrics) -> Self {
        let panics = metrics.recent_panics().iter().map(Failure::read).collect();
        with_counts!(Self { kind: Kind::Remote, panics, ..Self::default() }, metrics)
    }

    pub(crate) fn of_view(metrics: &LimitedMetrics) -> Self {
        let executor = Self {
            kind: Kind::View,
            max_threads: metrics.limit(),
            threads: usize::try_from(metrics.running()).unwrap_or(usize::MAX),
            peak_queued: metrics.peak_queued(),
            oldest_wait_ms: metrics.oldest_wait().map(milliseconds),
            panics: metrics.recent_panics().iter().map(Failure::read).collect(),
            ..Self::default()
        };
        with_counts!(executor, metrics)
    }

    #[cfg(feature = "process")]
    pub(crate) fn of_processes(pool: &ProcessPool) -> Self {
        let metrics = pool.metrics();
        let jobs = pool.running_jobs();
        let jobs = jobs.iter().map(|job| Running {
            site: job.site().to_string(),
            thread: format!("process {}", job.process_id()),
            number: None,
            ms: milliseconds(job.elapsed()),
            cancelled: job.is_cancelled(),
        });
        let executor = Self {
            kind: Kind::Processes,
            max_threads: metrics.max_workers(),
            threads: metrics.workers().len(),
            peak_threads: metrics.peak_workers(),
            peak_queued: metrics.peak_queued(),
            restarts: metrics.restarts().collect(),
            jobs: jobs.collect(),
            ..Self::default()
        };
        with_counts!(executor, &metrics)
    }
}

impl Running {
    fn read(job: &RunningJob) -> Self {
        Self {
            site: job.site().to_string(),
            thread: job.thread_name().to_owned(),
            number: Some(job.number()),
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
            failed: metrics.failed(),
            panicked: metrics.panicked(),
            cancelled: metrics.cancelled(),
            refused: metrics.refused(),
            abandoned: metrics.abandoned(),
            items: metrics.items(),
            wait: Windows::default(),
            run: Windows::default(),
            times: [metrics.wait(), metrics.run()].map(Times::of),
        }
    }
}

impl Failure {
    fn read(panic: &PanicRecord) -> Self {
        Self {
            site: panic.site().to_string(),
            message: panic.message().map(str::to_owned),
            thread: panic.thread_name().map(str::to_owned),
            ago_s: panic.age().as_secs(),
        }
    }
}
