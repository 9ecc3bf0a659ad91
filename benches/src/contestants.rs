//! The contestants: pools that run a closure and hand its result to a future.
//!
//! Each gets the same number of threads and the same closures, and is used as its documentation shows. A hand-made pool of a channel and a
//! oneshot has no cancellation and does not survive a panic; that difference is in the peers' favour.

use std::convert::Infallible;
use std::fmt::Debug;
use std::num::NonZero;
use std::pin::Pin;
use std::task::{Context, Poll};

use offload_runtime::{ExecutorExt, StatefulPool, ThreadPool};

/// What every contestant is given.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) threads: usize,
    /// The callers' runtime, whose blocking pool `spawn_blocking` uses.
    pub(crate) runtime: tokio::runtime::Handle,
}

/// A pool that runs closures and hands each result to a future.
pub(crate) trait Contestant: Send + Sync + 'static {
    const NAME: &'static str;

    fn start(setup: &Setup) -> Self;

    /// Submits `f` at once, whether or not the future is ever polled.
    fn submit<F, T>(&self, f: F) -> impl Future<Output = T> + Send + 'static
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static;
}

/// Implements `Contestant` for a type: its name, its start, its submit.
macro_rules! contestant {
    ($type:ty, $name:literal, |$setup:ident| $start:expr, |$pool:ident, $f:ident| $submit:expr) => {
        impl Contestant for $type {
            const NAME: &'static str = $name;

            fn start($setup: &Setup) -> Self {
                $start
            }

            #[inline]
            fn submit<F, T>(&self, $f: F) -> impl Future<Output = T> + Send + 'static
            where
                F: FnOnce() -> T + Send + 'static,
                T: Send + 'static,
            {
                let $pool = self;
                $submit
            }
        }
    };
}

/// Our pool.
pub(crate) struct Offload(ThreadPool);
contestant!(Offload, "offload", |setup| Self(ThreadPool::builder().max_threads(setup.threads).build()), |pool, f| {
    Unwrapped(pool.0.submit(f))
});

/// Our pool, which declines what the features `metrics` and `tokio` add.
pub(crate) struct Declined(Offload);
contestant!(
    Declined,
    "declined",
    |setup| {
        let builder = ThreadPool::builder().max_threads(setup.threads);
        Self(Offload(builder.publish_metrics(false).enter_runtime(false).build()))
    },
    |pool, f| pool.0.submit(f)
);

/// Our pool, whose threads own a state that each job changes.
pub(crate) struct Stateful(StatefulPool<u64>);
contestant!(
    Stateful,
    "stateful",
    |setup| Self(StatefulPool::new(setup.threads, || Ok::<_, Infallible>(0))),
    |pool, f| {
        let count = move |jobs: &mut u64| {
            *jobs += 1;
            f()
        };
        Unwrapped(pool.0.submit_with(count))
    }
);

/// The control: our pool, entered a second time. Its distance from 1 is the error of the run.
pub(crate) struct Again(Offload);
contestant!(Again, "again", |setup| Self(Offload::start(setup)), |pool, f| pool.0.submit(f));

/// The blocking pool of the callers' tokio runtime.
pub(crate) struct SpawnBlocking(tokio::runtime::Handle);
contestant!(SpawnBlocking, "spawn_blocking", |setup| Self(setup.runtime.clone()), |pool, f| Unwrapped(
    pool.0.spawn_blocking(f)
));

/// `blocking::unblock`: one pool per process, whose limit is set in each turn. It alone keeps its threads from turn to turn.
pub(crate) struct Unblock;
contestant!(
    Unblock,
    "unblock",
    |setup| {
        blocking::set_max_blocking_threads(NonZero::new(setup.threads).expect("a pool has a thread"));
        Self
    },
    |_pool, f| blocking::unblock(f)
);

/// The crate `affinitypool`: sharded queues, workers that spin before they park.
pub(crate) struct AffinityPool(affinitypool::Threadpool);
contestant!(
    AffinityPool,
    "affinitypool",
    |setup| Self(affinitypool::Builder::new().worker_threads(setup.threads).build()),
    |pool, f| pool.0.spawn(f)
);

/// Threads that receive boxed closures from a crossbeam channel. They end with the channel.
pub(crate) struct Channel(crossbeam_channel::Sender<Box<dyn FnOnce() + Send>>);
contestant!(
    Channel,
    "channel+oneshot",
    |setup| {
        let (sender, receiver) = crossbeam_channel::unbounded::<Box<dyn FnOnce() + Send>>();
        for _ in 0..setup.threads {
            let receiver = receiver.clone();
            std::thread::spawn(move || receiver.into_iter().for_each(|job| job()));
        }
        Self(sender)
    },
    |pool, f| {
        let (sender, receiver) = oneshot::async_channel();
        // A caller that has dropped its future is not a failure.
        let job = Box::new(move || drop(sender.send(f())));
        pool.0.send(job).expect("the threads end only with the channel");
        Unwrapped(receiver)
    }
);

/// A rayon pool, and a oneshot for the result.
pub(crate) struct Rayon(rayon::ThreadPool);
contestant!(
    Rayon,
    "rayon+oneshot",
    |setup| Self(rayon::ThreadPoolBuilder::new().num_threads(setup.threads).build().expect("threads can be started")),
    |pool, f| {
        let (sender, receiver) = oneshot::async_channel();
        pool.0.spawn(move || drop(sender.send(f())));
        Unwrapped(receiver)
    }
);

/// A future of a `Result` that has to be `Ok`: what a caller writes as `.await.unwrap()`.
pub(crate) struct Unwrapped<H>(H);

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
