//! One of the service's executors: [`Pool`], a pool of threads or, for comparison, none at all.
//!
//! A service without `--inline` in mind has fields of type `ThreadPool` and no such file.

use std::time::Duration;

use offload_runtime::{Executor, Inline, Job, StillRunning, ThreadPool};

use crate::config::PoolSize;

/// An executor of the service.
#[derive(Clone, Debug)]
pub enum Pool {
    /// Threads of its own behind a bounded queue.
    Threads(ThreadPool),
    /// The thread that calls: the async runtime's, which has nothing else to do meanwhile but waits for this.
    Inline,
}

impl Pool {
    /// `begin` is what each thread does first.
    pub(crate) fn new(name: &str, size: PoolSize, inline: bool, begin: fn()) -> Self {
        if inline {
            return Self::Inline;
        }
        let pool = ThreadPool::builder().thread_name(name).max_threads(size.threads).queue_capacity(size.queue);
        Self::Threads(pool.on_thread_start(begin).build())
    }

    /// The threads, if it has any.
    #[must_use]
    pub fn threads(&self) -> Option<&ThreadPool> {
        match self {
            Self::Threads(pool) => Some(pool),
            Self::Inline => None,
        }
    }

    /// Takes no more jobs; resolves when those it has are done.
    pub(crate) async fn drain(&self) {
        if let Self::Threads(pool) = self {
            pool.shutdown().await;
        }
    }

    /// Tells what waits and what runs, if anything; then refuses the one, and asks the other to end.
    pub(crate) fn give_up(&self) -> Option<StillRunning> {
        let pool = self.threads()?;
        let left = pool.shutdown().wait_timeout(Duration::ZERO).err();
        // The caller has left.
        drop(pool.shutdown_now());
        // Threads that have nothing to do may take a moment to leave.
        left.filter(|left| !left.running().is_empty() || left.queued() > 0)
    }
}

impl Executor for Pool {
    fn execute(&self, job: Job) {
        match self {
            Self::Threads(pool) => pool.execute(job),
            Self::Inline => Inline.execute(job),
        }
    }

    fn is_closed(&self) -> bool {
        self.threads().is_some_and(Executor::is_closed)
    }
}

/// Makes the current thread give way to others that have something to do.
///
/// What computes has as many threads as there are cores. With this, the threads that answer requests do not have to wait for their turn
/// among them: a few milliseconds each time, of which an answer takes several.
pub(crate) fn give_way() {
    // On Linux a thread has a niceness of its own; elsewhere this would be the whole process.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(10) {
        tracing::warn!(%error, "a thread keeps its priority");
    }
}
