//! C8: threads grow to the cap while jobs wait, retire after `keep_alive` down to the minimum, and are started again when needed.
//!
//! Threads are counted by the pool's own hooks. A job that needs the others' company (a barrier) shows that there are so many threads.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Duration;

use offload_runtime::{ExecutorExt, ThreadPool, ThreadPoolBuilder};
use tests::support::{Gate, Occupied, Started, eventually, finish};

/// Runs `n` jobs that wait for one another: they end only if `n` threads run them.
#[track_caller]
fn meet(pool: &ThreadPool, n: usize) {
    let gate = Gate::closed();
    let jobs: Vec<_> = (0..n).map(|_| gate.clone()).map(|gate| pool.submit(move || gate.pass())).collect();
    gate.wait_for(n);
    gate.open();
    for job in jobs {
        finish(job).unwrap();
    }
}

fn watched(builder: ThreadPoolBuilder) -> (ThreadPool, Started) {
    let started = Started::default();
    (started.watch(builder).build(), started)
}

#[test]
fn c08_no_thread_before_the_first_job() {
    let (pool, started) = watched(ThreadPool::builder().max_threads(4).min_threads(4));
    assert_eq!(started.in_all(), 0);
    finish(pool.submit(|| ())).unwrap();
    assert_eq!(started.in_all(), 1, "and no more than jobs ask for");
}

#[test]
fn c08_threads_grow_to_the_cap_and_not_beyond() {
    let (pool, started) = watched(ThreadPool::builder().max_threads(8));
    let occupied = Occupied::new(&pool, 8);
    let waiting: Vec<_> = (0..100).map(|i| pool.submit(move || i)).collect();
    assert_eq!(started.in_all(), 8);
    occupied.release();
    waiting.into_iter().enumerate().for_each(|(i, job)| assert_eq!(finish(job).unwrap(), i));
    assert_eq!(started.in_all(), 8);
}

/// One thread is called; it has to call the next, and so on, or only one job begins.
#[test]
fn c08_a_burst_on_sleeping_threads_wakes_as_many_as_there_are_jobs() {
    let (pool, started) = watched(ThreadPool::builder().max_threads(6).min_threads(6));
    for _ in 0..20 {
        meet(&pool, 6);
    }
    assert_eq!(started.in_all(), 6, "woken, not started anew");
}

/// The hook may take long, as where it opens a connection: it runs on all threads that jobs ask for at once, not on one after the other.
#[test]
fn c08_a_thread_that_runs_the_start_hook_keeps_no_other_from_being_started() {
    let gate = Gate::closed();
    let in_start = gate.clone();
    let pool = ThreadPool::builder().max_threads(8).on_thread_start(move || in_start.pass()).build();
    let jobs: Vec<_> = (0..4).map(|_| pool.submit(|| ())).collect();
    gate.wait_for(4);
    assert_eq!(pool.metrics().threads(), 4, "no more than jobs ask for");
    gate.open();
    for job in jobs {
        finish(job).unwrap();
    }
}

/// It is counted on only once it is there: meanwhile a parked thread gets the job.
#[test]
fn c08_a_thread_that_runs_the_start_hook_keeps_no_job_from_another() {
    let gate = Gate::closed();
    let (in_start, started) = (gate.clone(), AtomicUsize::new(0));
    let hangs_in_the_second = move || {
        if started.fetch_add(1, Ordering::SeqCst) == 1 {
            in_start.pass();
        }
    };
    let pool = ThreadPool::builder().max_threads(8).on_thread_start(hangs_in_the_second).build();
    let occupied = Occupied::new(&pool, 1);
    let second = pool.submit(|| ());
    gate.wait_for(1);
    occupied.release();
    finish(second).unwrap();
    for _ in 0..3 {
        // The first looks for work, or sleeps.
        finish(pool.submit(|| ())).unwrap();
        assert_eq!(pool.metrics().threads(), 2);
        thread::sleep(Duration::from_millis(1));
    }
    gate.open();
    finish(pool.shutdown());
}

#[test]
fn c08_a_thread_that_is_free_is_used_before_another_is_started() {
    let (pool, started) = watched(ThreadPool::builder().max_threads(64));
    for i in 0..200 {
        assert_eq!(finish(pool.submit(move || i)).unwrap(), i);
        // The handle knows of the result a moment before the thread is free.
        eventually("the thread is free", || format!("{pool:?}").contains("running: 0"));
    }
    assert_eq!(started.in_all(), 1);
}

#[test]
fn c08_threads_retire_to_the_minimum_and_come_back() {
    let (pool, started) =
        watched(ThreadPool::builder().max_threads(4).min_threads(1).keep_alive(Duration::from_millis(5)));
    for round in 1..=3 {
        meet(&pool, 4);
        eventually("all but one thread retire", || started.alive() == 1);
        assert_eq!(started.in_all(), 1 + 3 * round, "the one that stayed is used again");
    }
    thread::sleep(Duration::from_millis(20)); // several keep-alives: if it could go, it would
    assert_eq!(started.alive(), 1, "the minimum stays");
}

/// Threads that stay sleep, though their keep-alive is over at once.
#[test]
fn c08_the_minimum_sleeps_without_a_keep_alive() {
    let (pool, started) = watched(ThreadPool::builder().max_threads(2).min_threads(1).keep_alive(Duration::ZERO));
    for _ in 0..20 {
        meet(&pool, 2);
        eventually("all but one thread retire", || started.alive() == 1);
    }
    finish(pool.shutdown());
    assert_eq!(started.alive(), 0);
}

#[test]
fn c08_without_a_minimum_all_threads_retire() {
    let (pool, started) = watched(ThreadPool::builder().max_threads(4).keep_alive(Duration::ZERO));
    for _ in 0..10 {
        meet(&pool, 4);
        eventually("all threads retire", || started.alive() == 0);
    }
    // It can be waited for at any time, and does not count threads that have gone.
    finish(pool.shutdown());
}

/// A burst of sixty jobs that block is followed by a return to the minimum. Well-known pools have kept them all.
#[test]
fn c08_a_burst_of_sixty_is_followed_by_a_return_to_the_minimum() {
    let (pool, started) =
        watched(ThreadPool::builder().max_threads(60).min_threads(2).keep_alive(Duration::from_millis(20)));
    meet(&pool, 60);
    assert_eq!(started.in_all(), 60);
    eventually("all but two retire", || started.alive() == 2);
    meet(&pool, 2);
    assert_eq!(started.in_all(), 60, "those two serve again");
}

/// Work that one thread can do lets the other go: the thread that fell asleep last is woken first.
#[test]
fn c08_light_work_lets_threads_retire() {
    let (pool, started) = watched(ThreadPool::builder().max_threads(3).keep_alive(Duration::from_millis(50)));
    meet(&pool, 3);
    eventually("two threads retire under work for one", || {
        finish(pool.submit(|| ())).unwrap();
        started.alive() <= 1
    });
}

#[test]
fn c08_a_keep_alive_without_end_keeps_threads() {
    let (pool, started) = watched(ThreadPool::builder().max_threads(2).keep_alive(Duration::MAX));
    meet(&pool, 2);
    meet(&pool, 2);
    assert_eq!((started.alive(), started.in_all()), (2, 2));
    finish(pool.shutdown());
    assert_eq!(started.alive(), 0);
}

#[test]
fn c08_a_minimum_above_the_maximum_is_the_maximum() {
    let (pool, started) =
        watched(ThreadPool::builder().max_threads(2).min_threads(9).keep_alive(Duration::from_millis(1)));
    let occupied = Occupied::new(&pool, 2);
    let more: Vec<_> = (0..10).map(|_| pool.submit(|| ())).collect();
    assert_eq!(started.in_all(), 2);
    occupied.release();
    for job in more {
        finish(job).unwrap();
    }
    assert_eq!(started.in_all(), 2);
}

/// Uses more than the 2 MiB of stack that a thread has unless told otherwise, frame by frame.
fn deeper(frames: u32) -> u32 {
    let frame = std::hint::black_box([1_u8; 8 << 10]);
    if frames == 0 { 0 } else { deeper(frames - 1) + u32::from(frame[0]) }
}

#[test]
fn c08_threads_are_named_in_order_and_have_their_stack() {
    let pool = ThreadPool::builder().max_threads(3).thread_name("db").stack_size(16 << 20).build();
    let barrier = Arc::new(Barrier::new(3));
    let job = |_| {
        let barrier = Arc::clone(&barrier);
        pool.submit(move || {
            barrier.wait();
            assert_eq!(deeper(400), 400);
            thread::current().name().map(str::to_owned)
        })
    };
    let jobs: Vec<_> = (0..3).map(job).collect();
    let names: HashSet<_> = jobs.into_iter().filter_map(|job| finish(job).unwrap()).collect();
    assert_eq!(names, ["db-0", "db-1", "db-2"].map(String::from).into());
}

/// Jobs of one thread begin in the order of their submission.
#[test]
fn c08_jobs_begin_in_order() {
    let pool = ThreadPool::new(1);
    let occupied = Occupied::new(&pool, 1);
    let (log, began) = mpsc::channel();
    let jobs: Vec<_> = (0..100).map(|i| (log.clone(), i)).map(|(log, i)| pool.submit(move || log.send(i))).collect();
    occupied.release();
    for job in jobs {
        finish(job).unwrap().unwrap();
    }
    assert_eq!(began.try_iter().collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
}

/// A long job after many short ones does not hold up the jobs behind it.
#[test]
fn c08_a_long_job_does_not_hold_up_the_jobs_behind_it() {
    let pool = ThreadPool::builder().max_threads(4).build();
    let submit = |gate: Option<Gate>| pool.submit(move || gate.map(|gate| gate.pass()).is_some());
    for _ in 0..10 {
        let gate = Gate::closed();
        let short: Vec<_> = (0..2_000).map(|_| submit(None)).collect();
        let long: Vec<_> = (0..3).map(|_| submit(Some(gate.clone()))).collect();
        let behind: Vec<_> = (0..100).map(|_| submit(None)).collect();
        for job in short.into_iter().chain(behind) {
            assert!(!finish(job).unwrap());
        }
        gate.open();
        for job in long {
            assert!(finish(job).unwrap());
        }
    }
}
