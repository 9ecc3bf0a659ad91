//! Loom models of places and the line for them: no place is lost, and no caller in line is forgotten.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use loom::future::block_on;
use loom::thread;

use super::{Acquired, Permits};
use crate::executor::Executor;
use crate::ext::ExecutorExt;
use crate::job::models::explore;
use crate::permit::reserve;
use crate::pool::ThreadPool;
use crate::wait::wake;

/// Waits for a place, and gives it back.
fn pass(permits: &Permits) {
    let mut ticket = None;
    let acquired = block_on(poll_fn(|cx| permits.poll_acquire(&mut ticket, cx.waker())));
    assert_eq!(acquired, Acquired::Place);
    wake(permits.release());
}

/// The one that was given back comes to the line, before or after it is there.
#[test]
fn two_callers_and_one_place() {
    explore("two callers and one place", None, || {
        let permits = Arc::new(Permits::new(1));
        let other = Arc::clone(&permits);
        let caller = thread::spawn(move || pass(&other));
        pass(&permits);
        caller.join().unwrap();
        assert!(permits.try_acquire(), "the place is free in the end");
    });
}

#[test]
fn three_callers_and_one_place() {
    explore("three callers and one place", Some(2), || {
        let permits = Arc::new(Permits::new(1));
        let callers = [(); 2].map(|()| {
            let permits = Arc::clone(&permits);
            thread::spawn(move || pass(&permits))
        });
        pass(&permits);
        for caller in callers {
            caller.join().unwrap();
        }
        assert!(permits.try_acquire(), "the place is free in the end");
    });
}

/// The caller leaves the line as it is given the place: the next has it.
#[test]
fn a_caller_that_gives_up() {
    explore("a caller that gives up, beside another", Some(3), || {
        let permits = Arc::new(Permits::new(1));
        assert!(permits.try_acquire());
        let mut ticket = None;
        let polled = permits.poll_acquire(&mut ticket, Waker::noop());
        assert_eq!(polled, Poll::Pending);
        let other = Arc::clone(&permits);
        let caller = thread::spawn(move || pass(&other));
        let releases = Arc::clone(&permits);
        let releaser = thread::spawn(move || wake(releases.release()));
        if let Some(ticket) = ticket {
            wake(permits.leave(ticket));
        }
        caller.join().unwrap();
        releaser.join().unwrap();
        assert!(permits.try_acquire(), "the place is free in the end");
    });
}

/// A submitter without a permit takes no place that a caller in line was given.
#[test]
fn a_submitter_beside_the_line() {
    explore("a submitter beside the line", None, || {
        let permits = Arc::new(Permits::new(1));
        let other = Arc::clone(&permits);
        let submitter = thread::spawn(move || {
            if other.try_acquire() {
                wake(other.release());
            }
        });
        pass(&permits);
        submitter.join().unwrap();
        assert!(permits.try_acquire() && !permits.try_acquire());
    });
}

/// The executor grows as the caller comes to the line.
#[test]
fn a_place_more() {
    explore("a place more", None, || {
        let permits = Arc::new(Permits::new(0));
        let other = Arc::clone(&permits);
        let grows = thread::spawn(move || wake(other.resize(0, 1)));
        pass(&permits);
        grows.join().unwrap();
        assert!(permits.try_acquire() && !permits.try_acquire());
    });
}

/// The one job of the pool may end at any moment of the wait.
#[test]
fn reserve_and_the_end_of_a_job() {
    explore("reserve and the end of a job", Some(2), || {
        let pool = ThreadPool::builder().max_threads(1).keep_alive(std::time::Duration::MAX).queue_capacity(0).build();
        let first = pool.submit(|| 1);
        let second = block_on(pool.reserve()).unwrap().submit(|| 2);
        assert_eq!(block_on(first).unwrap() + block_on(second).unwrap(), 3);
    });
}

/// The caller in line learns that the pool closes, though no job ends.
#[test]
fn reserve_and_close() {
    explore("reserve and close", Some(3), || {
        let pool = ThreadPool::builder().max_threads(1).queue_capacity(0).build();
        let view = crate::Limited::builder(pool.clone()).queue_capacity(0).build();
        let (of_pool, of_view) = (pool.permits().unwrap(), view.permits().unwrap());
        assert!(of_pool.try_acquire() && of_view.try_acquire());
        let closer = thread::spawn(move || pool.close());
        assert!(block_on(reserve(&view)).is_err());
        closer.join().unwrap();
    });
}

/// The permit is dropped as another caller comes to the line.
#[test]
fn drop_of_a_permit() {
    explore("drop of a permit", Some(2), || {
        let pool = ThreadPool::builder().max_threads(1).queue_capacity(0).build();
        let permit = block_on(pool.reserve()).unwrap();
        let other = pool.clone();
        let caller = thread::spawn(move || drop(block_on(other.reserve()).unwrap()));
        let mut gives_up = pool.reserve();
        let _ = Pin::new(&mut gives_up).poll(&mut Context::from_waker(Waker::noop()));
        drop((permit, gives_up));
        caller.join().unwrap();
        assert!(pool.permits().unwrap().try_acquire(), "the place is free in the end");
    });
}
