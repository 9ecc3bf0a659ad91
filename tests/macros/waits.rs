//! `#[blocking(wait)]`: the call waits for room, and takes nothing of its arguments before.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Waker};

use offload_runtime::{Error, Executor, ExecutorExt, Inline, Limited, ThreadPool, blocking};
use tests::support::{Occupied, finish, poll_once};

/// An argument of which clones are counted.
#[derive(Debug)]
struct Counted {
    clones: Arc<AtomicUsize>,
    data: Vec<u8>,
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.clones.fetch_add(1, Ordering::SeqCst);
        Self { clones: Arc::clone(&self.clones), data: self.data.clone() }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.clones.fetch_sub(1, Ordering::SeqCst);
    }
}

#[derive(Clone)]
struct Sums<E> {
    executor: E,
}

#[blocking(wait)]
impl<E: Executor + Clone + 'static> Sums<E> {
    #[blocking]
    fn sum(&self, of: &Counted) -> Result<u64, Error> {
        Ok(of.data.iter().map(|&byte| u64::from(byte)).sum())
    }

    #[blocking(sync = twice_sync)]
    fn twice(&self, n: u32) -> u32 {
        2 * n
    }

    #[blocking]
    fn moved(self: Arc<Self>, text: String) -> Result<usize, Error> {
        Ok(text.len())
    }
}

trait Lengths {
    #[blocking(boxed, wait)]
    fn length(&self, text: &str) -> Result<usize, Error>;
}

impl<E: Executor + Clone + 'static> Lengths for Sums<E> {
    #[blocking(boxed, wait)]
    fn length(&self, text: &str) -> Result<usize, Error> {
        Ok(text.len())
    }
}

fn of_one_place() -> Sums<ThreadPool> {
    Sums { executor: ThreadPool::builder().max_threads(1).queue_capacity(0).build() }
}

/// 10,000 callers wait with an argument of 1 MB each: one shared value, of which no clone is made but for the job that has room.
#[test]
fn ten_thousand_waiting_callers_clone_nothing() {
    const CALLERS: usize = 10_000;
    let sums = of_one_place();
    // Counts the value itself, too.
    let argument = Counted { clones: Arc::new(AtomicUsize::new(1)), data: vec![1; 1_000_000] };
    let alive = || argument.clones.load(Ordering::SeqCst);
    let held = Occupied::new(&sums.executor, 1);
    let mut calls: Vec<_> = (0..CALLERS).map(|_| Box::pin(sums.sum(&argument))).collect();
    for call in &mut calls {
        assert!(poll_once(call, Waker::noop()).is_pending());
        assert_eq!(alive(), 1, "a caller that waits has cloned its argument");
    }
    held.release();
    // Most give up; the line moves on.
    calls.truncate(20);
    let mut most = 0;
    for call in calls {
        assert_eq!(finish(async { (call.await, most = most.max(alive())).0 }).unwrap(), 1_000_000);
    }
    assert!(most <= 3, "{most} clones beside a queue of one place");
    assert_eq!(alive(), 1);
    assert_eq!(sums.executor.metrics().refused(), 0);
}

#[test]
fn a_call_waits_where_it_would_be_refused() {
    let sums = Arc::new(of_one_place());
    let held = Occupied::new(&sums.executor, 1);
    let (mut twice, mut moved) = (Box::pin(sums.twice(4)), Box::pin(Arc::clone(&sums).moved("four".into())));
    let mut length = sums.length("seven..");
    assert!(poll_once(&mut twice, Waker::noop()).is_pending());
    assert!(poll_once(&mut moved, Waker::noop()).is_pending());
    assert!(poll_once(&mut length, Waker::noop()).is_pending());
    assert!(matches!(finish(sums.executor.submit(|| ())), Err(Error::QueueFull)));
    held.release();
    assert_eq!((finish(twice), sums.twice_sync(4)), (8, 8));
    assert_eq!((finish(moved).unwrap(), finish(length).unwrap()), (4, 7));
}

#[test]
fn a_call_that_waits_is_refused_when_the_pool_is_closed() {
    let sums = of_one_place();
    let argument = Counted { clones: Arc::new(AtomicUsize::new(1)), data: Vec::new() };
    let held = Occupied::new(&sums.executor, 1);
    let mut call = Box::pin(sums.sum(&argument));
    assert!(poll_once(&mut call, Waker::noop()).is_pending());
    sums.executor.close();
    let Poll::Ready(Err(Error::ShutDown)) = poll_once(&mut call, Waker::noop()) else { panic!("it waits") };
    assert_eq!(argument.clones.load(Ordering::SeqCst), 1, "nothing was taken");
    held.release();
}

/// On any executor: a view, one behind a pointer, one without a bound.
#[test]
fn a_call_may_wait_on_any_executor() {
    let argument = Counted { clones: Arc::new(AtomicUsize::new(1)), data: vec![7] };
    let view = Limited::builder(ThreadPool::new(2)).queue_capacity(0).build();
    let erased: Arc<dyn Executor> = Arc::new(view.clone());
    let held = Occupied::new(&view, 1);
    let behind = Sums { executor: erased };
    let mut call = Box::pin(behind.sum(&argument));
    assert!(poll_once(&mut call, Waker::noop()).is_pending());
    held.release();
    assert_eq!(finish(call).unwrap(), 7);
    assert_eq!(finish(Sums { executor: Inline }.sum(&argument)).unwrap(), 7);
}

#[test]
fn a_future_that_waits_may_go_to_another_thread() {
    fn assert_send<T: Send>(value: T) -> T {
        value
    }
    let (sums, argument) = (of_one_place(), Counted { clones: Arc::new(AtomicUsize::new(1)), data: vec![7] });
    assert_eq!(finish(assert_send(sums.sum(&argument))).unwrap(), 7);
}
