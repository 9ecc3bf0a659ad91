//! Ours; ours without times: what a look at the clock for each job costs, which no peer takes; and ours again, in the place of peers: whatever they
//! are ahead or behind is chance.

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

/// One more of ours.
#[derive(Debug)]
pub(crate) struct Again<const N: usize>(Offload);

impl<const N: usize> Contestant for Again<N> {
    const NAME: &'static str = ["again 1", "again 2", "again 3", "again 4", "again 5"][N - 1];

    fn start(setup: &Setup) -> Self {
        Self(Offload::start(setup))
    }

    #[inline]
    fn submit<F, T>(&self, f: F) -> impl Future<Output = T> + Send + 'static
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.0.submit(f)
    }
}
