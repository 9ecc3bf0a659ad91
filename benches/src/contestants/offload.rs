//! Ours.

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
