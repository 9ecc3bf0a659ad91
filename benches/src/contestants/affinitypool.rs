//! The crate `affinitypool`: sharded queues, workers that spin before they sleep.

use super::{Contestant, Setup};

pub(crate) struct AffinityPool(affinitypool::Threadpool);

impl Contestant for AffinityPool {
    const NAME: &'static str = "affinitypool";

    fn start(setup: &Setup) -> Self {
        Self(affinitypool::Builder::new().worker_threads(setup.threads).build())
    }

    #[inline]
    fn submit<F, T>(&self, f: F) -> impl Future<Output = T> + Send + 'static
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.0.spawn(f)
    }
}
