//! Executors of known sizes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use offload_runtime::{Executor, Job, ThreadPoolBuilder};

/// A tokio runtime with one worker and at most `n` threads for blocking.
///
/// # Panics
/// If the system gives it no thread.
#[must_use]
pub fn tokio_runtime(n: usize) -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).max_blocking_threads(n).enable_all().build().unwrap()
}

/// A rayon pool with `n` threads.
///
/// # Panics
/// If the system gives it no thread.
#[must_use]
pub fn rayon_pool(n: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap()
}

/// Counts the threads of a pool by its hooks.
#[derive(Clone, Debug, Default)]
pub struct Started {
    begun: Arc<AtomicUsize>,
    gone: Arc<AtomicUsize>,
}

impl Started {
    /// The builder with hooks that count.
    pub fn watch(&self, builder: ThreadPoolBuilder) -> ThreadPoolBuilder {
        let Self { begun, gone } = self.clone();
        builder
            .on_thread_start(move || {
                begun.fetch_add(1, Ordering::SeqCst);
            })
            .on_thread_stop(move || {
                gone.fetch_add(1, Ordering::SeqCst);
            })
    }

    /// How many threads have been started, in all.
    #[must_use]
    pub fn in_all(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    /// How many of them have not gone.
    #[must_use]
    pub fn alive(&self) -> usize {
        // `gone` first: a thread has begun before it goes, so the difference is never negative.
        let gone = self.gone.load(Ordering::SeqCst);
        self.in_all() - gone
    }
}

/// An executor that keeps its jobs until a test takes them out, or until it is dropped: handles get no help from it.
#[derive(Debug, Default)]
pub struct Keeping(pub Mutex<Vec<Job>>);

impl Executor for Keeping {
    fn execute(&self, job: Job) {
        self.0.lock().unwrap().push(job);
    }
}
