//! C1: an accepted job runs at most once; its handle resolves exactly once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Poll, Waker};

use offload_runtime::{Error, Executor, ExecutorExt, Inline, ThreadPool};
use tests::support::{Gate, Occupied, Tokens, eventually, finish, poll_once, rayon_pool, tokio_runtime};

/// Four producers, 250 jobs each: each runs once, and each result goes to the handle of its job.
fn each_runs_once(executor: &(dyn Executor + 'static)) {
    const EACH: usize = 250;
    let runs: Arc<Vec<AtomicUsize>> = Arc::new((0..4 * EACH).map(|_| AtomicUsize::new(0)).collect());
    std::thread::scope(|scope| {
        for producer in 0..4 {
            let runs = &runs;
            scope.spawn(move || {
                let submit = |i: usize| {
                    let runs = Arc::clone(runs);
                    (i, executor.submit(move || (i, runs[i].fetch_add(1, Ordering::SeqCst))))
                };
                let handles: Vec<_> = (producer * EACH..(producer + 1) * EACH).map(submit).collect();
                for (i, handle) in handles {
                    assert_eq!(finish(handle).unwrap(), (i, 0));
                }
            });
        }
    });
    assert!(runs.iter().all(|runs| runs.load(Ordering::SeqCst) == 1));
}

#[test]
fn c01_each_job_runs_once_on_a_pool() {
    each_runs_once(&ThreadPool::new(1));
    each_runs_once(&ThreadPool::new(4));
}

#[test]
fn c01_each_job_runs_once_in_a_limited_view() {
    each_runs_once(&ThreadPool::new(4).limited(1));
    each_runs_once(&ThreadPool::new(2).limited(3));
}

#[test]
fn c01_each_job_runs_once_on_executors_of_others() {
    each_runs_once(&Inline);
    each_runs_once(tokio_runtime(3).handle());
    each_runs_once(&rayon_pool(3));
}

#[test]
#[should_panic(expected = "`JobHandle` polled after it returned its result")]
fn c01_a_handle_polled_after_completion_says_so() {
    let mut handle = Inline.submit(|| 1);
    assert!(matches!(poll_once(&mut handle, Waker::noop()), Poll::Ready(Ok(1))));
    let _ = poll_once(&mut handle, Waker::noop());
}

#[test]
fn c01_a_handle_knows_when_it_is_finished() {
    let pool = ThreadPool::new(1);
    let gate = Gate::closed();
    let door = gate.clone();
    let mut handle = pool.submit(move || door.pass());
    gate.wait_for(1);
    assert!(!handle.is_finished());
    gate.open();
    eventually("the job ends", || handle.is_finished());
    assert!(matches!(poll_once(&mut handle, Waker::noop()), Poll::Ready(Ok(()))));
    assert!(handle.is_finished(), "after its result was returned, too");
}

/// The worker claims while the handle cancels: one of them has it, and the other knows.
#[test]
fn c01_a_cancel_that_races_with_the_start_decides_once() {
    let pool = ThreadPool::new(1);
    let (mut ran_of, mut cancelled_of) = (0, 0);
    for round in 0..4_000 {
        let runs = Arc::new(AtomicUsize::new(0));
        let tokens = Tokens::new();
        let (counter, token) = (Arc::clone(&runs), tokens.token());
        let handle = pool.submit(move || {
            let _token = token;
            counter.fetch_add(1, Ordering::SeqCst)
        });
        for _ in 0..round % 64 {
            std::hint::spin_loop();
        }
        handle.cancel();
        let ran = match finish(handle) {
            Ok(0) => true,
            Err(Error::Cancelled) => false,
            other => panic!("{other:?}"),
        };
        assert_eq!(runs.load(Ordering::SeqCst), usize::from(ran));
        assert_eq!(tokens.alive(), 0);
        *if ran { &mut ran_of } else { &mut cancelled_of } += 1;
    }
    println!("{ran_of} ran, {cancelled_of} were cancelled");
}

#[test]
fn c01_two_cancels_at_once_free_the_closure_once() {
    let pool = ThreadPool::new(1);
    for _ in 0..500 {
        let occupied = Occupied::new(&pool, 1);
        let tokens = Tokens::new();
        let token = tokens.token();
        let handle = pool.submit(move || drop(token));
        let barrier = Barrier::new(2);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    barrier.wait();
                    handle.cancel();
                });
            }
        });
        assert_eq!(tokens.alive(), 0);
        assert!(matches!(finish(handle), Err(Error::Cancelled)));
        occupied.release();
    }
}
