//! Loom models of the limited view on a pool: runners against submit, cancel and close; nested waits; exclusivity.
//!
//! A lost job, or a lost runner, shows as a deadlock. In a model each runner gives its thread back after one job. Run by `ci/loom.sh`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use loom::future::block_on;
use loom::thread;

use super::Limited;
use crate::error::Error;
use crate::ext::ExecutorExt;
use crate::job::models::{Tokens, explore};
use crate::pool::ThreadPool;

fn pool(threads: usize) -> ThreadPool {
    ThreadPool::builder().max_threads(threads).keep_alive(Duration::MAX).build()
}

/// Work that must not overlap with other work of the same kind.
fn alone(running: &Arc<AtomicUsize>) -> impl FnOnce() + Send + 'static {
    let running = Arc::clone(running);
    move || alone_now(&running)
}

fn alone_now(running: &AtomicUsize) {
    assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0, "two at once");
    thread::yield_now();
    running.fetch_sub(1, Ordering::SeqCst);
}

#[test]
fn two_jobs_one_after_the_other() {
    explore("two jobs of a view, one after the other", Some(1), || {
        let view = pool(1).limited(1);
        assert_eq!(block_on(view.submit(|| 1)).unwrap(), 1);
        assert_eq!(block_on(view.submit(|| 2)).unwrap(), 2);
    });
}

#[test]
fn two_submitters_and_two_threads() {
    explore("two submitters to a view of one", Some(0), || {
        let running = Arc::new(AtomicUsize::new(0));
        let view = pool(2).limited(1);
        let (other, job) = (view.clone(), alone(&running));
        let submitter = thread::spawn(move || block_on(other.submit(job)).unwrap());
        block_on(view.submit(alone(&running))).unwrap();
        submitter.join().unwrap();
    });
}

/// A job that waits for another of the view runs alone again when it has the result, though the pool has a thread for the third.
#[test]
fn the_end_of_a_nested_wait_is_the_end_of_the_second_place() {
    for threads in [1, 2] {
        explore(&format!("the end of a nested wait in a view of one, {threads} threads"), Some(0), move || {
            let running = Arc::new(AtomicUsize::new(0));
            let view = pool(threads).limited(1);
            let (inner, of_other) = (view.clone(), alone(&running));
            let outer = view.submit(move || {
                let awaited = inner.submit(|| ());
                let other = inner.submit(of_other);
                block_on(awaited).unwrap();
                alone_now(&running);
                other
            });
            let other = block_on(outer).unwrap();
            block_on(other).unwrap();
        });
    }
}

/// The runner is given up, begins, or runs the job: the pool is free for another in any case.
#[test]
fn cancel_of_a_queued_job() {
    explore("cancel of a job of a view", Some(2), || {
        let tokens = Tokens::default();
        let view = pool(1).limited(1);
        let token = tokens.new_one();
        drop(view.submit(move || drop(token)));
        block_on(view.submit(|| ())).unwrap();
    });
}

/// The runner of a cancelled job takes no permit of the pool.
#[test]
fn cancel_of_a_queued_job_where_the_pool_is_bounded() {
    explore("cancel of a job of a view, a pool that is full with one job", Some(2), || {
        let pool = ThreadPool::builder().max_threads(1).keep_alive(Duration::MAX).queue_capacity(0).build();
        let view = pool.clone().limited(1);
        let handle = view.submit(|| ());
        handle.cancel();
        drop(block_on(handle));
        // A runner that has begun holds its permit until it has left.
        while matches!(block_on(pool.submit(|| ())), Err(Error::QueueFull)) {
            thread::yield_now();
        }
    });
}

#[test]
fn close_and_submit() {
    explore("a limited view of a pool that closes", Some(2), || {
        let tokens = Tokens::default();
        let pool = pool(1);
        let view = pool.clone().limited(1);
        let closer = thread::spawn(move || pool.close());
        let token = tokens.new_one();
        match block_on(view.submit(move || drop(token))) {
            Ok(()) | Err(Error::ShutDown) => {}
            Err(other) => panic!("{other}"),
        }
        closer.join().unwrap();
    });
}

/// What waits in the view runs before the pool has ended, or is refused: it is not left behind.
#[test]
fn shutdown_now_and_what_waits_in_a_view() {
    explore("shutdown_now, and two jobs of a view", Some(2), || {
        let tokens = Tokens::default();
        let pool = pool(1);
        let view = pool.clone().limited(1);
        let handles = [(); 2].map(|()| {
            let token = tokens.new_one();
            view.submit(move || drop(token))
        });
        block_on(pool.shutdown_now());
        for handle in handles {
            assert!(handle.is_finished(), "it is left in the view of a pool that has ended");
            match block_on(handle) {
                Ok(()) | Err(Error::ShutDown) => {}
                Err(other) => panic!("{other}"),
            }
        }
    });
}

/// The last handle goes while the runner has still to come.
#[test]
fn drop_of_the_view() {
    explore("drop of a view whose job waits", Some(2), || {
        let tokens = Tokens::default();
        let pool = pool(1);
        let (view, token) = (pool.clone().limited(1), tokens.new_one());
        let handle = view.submit(move || drop(token));
        drop(view);
        block_on(handle).unwrap();
        block_on(pool.shutdown());
    });
}

fn nested_in(view: Limited<ThreadPool>) {
    let inner = view.clone();
    let outer = view.submit(move || block_on(inner.submit(|| 1)).unwrap() + 1);
    drop(view);
    assert_eq!(block_on(outer).unwrap(), 2);
}

#[test]
fn nested_in_a_view() {
    explore("a job that waits for its own view", Some(1), || nested_in(pool(1).limited(1)));
}

#[test]
fn nested_in_a_view_of_a_pool_with_a_thread_to_spare() {
    explore("a job that waits for its own view, a thread to spare", Some(0), || nested_in(pool(2).limited(1)));
}

#[test]
fn nested_in_a_view_of_the_own_pool() {
    explore("a job that waits for a view of its own pool", Some(1), || {
        let pool = pool(1);
        let view = pool.clone().limited(1);
        let outer = pool.submit(move || block_on(view.submit(|| 1)).unwrap() + 1);
        assert_eq!(block_on(outer).unwrap(), 2);
    });
}

/// The runner that the outer job needs waits with the pool already, for another job.
#[test]
fn nested_in_a_view_of_the_own_pool_beside_another_job() {
    explore("a job that waits for a view of its own pool, where another waits", Some(1), || {
        let pool = pool(1);
        let view = pool.clone().limited(1);
        let other = view.clone();
        let outer = pool.submit(move || block_on(view.submit(|| 1)).unwrap() + 1);
        assert_eq!(block_on(other.submit(|| 3)).unwrap(), 3);
        assert_eq!(block_on(outer).unwrap(), 2);
    });
}

#[test]
fn a_chain_from_the_pool_into_its_view() {
    explore("a chain from a pool into its view", Some(0), || {
        let pool = pool(1);
        let view = pool.clone().limited(1);
        let outer = pool.submit(move || {
            let inner = view.clone();
            block_on(view.submit(move || block_on(inner.submit(|| 1)).unwrap() + 1)).unwrap() + 1
        });
        assert_eq!(block_on(outer).unwrap(), 3);
    });
}

/// The limit is lowered as a runner takes a job: none is forgotten, and afterwards one runs at a time.
#[test]
fn lower_and_two_jobs() {
    explore("the limit of a view lowered, and two jobs", Some(0), || {
        let view = pool(2).limited(2);
        let other = view.clone();
        let lowers = thread::spawn(move || other.set_limit(1));
        let (first, second) = (view.submit(|| 1), view.submit(|| 2));
        lowers.join().unwrap();
        assert_eq!(block_on(first).unwrap() + block_on(second).unwrap(), 3);
        assert_eq!(block_on(view.submit(|| 4)).unwrap(), 4);
    });
}

#[test]
fn raise_and_two_jobs_that_need_each_other() {
    explore("the limit of a view raised, and two jobs that need each other", Some(0), || {
        let view = pool(2).limited(1);
        let (send, receive) = loom::sync::mpsc::channel();
        let first = view.submit(move || receive.recv().unwrap());
        let other = view.clone();
        let raises = thread::spawn(move || other.set_limit(2));
        view.submit(move || send.send(7).unwrap()).detach();
        assert_eq!(block_on(first).unwrap(), 7);
        raises.join().unwrap();
    });
}

/// A job with a permit is not refused because the pool is full, though another job's runner is refused for that.
#[test]
fn a_permit_of_a_view_of_a_full_pool() {
    explore("a permit of a view of a full pool", Some(0), || {
        let pool = ThreadPool::builder().max_threads(1).keep_alive(Duration::MAX).queue_capacity(0).build();
        let view = pool.limited(1);
        let (end, wait) = loom::sync::mpsc::channel();
        let fills = pool.submit(move || wait.recv().unwrap());
        let other = view.clone();
        let submitter = thread::spawn(move || block_on(other.submit(|| 1)));
        let permitted = block_on(view.reserve()).unwrap().submit(|| 2);
        end.send(()).unwrap();
        block_on(fills).unwrap();
        assert_eq!(block_on(permitted).unwrap(), 2);
        assert!(matches!(submitter.join().unwrap(), Ok(1) | Err(Error::QueueFull)));
    });
}

/// The job may end, or be refused with its view, as the caller begins to wait for that.
#[test]
fn wait_idle_and_the_end_of_a_job() {
    explore("wait_idle on a view and the end of a job", Some(2), || {
        let view = pool(1).limited(1);
        let done = Arc::new(AtomicUsize::new(0));
        let job = Arc::clone(&done);
        view.submit(move || job.fetch_add(1, Ordering::SeqCst)).detach();
        block_on(view.wait_idle());
        assert_eq!(done.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn wait_idle_and_cancel() {
    explore("wait_idle on a view and cancel", Some(2), || {
        let view = pool(1).limited(1);
        let handle = view.submit(|| ());
        let canceller = thread::spawn(move || drop(handle));
        block_on(view.wait_idle());
        canceller.join().unwrap();
        block_on(view.wait_idle());
    });
}

#[test]
fn wait_idle_and_a_refused_runner() {
    explore("wait_idle on a view and a pool that stops", Some(2), || {
        let pool = pool(1);
        let view = pool.limited(1);
        let handle = view.submit(|| ());
        let stopper = thread::spawn(move || drop(pool.shutdown_now()));
        block_on(view.wait_idle());
        stopper.join().unwrap();
        let _ = block_on(handle);
        block_on(view.wait_idle());
    });
}
