//! Ours, and ours without times: what a look at the clock for each job costs, which no peer takes.

use offload_runtime::{ExecutorExt, ThreadPool};

use super::{Contestant, Setup, Unwrapped};

#[derive(Debug)]
pub(crate) struct Ours<const TIMING: bool>(ThreadPool);

pub(crate) type Offload = Ours<true>;
pub(crate) type Untimed = Ours<false>;

impl<const TIMING: bool> Contestant for Ours<TIMING> {
    const NAME: &'static str = if TIMING { "offload" } else { "offload untimed" };

    fn start(setup: &Setup) -> Self {
        Self(ThreadPool::builder().max_threads(setup.threads).timing(TIMING).build())
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
