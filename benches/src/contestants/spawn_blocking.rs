//! `spawn_blocking` of tokio: the blocking pool of the callers' own runtime, which is built with the same number of threads.

use super::{Contestant, Setup, Unwrapped};

/// Keeps the runtime's handle, so that it works on a bare `block_on` too, and looks nothing up in a thread-local.
#[derive(Debug)]
pub(crate) struct SpawnBlocking(tokio::runtime::Handle);

impl Contestant for SpawnBlocking {
    const NAME: &'static str = "spawn_blocking";

    fn start(setup: &Setup) -> Self {
        Self(setup.runtime.clone())
    }

    #[inline]
    fn submit<F, T>(&self, f: F) -> impl Future<Output = T> + Send + 'static
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Unwrapped(self.0.spawn_blocking(f))
    }
}
