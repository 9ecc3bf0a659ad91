//! The view's accounts (C10): how many drivers it has given out, whom it counts on, what a refusal takes along.
//!
//! A job that waits for a place, and a driver that leaves its place to it, cannot be told from outside; here they are looked at.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pollster::block_on;

use super::{Drivers, Limited};
use crate::error::Error;
use crate::executor::Executor;
use crate::ext::ExecutorExt;
use crate::job::{Job, JobHandle, QueueId};
use crate::pool::ThreadPool;

/// A pool that counts the drivers it is given, and refuses them if it is told to.
#[derive(Clone)]
struct Counting {
    pool: ThreadPool,
    given: Arc<AtomicUsize>,
    refuses: Arc<Mutex<bool>>,
}

impl Counting {
    fn of(pool: &ThreadPool) -> Self {
        Self { pool: pool.clone(), given: Arc::default(), refuses: Arc::default() }
    }

    fn given(&self) -> usize {
        self.given.load(Ordering::SeqCst)
    }

    fn refuse(&self, refuses: bool) {
        *self.refuses.lock().unwrap() = refuses;
    }
}

impl Executor for Counting {
    fn execute(&self, job: Job) {
        let refuses = *self.refuses.lock().unwrap();
        if refuses {
            return job.refuse(Error::QueueFull);
        }
        self.given.fetch_add(1, Ordering::SeqCst);
        self.pool.execute(job);
    }

    fn queue_id(&self) -> Option<QueueId> {
        self.pool.queue_id()
    }
}

/// Waits until the view's accounts are such.
#[track_caller]
fn until<E: Executor + 'static>(view: &Limited<E>, what: &str, holds: impl Fn(&Drivers) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds(&view.view.lock()) {
        assert!(Instant::now() < deadline, "did not come about: {what}");
        std::thread::yield_now();
    }
}

/// Waits until nobody is with the view, and sees that its books are closed.
#[track_caller]
fn until_at_rest<E: Executor + 'static>(view: &Limited<E>) {
    until(view, "the view is at rest", |it| [it.count, it.running, it.awaited, it.handing_back, it.bounced] == [0; 5]);
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

/// A job of the pool that waits for one of the view, which ends when it is told to.
struct Waiting {
    outer: JobHandle<()>,
    end: Sender<()>,
}

impl Waiting {
    fn new(pool: &ThreadPool, view: &Limited<Counting>) -> Self {
        let view = view.clone();
        let (give, take) = mpsc::channel();
        let outer = pool.submit(move || {
            let inner = Held::new(&view);
            give.send(inner.end).unwrap();
            block_on(inner.handle).unwrap();
        });
        Self { outer, end: take.recv().unwrap() }
    }

    fn release(self) {
        self.end.send(()).unwrap();
        block_on(self.outer).unwrap();
    }
}

#[test]
fn c10_as_many_drivers_are_called_as_have_left_and_as_are_needed() {
    let pool = ThreadPool::new(6);
    let executor = Counting::of(&pool);
    let view = executor.clone().limited(2);
    let (first, second) = (Held::begun(&view), Held::begun(&view));
    let third = Held::new(&view);
    let more: Vec<_> = (0..3).map(|i| view.submit(move || i)).collect();
    let waiting = Waiting::new(&pool, &view);
    until(&view, "a job waits for a place", |it| it.awaited == 1);
    first.release();
    until(&view, "one driver has left its place to the job", |it| (it.count, it.running) == (1, 2));
    let given = executor.given();
    waiting.release();
    third.wait();
    assert_eq!(executor.given() - given, 1, "one place is free");
    until(&view, "a driver has come back", |it| (it.count, it.running) == (2, 2));
    second.release();
    third.release();
    assert_eq!(more.into_iter().map(|handle| block_on(handle).unwrap()).sum::<i32>(), 3);
    until_at_rest(&view);
}

/// Nor is one called for jobs that do not wait.
#[test]
fn c10_no_driver_is_called_for_an_empty_view() {
    let pool = ThreadPool::new(2);
    let executor = Counting::of(&pool);
    let view = executor.clone().limited(1);
    let held = Held::begun(&view);
    let waiting = Waiting::new(&pool, &view);
    until(&view, "a job waits for a place", |it| it.awaited == 1);
    held.release();
    until(&view, "it has the place", |it| (it.count, it.running, it.awaited) == (0, 1, 0));
    let given = executor.given();
    waiting.release();
    assert_eq!(executor.given(), given);
    until_at_rest(&view);
}

/// Of two jobs that wait for the one place the second has it next, and no driver is called before it has ended.
#[test]
fn c10_who_waits_for_a_place_comes_before_the_drivers() {
    let pool = ThreadPool::new(3);
    let executor = Counting::of(&pool);
    let view = executor.clone().limited(1);
    let held = Held::begun(&view);
    let waiting = [(); 2].map(|()| Waiting::new(&pool, &view));
    until(&view, "two jobs wait for a place", |it| it.awaited == 2);
    let last = view.submit(|| 7);
    held.release();
    until(&view, "one of them has it", |it| (it.count, it.running, it.awaited) == (0, 1, 1));
    let given = executor.given();
    for waiting in &waiting {
        waiting.end.send(()).unwrap();
    }
    for waiting in waiting {
        block_on(waiting.outer).unwrap();
    }
    assert_eq!(block_on(last).unwrap(), 7);
    assert_eq!(executor.given() - given, 1, "for the last job");
    until_at_rest(&view);
}

/// A job that has waited for its place calls a driver, and the executor says no: at once, on the same thread.
#[test]
fn c06_a_driver_is_not_called_under_the_lock() {
    let pool = ThreadPool::new(2);
    let executor = Counting::of(&pool);
    let view = executor.clone().limited(1);
    let held = Held::begun(&view);
    let waiting = Waiting::new(&pool, &view);
    until(&view, "a job waits for a place", |it| it.awaited == 1);
    let last = view.submit(|| ());
    held.release();
    until(&view, "it has the place", |it| (it.count, it.running) == (0, 1));
    executor.refuse(true);
    waiting.release();
    assert!(matches!(block_on(last), Err(Error::QueueFull)), "nobody is left to run it");
    until_at_rest(&view);
}

/// A driver is refused while a job runs in a place without one, or waits for it: that job will call another.
#[test]
fn c05_a_refused_driver_takes_nothing_along_while_others_will_come() {
    for others in [0, 1] {
        let pool = ThreadPool::new(3);
        let executor = Counting::of(&pool);
        let view = executor.clone().limited(1);
        let held = Held::begun(&view);
        let waiting: Vec<_> = (0..=others).map(|_| Waiting::new(&pool, &view)).collect();
        until(&view, "jobs wait for a place", |it| it.awaited == others + 1);
        held.release();
        until(&view, "one of them has it", |it| (it.count, it.running, it.awaited) == (0, 1, others));
        executor.refuse(true);
        let last = view.submit(|| 7);
        assert!(!last.is_finished());
        executor.refuse(false);
        for waiting in &waiting {
            waiting.end.send(()).unwrap();
        }
        for waiting in waiting {
            block_on(waiting.outer).unwrap();
        }
        assert_eq!(block_on(last).unwrap(), 7);
        until_at_rest(&view);
    }
}

/// A driver comes while a job without one has the only place: it takes no second one, and does not wait.
#[test]
fn c10_a_driver_that_finds_no_place_leaves() {
    let pool = ThreadPool::new(3);
    let executor = Counting::of(&pool);
    let view = executor.clone().limited(1);
    let held = Held::begun(&view);
    let waiting = Waiting::new(&pool, &view);
    until(&view, "a job waits for a place", |it| it.awaited == 1);
    held.release();
    until(&view, "it has the place", |it| (it.count, it.running) == (0, 1));
    let given = executor.given();
    let last = view.submit(|| 7);
    assert_eq!(executor.given() - given, 1);
    until(&view, "the driver has left", |it| it.count == 0);
    assert!(!last.is_finished(), "two at once");
    waiting.release();
    assert_eq!(block_on(last).unwrap(), 7);
    until_at_rest(&view);
}
