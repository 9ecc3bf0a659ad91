//! Loom models of the pool: submit against sleep, against retirement, against shutdown, and the hand-over in a limited view.
//!
//! A lost job, or a lost wake-up, shows as a deadlock. Run by `ci/loom.sh`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use loom::future::block_on;
use loom::sync::Notify;
use loom::thread;

use super::ThreadPool;
use crate::error::Error;
use crate::executor::Executor;
use crate::ext::ExecutorExt;
use crate::job::models::{Tokens, each_is_due, expect_rare_calls, expect_short_jobs, explore};
use crate::job::{Job, Origin, Work};

fn pool(threads: usize) -> ThreadPool {
    ThreadPool::builder().max_threads(threads).keep_alive(Duration::MAX).build()
}

/// Two jobs: by the second, the worker is on its way to sleep, or sleeps.
fn one_after_the_other(pool: &ThreadPool) {
    assert_eq!(block_on(pool.submit(|| 1)).unwrap(), 1);
    assert_eq!(block_on(pool.submit(|| 2)).unwrap(), 2);
}

#[test]
fn submit_and_sleep() {
    explore("submit and sleep", Some(3), || one_after_the_other(&pool(1)));
}

#[test]
fn submit_and_sleep_without_a_look() {
    let _rare = expect_rare_calls();
    explore("submit and sleep, without a look before", Some(2), || {
        one_after_the_other(&pool(1));
    });
}

#[test]
fn two_submitters_one_worker() {
    explore("two submitters, one worker", Some(2), || {
        let tokens = Tokens::default();
        let pool = pool(1);
        let other = pool.clone();
        let token = tokens.new_one();
        let submitter = thread::spawn(move || block_on(other.submit(move || drop(token))).unwrap());
        let token = tokens.new_one();
        block_on(pool.submit(move || drop(token))).unwrap();
        submitter.join().unwrap();
    });
}

#[test]
fn two_jobs_two_workers() {
    explore("two jobs, two workers", Some(2), || {
        let pool = pool(2);
        let first = pool.submit(|| 1);
        let second = pool.submit(|| 2);
        assert_eq!(block_on(first).unwrap() + block_on(second).unwrap(), 3);
    });
}

/// By the third, both workers look for work, one of them does, or none.
#[test]
fn a_job_after_two_on_two_workers() {
    explore("a job after two, two workers", Some(1), || {
        let pool = pool(2);
        let (first, second) = (pool.submit(|| 1), pool.submit(|| 2));
        assert_eq!(block_on(first).unwrap() + block_on(second).unwrap(), 3);
        assert_eq!(block_on(pool.submit(|| 4)).unwrap(), 4);
    });
}

/// Submits two jobs of which the first does not end without the second, and awaits both.
fn need_each_other(pool: ThreadPool) {
    let (send, receive) = loom::sync::mpsc::channel();
    let first = pool.submit(move || receive.recv().unwrap());
    let second = pool.submit(move || send.send(7).unwrap());
    drop(pool);
    assert_eq!(block_on(first).unwrap(), 7);
    block_on(second).unwrap();
}

#[test]
fn two_jobs_that_need_each_other() {
    explore("two jobs that need each other", Some(2), || {
        let pool = pool(2);
        need_each_other(pool.clone());
    });
}

/// One that looks after the inbox hides nothing from a thread that looks for work.
#[test]
fn submit_and_sleep_where_each_job_looks_after_the_inbox() {
    let _due = each_is_due();
    explore("submit and sleep, with a look after the inbox", Some(2), || {
        one_after_the_other(&pool(1));
    });
}

/// The first is taken for a short one, and nobody is called for the second.
#[test]
fn a_job_that_is_not_as_short_as_expected() {
    let _short = expect_short_jobs();
    explore("a job that is not as short as expected", Some(2), || {
        let pool = pool(2);
        need_each_other(pool.clone());
    });
}

/// The same, where one stands by already, perhaps.
#[test]
fn a_flow_that_stalls() {
    let _short = expect_short_jobs();
    explore("a flow that stalls", Some(1), || {
        let pool = pool(2);
        let before = [pool.submit(|| ()), pool.submit(|| ())];
        need_each_other(pool.clone());
        for handle in before {
            block_on(handle).unwrap();
        }
    });
}

/// Who awaits a job that has ended is not told at once, perhaps, and the next job waits for him.
#[test]
fn a_job_that_needs_who_awaits_the_one_before() {
    let _short = expect_short_jobs();
    explore("a job that needs who awaits the one before", Some(1), || {
        let pool = pool(2);
        pool.submit(|| ()).detach();
        let first = pool.submit(|| 1);
        let (send, receive) = loom::sync::mpsc::channel();
        let second = pool.submit(move || receive.recv().unwrap());
        // A pool that closes lets nobody wait.
        assert_eq!(block_on(first).unwrap(), 1);
        send.send(7).unwrap();
        assert_eq!(block_on(second).unwrap(), 7);
    });
}

#[test]
fn close_and_a_thread_that_stands_by() {
    let _short = expect_short_jobs();
    explore("close, and a thread that stands by", Some(1), || need_each_other(pool(2)));
}

#[test]
fn retire_and_submit() {
    explore("retire and submit", Some(3), || {
        let pool = ThreadPool::builder().max_threads(1).keep_alive(Duration::ZERO).build();
        block_on(pool.submit(|| ())).unwrap();
        block_on(pool.submit(|| ())).unwrap();
    });
}

#[test]
fn close_and_submit() {
    explore("close and submit", Some(3), || {
        let tokens = Tokens::default();
        let pool = pool(1);
        let other = pool.clone();
        let closer = thread::spawn(move || other.close());
        let token = tokens.new_one();
        let handle = pool.submit(move || drop(token));
        match block_on(handle) {
            Ok(()) | Err(Error::ShutDown) => {}
            Err(other) => panic!("{other}"),
        }
        closer.join().unwrap();
    });
}

/// Whoever submits may be on the way to the lock as the pool closes, with no thread there yet.
#[test]
fn shutdown_and_submit() {
    explore("shutdown and submit", Some(2), || {
        let pool = pool(1);
        let done = Arc::new(AtomicUsize::new(0));
        let (other, job) = (pool.clone(), Arc::clone(&done));
        let submitter = thread::spawn(move || other.submit(move || job.fetch_add(1, Ordering::SeqCst)));
        block_on(pool.shutdown());
        let ended_with = done.load(Ordering::SeqCst);
        match block_on(submitter.join().unwrap()) {
            Ok(_) => assert_eq!(ended_with, 1, "it ran after the pool had ended"),
            Err(Error::ShutDown) => {}
            Err(other) => panic!("{other}"),
        }
    });
}

/// A thread that is not there before both jobs have ended keeps them from no other.
#[test]
fn a_thread_that_is_long_in_its_hook() {
    explore("a thread that is long in its hook", Some(1), || {
        let (go_on, started) = (Arc::new(Notify::new()), AtomicUsize::new(0));
        let told = Arc::clone(&go_on);
        let hangs_in_the_first = move || {
            if started.fetch_add(1, Ordering::SeqCst) == 0 {
                told.wait();
            }
        };
        let pool = ThreadPool::builder().max_threads(2).keep_alive(Duration::MAX).on_thread_start(hangs_in_the_first);
        let pool = pool.build();
        let (first, second) = (pool.submit(|| 1), pool.submit(|| 2));
        assert_eq!(block_on(first).unwrap() + block_on(second).unwrap(), 3);
        go_on.notify();
    });
}

/// What is owed to a pool's own is taken, though the pool closes at that moment: the thread that hands it in is there.
#[test]
fn close_and_a_job_that_is_owed() {
    struct Owed(Arc<AtomicUsize>);

    impl Work for Owed {
        type Output = ();
        const OWED: bool = true;

        fn run(self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    explore("close and a job that is owed", Some(3), || {
        let pool = pool(1);
        let done = Arc::new(AtomicUsize::new(0));
        let (inner, owed) = (pool.clone(), Owed(Arc::clone(&done)));
        let outer = pool.submit(move || inner.execute(Job::unobserved(Origin::of_caller(), owed)));
        match block_on(async { (outer, pool.shutdown().await).0.await }) {
            Ok(()) => assert_eq!(done.load(Ordering::SeqCst), 1, "it was refused"),
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn shutdown_is_told_when_the_last_worker_left() {
    explore("shutdown and the last job", Some(3), || {
        let pool = pool(1);
        let done = Arc::new(AtomicUsize::new(0));
        let job = Arc::clone(&done);
        pool.submit(move || job.fetch_add(1, Ordering::SeqCst)).detach();
        block_on(pool.shutdown());
        assert_eq!(done.load(Ordering::SeqCst), 1);
        assert_eq!(Arc::strong_count(&done), 1);
    });
}

#[test]
fn shutdown_now_and_a_queued_job() {
    explore("shutdown_now and a queued job", Some(2), || {
        let tokens = Tokens::default();
        let pool = pool(1);
        let token = tokens.new_one();
        let handle = pool.submit(move || drop(token));
        block_on(pool.shutdown_now());
        match block_on(handle) {
            Ok(()) | Err(Error::ShutDown) => {}
            Err(other) => panic!("{other}"),
        }
    });
}

#[test]
fn drop_of_a_queued_handle_and_the_worker() {
    explore("drop of a queued handle", Some(3), || {
        let tokens = Tokens::default();
        let pool = pool(1);
        let token = tokens.new_one();
        drop(pool.submit(move || drop(token)));
        block_on(pool.submit(|| ())).unwrap();
    });
}

#[test]
fn nested_on_one_worker() {
    explore("a job that waits for its own pool", Some(2), || {
        let pool = pool(1);
        let inner = pool.clone();
        let outer = pool.submit(move || block_on(inner.submit(|| 1)).unwrap() + 1);
        assert_eq!(block_on(outer).unwrap(), 2);
    });
}

#[test]
fn nested_with_a_thread_to_spare() {
    explore("a job that waits for its own pool, which has a thread to spare", Some(2), || {
        let tokens = Tokens::default();
        let pool = pool(2);
        let (inner, token) = (pool.clone(), tokens.new_one());
        let outer = pool.submit(move || {
            block_on(inner.submit(move || drop(token))).unwrap();
        });
        block_on(outer).unwrap();
    });
}

/// It is handed to the other worker while that one looks for work, or once it sleeps.
#[test]
fn nested_beside_a_worker_that_has_come_back() {
    explore("a job that waits for its own pool, beside a worker that has come back", Some(1), || {
        let tokens = Tokens::default();
        let pool = pool(2);
        let (inner, token) = (pool.clone(), tokens.new_one());
        let go_on = Arc::new(Notify::new());
        let told = Arc::clone(&go_on);
        let outer = pool.submit(move || {
            told.wait();
            block_on(inner.submit(move || drop(token))).unwrap();
        });
        block_on(pool.submit(|| ())).unwrap();
        go_on.notify();
        block_on(outer).unwrap();
    });
}

#[test]
fn a_chain_on_one_worker() {
    explore("a chain of three on one worker", Some(2), || {
        let pool = pool(1);
        let (second, third) = (pool.clone(), pool.clone());
        let chain = pool
            .submit(move || block_on(second.submit(move || block_on(third.submit(|| 1)).unwrap() + 1)).unwrap() + 1);
        assert_eq!(block_on(chain).unwrap(), 3);
    });
}

#[test]
fn nested_in_a_limited_view() {
    explore("a job that waits for its own limited view", Some(2), || {
        let view = pool(1).limited(1);
        let inner = view.clone();
        let outer = view.submit(move || block_on(inner.submit(|| 1)).unwrap() + 1);
        assert_eq!(block_on(outer).unwrap(), 2);
    });
}

#[test]
fn nested_in_a_view_of_the_own_pool() {
    explore("a job that waits for a view of its own pool", Some(2), || {
        let pool = pool(1);
        let view = pool.clone().limited(1);
        let other = view.clone();
        let outer = pool.submit(move || block_on(view.submit(|| 1)).unwrap() + 1);
        assert_eq!(block_on(other.submit(|| 3)).unwrap(), 3);
        assert_eq!(block_on(outer).unwrap(), 2);
    });
}

#[test]
fn a_chain_through_a_view_of_the_own_pool() {
    explore("a chain from a pool into its view", Some(1), || {
        let pool = pool(1);
        let view = pool.clone().limited(1);
        let outer = pool.submit(move || {
            let inner = view.clone();
            block_on(view.submit(move || block_on(inner.submit(|| 1)).unwrap() + 1)).unwrap() + 1
        });
        assert_eq!(block_on(outer).unwrap(), 3);
    });
}

#[test]
fn the_place_in_a_limited_view_is_handed_over() {
    explore("hand-over in a limited view", Some(2), || {
        let running = Arc::new(AtomicUsize::new(0));
        let view = pool(1).limited(1);
        let work = |running: &Arc<AtomicUsize>| {
            let running = Arc::clone(running);
            move || {
                assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0, "two at once");
                thread::yield_now();
                running.fetch_sub(1, Ordering::SeqCst);
            }
        };
        let (other, job) = (view.clone(), work(&running));
        let submitter = thread::spawn(move || block_on(other.submit(job)).unwrap());
        block_on(view.submit(work(&running))).unwrap();
        submitter.join().unwrap();
    });
}

#[test]
fn a_limited_view_of_a_pool_that_closes() {
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
