//! Who takes part: pools that run a closure and hand its result to a future.
//!
//! Each gets the same number of threads and the same closures, and is used as its documentation shows. What they do for it differs
//! (a hand-made pool of a channel and a oneshot knows no cancellation and survives no panic), always in the peers' favour.

mod affinitypool;
mod blocking;
mod channel;
mod floor;
mod offload;
mod rayon;
mod spawn_blocking;
mod word;

use std::fmt::Debug;
use std::pin::Pin;
use std::task::{Context, Poll};

pub(crate) use affinitypool::AffinityPool;
pub(crate) use blocking::Unblock;
pub(crate) use channel::Channel;
pub(crate) use floor::{Futex, HandOver, Spin, WAKING, Waking, hand_over};
pub(crate) use offload::{Again, Offload, Untimed};
pub(crate) use rayon::Rayon;
pub(crate) use spawn_blocking::SpawnBlocking;
pub(crate) use word::Word;

/// What every contestant is given.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// How many threads it may have.
    pub(crate) threads: usize,
    /// The callers' runtime, for who brings no threads of its own.
    pub(crate) runtime: tokio::runtime::Handle,
}

/// A pool that runs closures and hands each result to a future.
pub(crate) trait Contestant: Send + Sync + 'static {
    const NAME: &'static str;

    fn start(setup: &Setup) -> Self;

    /// Submits `f`, now, whether or not the future is ever polled.
    fn submit<F, T>(&self, f: F) -> impl Future<Output = T> + Send + 'static
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static;
}

/// A future of a `Result` that is to be `Ok`: what a caller writes as `.await.unwrap()`.
pub(crate) struct Unwrapped<H>(pub(crate) H);

impl<H, T, E> Future for Unwrapped<H>
where
    H: Future<Output = Result<T, E>> + Unpin,
    E: Debug,
{
    type Output = T;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        Pin::new(&mut self.0).poll(cx).map(|result| result.expect("no job of a benchmark fails"))
    }
}
