//! The view's accounts: how many runners it has given to its executor, what a refusal takes along, what a cancellation gives back.
//!
//! A runner that waits with the executor cannot be told from outside; here it is looked at.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pollster::block_on;

use super::{Limited, Runners};
use crate::error::Error;
use crate::executor::Executor;
use crate::ext::ExecutorExt;
use crate::job::{Job, JobHandle, QueueId};
use crate::pool::ThreadPool;

/// A pool that counts the runners it is given. It refuses or keeps them if it is told to.
#[derive(Clone)]
struct Counting {
    pool: ThreadPool,
    given: Arc<AtomicUsize>,
    then: Arc<Mutex<Then>>,
    kept: Arc<Mutex<Vec<Job>>>,
    /// Whether it passes for an executor of another crate.
    is_foreign: bool,
}

#[derive(Clone, Copy, Default)]
enum Then {
    #[default]
    Run,
    Refuse,
    Keep,
}

impl Counting {
    fn of(pool: &ThreadPool) -> Self {
        let (given, then, kept) = (Arc::default(), Arc::default(), Arc::default());
        Self { pool: pool.clone(), given, then, kept, is_foreign: false }
    }

    fn given(&self) -> usize {
        self.given.load(Ordering::SeqCst)
    }

    fn now(&self, then: Then) {
        *self.then.lock().unwrap() = then;
    }
}

impl Executor for Counting {
    fn execute(&self, job: Job) {
        self.given.fetch_add(1, Ordering::SeqCst);
        let then = *self.then.lock().unwrap();
        match then {
            Then::Run => self.pool.execute(job),
            Then::Refuse => job.refuse(Error::QueueFull),
            Then::Keep => self.kept.lock().unwrap().push(job),
        }
    }

    fn queue_id(&self) -> Option<QueueId> {
        self.pool.queue_id().filter(|_| !self.is_foreign)
    }
}

/// Waits until the view's accounts are such.
#[track_caller]
fn until<E: Executor + 'static>(view: &Limited<E>, what: &str, holds: impl Fn(&Runners) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds(&view.view().lock()) {
        assert!(Instant::now() < deadline, "did not come about: {what}");
        std::thread::yield_now();
    }
}

/// Waits until no runner is active, and checks that the accounts are closed.
#[track_caller]
fn until_at_rest<E: Executor + 'static>(view: &Limited<E>) {
    until(view, "the view is at rest", |it| (it.count, it.queued.len(), it.waiting) == (0, 0, 0));
}

/// How many runners are active, and how many have not begun.
fn runners<E: Executor + 'static>(view: &Limited<E>) -> (usize, usize) {
    let runners = view.view().lock();
    (runners.count - runners.queued.len(), runners.queued.len())
}

/// A job that has begun, and that ends when it is told to.
struct Held {
    handle: JobHandle<()>,
    end: Sender<()>,
    begun: Receiver<()>,
}

impl Held {
    fn new<E: Executor + 'static>(view: &Limited<E>) -> Self {
        let ((end, wait), (begin, started)) = (mpsc::channel(), mpsc::channel());
        let handle = view.submit(move || {
            begin.send(()).unwrap();
            wait.recv().unwrap();
        });
        Self { handle, end, begun: started }
    }

    fn begun<E: Executor + 'static>(view: &Limited<E>) -> Self {
        let held = Self::new(view);
        held.wait();
        held
    }

    fn wait(&self) {
        self.begun.recv_timeout(Duration::from_secs(30)).expect("it begins");
    }

    fn release(self) {
        self.end.send(()).unwrap();
        block_on(self.handle).unwrap();
    }
}

#[test]
fn as_many_runners_are_given_as_jobs_need_and_the_limit_allows() {
    let pool = ThreadPool::new(4);
    let executor = Counting::of(&pool);
    let view = executor.clone().limited(2);
    let first = Held::begun(&view);
    assert_eq!(runners(&view), (1, 0), "one job needs one runner");
    let second = Held::begun(&view);
    assert_eq!(runners(&view), (2, 0));
    let given = executor.given();
    let more: Vec<_> = (0..3).map(|i| view.submit(move || i)).collect();
    assert_eq!((executor.given(), runners(&view)), (given, (2, 0)), "more than the limit");
    first.release();
    second.release();
    assert_eq!(more.into_iter().map(|handle| block_on(handle).unwrap()).sum::<i32>(), 3);
    until_at_rest(&view);
}

/// A runner that has not begun comes for one job; the next job needs another.
#[test]
fn a_runner_that_waits_with_the_executor_counts_for_one_job() {
    let pool = ThreadPool::new(1);
    let executor = Counting::of(&pool);
    let view = executor.clone().limited(3);
    executor.now(Then::Keep);
    let jobs: Vec<_> = (0..5).map(|i| view.submit(move || i)).collect();
    assert_eq!((executor.given(), runners(&view)), (3, (0, 3)));
    for runner in std::mem::take(&mut *executor.kept.lock().unwrap()) {
        executor.pool.execute(runner);
    }
    executor.now(Then::Run);
    assert_eq!(jobs.into_iter().map(|handle| block_on(handle).unwrap()).sum::<i32>(), 10);
    until_at_rest(&view);
}

#[test]
fn the_refusal_of_the_only_runner_refuses_what_waits() {
    let pool = ThreadPool::new(1);
    let executor = Counting::of(&pool);
    let view = executor.clone().limited(1);
    for _ in 0..2 {
        executor.now(Then::Refuse);
        assert!(matches!(block_on(view.submit(|| ())), Err(Error::QueueFull)));
        until_at_rest(&view);
        executor.now(Then::Run);
        assert_eq!(block_on(view.submit(|| 1)).unwrap(), 1, "the view goes on");
        until_at_rest(&view);
    }
}

#[test]
fn a_refused_runner_takes_nothing_along_while_another_is_active() {
    let pool = ThreadPool::new(2);
    let executor = Counting::of(&pool);
    let view = executor.clone().limited(2);
    let held = Held::begun(&view);
    executor.now(Then::Refuse);
    let given = executor.given();
    let last = view.submit(|| 7);
    assert_eq!(executor.given() - given, 1, "it is not tried again and again");
    assert!(!last.is_finished());
    assert_eq!(runners(&view), (1, 0));
    executor.now(Then::Run);
    held.release();
    assert_eq!(block_on(last).unwrap(), 7);
    until_at_rest(&view);
}

#[test]
fn a_runner_without_a_job_is_given_up() {
    // Nothing else may be in the pool's queue than the runners.
    let pool = ThreadPool::builder().max_threads(1).queue_capacity(2).build();
    let (end, wait) = mpsc::channel::<()>();
    let (begin, started) = mpsc::channel();
    let blocks = pool.submit(move || {
        begin.send(()).unwrap();
        wait.recv().unwrap();
    });
    started.recv().unwrap();
    let view = pool.clone().limited(2);
    for jobs in [1, 2] {
        let handles: Vec<_> = (0..jobs).map(|i| view.submit(move || i)).collect();
        assert_eq!(runners(&view), (0, jobs));
        for (i, handle) in handles.into_iter().enumerate() {
            drop(handle);
            assert_eq!(runners(&view), (0, jobs - 1 - i));
            assert_eq!(pool.metrics().queued(), u64::try_from(jobs - 1 - i).unwrap());
        }
    }
    // A job more than there are runners: the runner stays for it.
    let handles: Vec<_> = (0..3).map(|i| view.submit(move || i)).collect();
    let mut handles = handles.into_iter();
    drop(handles.next());
    assert_eq!(runners(&view), (0, 2));
    end.send(()).unwrap();
    block_on(blocks).unwrap();
    assert_eq!(handles.map(|handle| block_on(handle).unwrap()).sum::<i32>(), 3);
    until_at_rest(&view);
}

/// While a job waits for another of the view, one runner more is active, and takes awaited jobs only.
#[test]
fn a_runner_beyond_the_limit_leaves_other_jobs_alone() {
    let pool = ThreadPool::new(3);
    let view = Counting::of(&pool).limited(1);
    let (give, take) = mpsc::channel();
    let inner = view.clone();
    let outer = view.submit(move || {
        let held = Held::new(&inner);
        give.send(held.end).unwrap();
        block_on(held.handle).unwrap();
    });
    let end = take.recv().unwrap();
    until(&view, "two are active", |it| (it.count - it.queued.len(), it.waiting) == (2, 1));
    let other = view.submit(|| 7);
    assert!(!other.is_finished());
    assert_eq!(runners(&view), (2, 0), "no runner is started for a job that is not awaited");
    end.send(()).unwrap();
    block_on(outer).unwrap();
    assert_eq!(block_on(other).unwrap(), 7);
    until_at_rest(&view);
}

/// An executor of another crate cannot be asked for a thread beyond its size.
#[test]
fn a_foreign_executor_without_a_free_thread_is_not_waited_for() {
    let pool = ThreadPool::new(1);
    let executor = Counting { is_foreign: true, ..Counting::of(&pool) };
    let view = executor.clone().limited(1);
    let inner = view.clone();
    let outer = view.submit(move || block_on(inner.submit(|| 1)).unwrap() + 1);
    assert_eq!(block_on(outer).unwrap(), 2);
    assert_eq!(executor.given(), 1, "the runner of the awaited job is not given to the executor");
    until_at_rest(&view);
}

/// A runner is given to the executor, which refuses it at once, on the same thread: that would lock the view twice.
#[test]
fn a_runner_is_not_given_under_the_lock() {
    let pool = ThreadPool::new(1);
    let executor = Counting::of(&pool);
    let view = executor.clone().limited(2);
    executor.now(Then::Keep);
    let first = view.submit(|| 1);
    executor.now(Then::Refuse);
    let second = view.submit(|| 2);
    assert_eq!(runners(&view), (0, 1), "the first is still with the executor");
    let runner = executor.kept.lock().unwrap().pop().unwrap();
    runner.refuse(Error::ShutDown);
    for handle in [first, second] {
        assert!(matches!(block_on(handle), Err(Error::ShutDown)));
    }
    until_at_rest(&view);
}
