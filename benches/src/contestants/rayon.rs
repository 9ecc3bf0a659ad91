//! A rayon pool, with a oneshot to bring the result back.

use super::{Contestant, Setup, Unwrapped};

#[derive(Debug)]
pub(crate) struct Rayon(rayon::ThreadPool);

impl Contestant for Rayon {
    const NAME: &'static str = "rayon+oneshot";

    fn start(setup: &Setup) -> Self {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(setup.threads).build();
        Self(pool.expect("the machine has room for a few threads"))
    }

    #[inline]
    fn submit<F, T>(&self, f: F) -> impl Future<Output = T> + Send + 'static
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (sender, receiver) = oneshot::async_channel();
        // A caller that has gone is no failure.
        self.0.spawn(move || drop(sender.send(f())));
        Unwrapped(receiver)
    }
}
