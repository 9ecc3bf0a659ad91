//! Where the callers run: a fresh tokio runtime for each turn, of the current thread or of two workers.

use tokio::runtime::{Builder, Runtime};

use crate::contestants::Setup;

/// Threads of every pool.
pub(crate) const THREADS: usize = 4;
/// Threads of the callers' runtime, where it has several.
pub(crate) const WORKERS: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Current,
    Workers,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Current, Self::Workers];

    /// The last part of a row's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Workers => "workers",
        }
    }
}

/// The callers' side of one turn.
#[derive(Debug)]
pub(crate) struct Host {
    kind: Kind,
    runtime: Runtime,
}

impl Host {
    pub(crate) fn new(kind: Kind) -> Self {
        let mut builder = match kind {
            Kind::Current => Builder::new_current_thread(),
            Kind::Workers => Builder::new_multi_thread(),
        };
        let runtime = builder.worker_threads(WORKERS).max_blocking_threads(THREADS).build();
        Self { kind, runtime: runtime.expect("the machine has room for a runtime") }
    }

    pub(crate) fn setup(&self) -> Setup {
        Setup { threads: THREADS, runtime: self.runtime.handle().clone() }
    }

    /// Runs `future` where a caller of this host would: on a worker, if there are any.
    pub(crate) fn run<F>(&self, future: F) -> F::Output
    where
        F: Future<Output: Send> + Send + 'static,
    {
        match self.kind {
            Kind::Current => self.runtime.block_on(future),
            Kind::Workers => {
                let caller = self.runtime.spawn(future);
                self.runtime.block_on(caller).expect("no caller of a benchmark panics")
            }
        }
    }
}
