//! Where the callers run: a current-thread runtime, one with several workers, or a bare `block_on`.

use tokio::runtime::{Builder, Runtime};

use crate::args::Scale;
use crate::contestants::Setup;
use crate::place::Place;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    CurrentThread,
    Workers,
    /// No runtime: one future, one thread, one waker.
    Bare,
}

impl Kind {
    /// The last part of a row's name.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::CurrentThread => "current",
            Self::Workers => "workers",
            Self::Bare => "bare",
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::CurrentThread => "current-thread runtime",
            Self::Workers => "multi-thread runtime",
            Self::Bare => "bare `block_on`",
        }
    }
}

/// The callers' side of one contestant in one row.
#[derive(Debug)]
pub(crate) struct Host {
    kind: Kind,
    threads: usize,
    /// Where its workers are, and the threads of its pool are to be.
    pub(crate) place: Option<Place>,
    /// On a bare `block_on` it only lends its blocking pool to `spawn_blocking`.
    runtime: Runtime,
}

impl Host {
    /// A host for pools of `threads` threads.
    pub(crate) fn new(kind: Kind, threads: usize, scale: &Scale) -> Self {
        let mut builder = match kind {
            Kind::CurrentThread | Kind::Bare => Builder::new_current_thread(),
            Kind::Workers => Builder::new_multi_thread(),
        };
        builder.worker_threads(scale.workers).max_blocking_threads(threads);
        let place = scale.place.clone().filter(|_| kind == Kind::Workers);
        if let Some(place) = &place {
            builder.on_thread_start(place.worker_hook());
        }
        let runtime = builder.build().expect("the machine has room for a runtime");
        Self { kind, threads, place, runtime }
    }

    pub(crate) fn setup(&self) -> Setup {
        Setup { threads: self.threads, runtime: self.runtime.handle().clone() }
    }

    /// Runs `future` where a caller of this host would: on a worker, if there are any.
    pub(crate) fn run<F>(&self, future: F) -> F::Output
    where
        F: Future<Output: Send> + Send + 'static,
    {
        match self.kind {
            Kind::CurrentThread => self.runtime.block_on(future),
            Kind::Workers => {
                let caller = self.runtime.spawn(future);
                self.runtime.block_on(caller).expect("no caller of a benchmark panics")
            }
            Kind::Bare => pollster::block_on(future),
        }
    }
}
