//! Ours, and ours without times: what a look at the clock for each job costs, which no peer takes.

use offload_runtime::{ExecutorExt, ThreadPool};

use super::{Contestant, Setup, Unwrapped};

#[derive(Debug)]
pub(crate) struct Offload(ThreadPool);

impl Contestant for Offload {
    const NAME: &'static str = "offload";

    fn start(setup: &Setup) -> Self {
        Self(ThreadPool::new(setup.threads))
    }

    #[inline]
    fn submit<F, T>(&self, f: F) -> impl Future<Output = T> + Send + 'static
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Unwrapped(self.0.submit(f))
    }
}

/// Ours where the builder was told to keep no times.
#[derive(Debug)]
pub(crate) struct Untimed(ThreadPool);

impl Contestant for Untimed {
    const NAME: &'static str = "offload untimed";

    fn start(setup: &Setup) -> Self {
        Self(ThreadPool::builder().max_threads(setup.threads).timing(false).build())
    }

    #[inline]
    fn submit<F, T>(&self, f: F) -> impl Future<Output = T> + Send + 'static
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Unwrapped(self.0.submit(f))
    }
}
