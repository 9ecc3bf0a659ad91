//! `JobHandle::wait` and `wait_timeout`: for callers without async, and inside jobs.

use std::sync::mpsc;
use std::time::Duration;

use offload_runtime::{Error, ExecutorExt, Inline, ThreadPool, is_cancelled};
use tests::support::{ON_PURPOSE, Occupied, PATIENCE, finish, silence, within};

#[test]
fn a_wait_returns_what_awaiting_does() {
    silence();
    let pool = ThreadPool::new(1);
    assert_eq!(pool.submit(|| 6 * 7).wait().unwrap(), 42);
    let panics = pool.submit(|| -> () { panic!("{ON_PURPOSE}") }).wait();
    assert!(matches!(panics, Err(Error::Panicked(panic)) if panic.message() == Some(ON_PURPOSE)));
    let held = Occupied::new(&pool, 1);
    let queued = pool.submit(|| ());
    queued.cancel();
    assert!(matches!(queued.wait(), Err(Error::Cancelled)));
    held.release();
    pool.close();
    assert!(matches!(pool.submit(|| ()).wait(), Err(Error::ShutDown)));
}

#[test]
fn a_wait_is_ended_by_a_job_that_ends_later() {
    within(PATIENCE, || {
        let pool = ThreadPool::new(1);
        let (send, receive) = mpsc::channel();
        let handle = pool.submit(move || receive.recv().unwrap());
        let sender = std::thread::spawn(move || send.send(7).unwrap());
        assert_eq!(handle.wait().unwrap(), 7);
        sender.join().unwrap();
    });
}

#[test]
fn a_job_may_wait_for_jobs_of_its_own_pool() {
    fn depth(pool: &ThreadPool, n: u32) -> u32 {
        let inner = pool.clone();
        if n == 0 { 0 } else { pool.submit(move || depth(&inner, n - 1)).wait().unwrap() + 1 }
    }
    within(PATIENCE, || {
        let pool = ThreadPool::new(1);
        assert_eq!(depth(&pool, 20), 20);
        let view = pool.clone().limited(1);
        let inner = view.clone();
        assert_eq!(view.submit(move || inner.submit(|| 1).wait().unwrap() + 1).wait().unwrap(), 2);
        let patient = pool.clone();
        let outer = pool.submit(move || patient.submit(|| 3).wait_timeout(PATIENCE).expect("in time").unwrap());
        assert_eq!(outer.wait().unwrap(), 3);
    });
}

#[test]
fn a_wait_that_is_over_changes_nothing() {
    let pool = ThreadPool::new(1);
    let (send, receive) = mpsc::channel();
    let mut handle = pool.submit(move || receive.recv().unwrap());
    for timeout in [Duration::ZERO, Duration::from_millis(1)] {
        assert!(handle.wait_timeout(timeout).is_none());
    }
    send.send(7).unwrap();
    assert_eq!(handle.wait_timeout(Duration::MAX).unwrap().unwrap(), 7);
    let polled_again = std::panic::catch_unwind(move || handle.wait_timeout(Duration::ZERO));
    assert!(polled_again.is_err(), "a result is returned once");
}

/// An awaited handle gives way to other tasks now and then; a thread that waits has none.
#[test]
fn a_result_that_is_there_is_returned_without_time_to_wait() {
    for i in 0..100 {
        assert_eq!(Inline.submit(move || i).wait_timeout(Duration::ZERO).expect("it is there").unwrap(), i);
    }
}

#[test]
fn a_cancelled_job_cancels_the_job_that_it_waits_for() {
    let pool = ThreadPool::new(1);
    let (inner, (started, wait)) = (pool.clone(), mpsc::channel());
    let outer = pool.submit(move || {
        let awaited = inner.submit(move || {
            started.send(()).unwrap();
            while !is_cancelled() {
                std::thread::yield_now();
            }
            "cancelled"
        });
        awaited.wait().unwrap()
    });
    wait.recv_timeout(PATIENCE).unwrap();
    outer.cancel();
    assert_eq!(finish(outer).unwrap(), "cancelled");
}

/// It stands still meanwhile, but it does not deadlock.
#[tokio::test]
async fn a_wait_inside_a_runtime_returns() {
    let pool = ThreadPool::new(1);
    assert_eq!(pool.submit(|| 1).wait().unwrap(), 1);
    assert_eq!(tokio::runtime::Handle::current().submit(|| 2).wait().unwrap(), 2);
}
