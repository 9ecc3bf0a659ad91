//! The pool's accounts, which cannot be seen from outside.

use std::sync::{Barrier, Mutex, mpsc};
use std::time::{Duration, Instant};

use super::ThreadPool;
use super::state::{State, Watch};
use crate::executor::Executor;
use crate::ext::ExecutorExt;
use crate::sync::Arc;

/// A job that has given up its wait no longer counts as waiting: no thread beyond the maximum runs in its place.
#[test]
fn a_wait_that_is_over_no_longer_counts() {
    let pool = ThreadPool::new(1);
    let inner = pool.clone();
    let outer = pool.submit(move || {
        let (send, receive) = mpsc::channel();
        let mut awaited = inner.submit(move || receive.recv().unwrap());
        assert!(awaited.wait_timeout(Duration::from_millis(1)).is_none());
        let waiting = inner.queue().lock().waiting;
        send.send(7).unwrap();
        (waiting, awaited.wait().unwrap(), inner.queue().lock().waiting)
    });
    assert_eq!(outer.wait().unwrap(), (0, 7, 0));
}

#[track_caller]
fn eventually(pool: &ThreadPool, what: &str, holds: impl Fn(&State) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds(&pool.queue().lock()) {
        assert!(Instant::now() < deadline, "did not come about: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Runs `n` jobs at once, so that there are as many threads.
fn meet(pool: &ThreadPool, n: usize) {
    let barrier = Arc::new(Barrier::new(n));
    let job = |_| {
        let barrier = Arc::clone(&barrier);
        pool.submit(move || {
            barrier.wait();
        })
    };
    let jobs: Vec<_> = (0..n).map(job).collect();
    for job in jobs {
        job.wait().unwrap();
    }
}

/// They sleep without a time limit, so that they have to be woken.
#[test]
fn parked_threads_leave_when_there_are_too_many() {
    let pool = ThreadPool::builder().max_threads(4).min_threads(4).keep_alive(Duration::ZERO).build();
    meet(&pool, 4);
    eventually(&pool, "all are parked", |state| state.idle.len() == 4);
    pool.set_max_threads(1);
    eventually(&pool, "three have left", |state| state.threads == 1);
    assert_eq!(pool.submit(|| 1).wait().unwrap(), 1);
}

/// Of a thread that has left nothing stays, however many there were.
#[test]
fn a_pool_forgets_the_threads_that_have_left() {
    let pool = ThreadPool::builder().max_threads(2).keep_alive(Duration::ZERO).build();
    for _ in 0..3 {
        meet(&pool, 2);
        eventually(&pool, "both have left", |state| state.threads + state.leaving == 0);
    }
    assert!(pool.queue().lock().workers.is_empty());
}

/// A job that no thread runs yet, and that was moved out of the inbox, keeps the pool busy.
#[test]
fn a_pool_with_a_job_in_its_list_is_not_idle() {
    let (open, door) = mpsc::channel::<()>();
    let door = Mutex::new(door);
    let pool = ThreadPool::builder()
        .max_threads(1)
        .on_thread_start(move || assert!(door.lock().unwrap().recv().is_err()))
        .build();
    let job = pool.submit(|| ());
    eventually(&pool, "the thread is in its hook", |state| state.preparing == 1);
    assert_eq!(pool.queued(), 1);
    let mut idle = pool.wait_idle();
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(std::pin::Pin::new(&mut idle).poll(&mut cx).is_pending());
    drop(open);
    pollster::block_on(idle);
    assert!(job.is_finished());
}

/// However the watch waits, it goes with the last thread: it would keep the pool.
#[test]
fn the_watch_goes_with_the_last_thread() {
    for warn_after in [Duration::from_secs(3600), Duration::from_millis(1)] {
        let pool = ThreadPool::builder().max_threads(1).warn_after(warn_after).build();
        let queue = Arc::downgrade(pool.queue());
        pool.submit(|| ()).wait().unwrap();
        if warn_after < Duration::from_secs(1) {
            // In the other round it may wait for the hour that the job had.
            eventually(&pool, "it sleeps", |state| state.watch == Watch::Asleep);
        }
        pollster::block_on(pool.shutdown());
        eventually(&pool, "it has gone", |state| state.watch == Watch::Off);
        drop(pool);
        let deadline = Instant::now() + Duration::from_secs(30);
        while queue.strong_count() > 0 {
            assert!(Instant::now() < deadline, "a thread keeps the pool");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// A thread beyond those that there are is for where all of them run jobs.
#[test]
fn an_awaited_job_takes_a_parked_thread_before_another_is_started() {
    fn awaits<E: Executor + Clone + 'static>(pool: &ThreadPool, executor: &E) {
        eventually(pool, "all are parked", |state| state.idle.len() == 3);
        let of_job = executor.clone();
        executor.submit(move || of_job.submit(|| ()).wait().unwrap()).wait().unwrap();
    }
    let pool = ThreadPool::builder().max_threads(3).min_threads(3).build();
    meet(&pool, 3);
    for _ in 0..20 {
        awaits(&pool, &pool);
        awaits(&pool, &pool.limited(1));
        awaits(&pool, &pool.limited(1).limited(1));
    }
    assert_eq!(pool.metrics().peak_threads(), 3);
}
