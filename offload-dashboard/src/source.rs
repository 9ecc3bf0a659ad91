//! What is watched: an executor under a name.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Instant;

#[cfg(feature = "process")]
use offload_runtime::process::ProcessPool;
#[cfg(feature = "remote")]
use offload_runtime::remote::RemoteMetrics;
use offload_runtime::{Executor as _, Limited, RunningJob, StatefulPool, ThreadPool};

use crate::reading::{Executor, Kind};

/// Executors under one name.
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) purpose: String,
    read: Box<dyn Fn() -> Executor + Send + Sync>,
    /// The jobs that can be cancelled.
    running: Box<dyn Fn() -> Vec<RunningJob> + Send + Sync>,
    is_closed: Box<dyn Fn() -> bool + Send + Sync>,
    /// When it was first seen closed.
    closed: Mutex<Option<Instant>>,
}

impl Source {
    fn new(name: String, read: impl Fn() -> Executor + Send + Sync + 'static) -> Self {
        Self {
            name,
            purpose: String::new(),
            read: Box::new(read),
            running: Box::new(Vec::new),
            is_closed: Box::new(|| false),
            closed: Mutex::new(None),
        }
    }

    pub(crate) fn threads(name: String, pool: &ThreadPool) -> Self {
        let (of_running, of_closed, pool) = (pool.clone(), pool.clone(), pool.clone());
        Self {
            running: Box::new(move || of_running.running_jobs()),
            is_closed: Box::new(move || of_closed.is_closed()),
            ..Self::new(name, move || Executor::of_threads(&pool.metrics(), &pool.running_jobs()))
        }
    }

    pub(crate) fn stateful<S: 'static>(name: String, pool: &StatefulPool<S>) -> Self {
        let (of_running, of_closed, pool) = (pool.clone(), pool.clone(), pool.clone());
        Self {
            running: Box::new(move || of_running.running_jobs()),
            is_closed: Box::new(move || of_closed.is_closed()),
            ..Self::new(name, move || Executor::of_states(&pool.metrics(), &pool.running_jobs()))
        }
    }

    pub(crate) fn view<E: offload_runtime::Executor + 'static>(name: String, view: &Limited<E>) -> Self {
        let (of_closed, view) = (view.clone(), view.clone());
        Self {
            is_closed: Box::new(move || of_closed.is_closed()),
            ..Self::new(name, move || Executor::of_view(&view.metrics()))
        }
    }

    #[cfg(feature = "process")]
    pub(crate) fn processes(name: String, pool: &ProcessPool) -> Self {
        let (of_closed, pool) = (pool.clone(), pool.clone());
        Self {
            is_closed: Box::new(move || of_closed.is_closed()),
            ..Self::new(name, move || Executor::of_processes(&pool))
        }
    }

    #[cfg(feature = "remote")]
    pub(crate) fn remote(name: String, metrics: impl Fn() -> RemoteMetrics + Send + Sync + 'static) -> Self {
        Self::new(name, move || Executor::of_remote(&metrics()))
    }

    pub(crate) fn inline(name: String) -> Self {
        Self::new(name, || Executor { kind: Kind::Inline, ..Executor::default() })
    }

    pub(crate) fn read(&self) -> Executor {
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        if closed.is_none() && (self.is_closed)() {
            *closed = Some(Instant::now());
        }
        let closed_s = closed.map(|since| since.elapsed().as_secs());
        drop(closed);
        Executor { name: self.name.clone(), purpose: self.purpose.clone(), closed_s, ..(self.read)() }
    }

    /// Cancels the job of that `number` on that `thread`. Returns whether it was running.
    pub(crate) fn cancel(&self, thread: &str, number: u64) -> bool {
        let jobs = (self.running)();
        jobs.iter().any(|job| job.thread_name() == thread && job.number() == number && job.cancel())
    }
}
