//! What a pool is doing: its metrics, and the jobs that run and wait.

use super::current::Worker;
use super::running::RunningJob;
use super::state::Pool;
use crate::job::Queue;
use crate::metrics::{PoolMetrics, StateFigures};
use crate::sync::Arc;

/// The jobs that these workers run.
pub(super) fn jobs_of(workers: &[Arc<Worker>]) -> Vec<RunningJob> {
    workers.iter().filter_map(|worker| Some(RunningJob::of(&worker.shown.see()?, worker))).collect()
}

/// What the pool is doing at this moment.
pub(super) fn metrics(queue: &Arc<Queue<Pool>>) -> PoolMetrics {
    let Pool { config, accounts, .. } = &queue.shared;
    let mut state = queue.lock();
    let (max_threads, threads, running) = (state.max_threads, state.threads, state.running());
    let (peak_threads, peak_running, peak_queued) = (state.peak_threads, state.peak_running, state.peak());
    let oldest_wait = state.oldest_wait();
    state.finish();
    let (figures, by_site) = accounts.sites.read();
    PoolMetrics {
        name: Arc::clone(&config.name),
        max_threads,
        queue_capacity: accounts.capacity(),
        threads,
        idle: threads - running,
        peak_threads,
        peak_running,
        peak_queued,
        oldest_wait,
        states: StateFigures::default(),
        figures,
        sites: by_site,
        panics: accounts.sites.recent_panics(),
    }
}
