//! The system refuses a thread, while others exist and while none does.
//!
//! The process may have just under 2 GiB of address space and the pools' threads ask for 1 GiB of stack each: the first is there, the
//! second never. The refusal is the system's own.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use offload_runtime::{Error, ExecutorExt, ThreadPool, ThreadPoolBuilder};
use tests::support::{Gate, Occupied, Started, eventually, finish};

use crate::child;

const ADDRESS_SPACE: u32 = 1_990_000;

fn with_large_stacks() -> ThreadPoolBuilder {
    ThreadPool::builder().max_threads(8).stack_size(1 << 30)
}

/// Plays the test's scene in a process with little memory, or tells that this is that process.
#[track_caller]
fn short_of_memory(test: &str) -> bool {
    if child::is_child() {
        return child::plays(test);
    }
    let output = child::play(&format!("spawn::{test}"), test, Some(ADDRESS_SPACE));
    assert!(output.status.success(), "{}", child::text_of(&output));
    assert!(child::text_of(&output).contains("1 passed"), "{}", child::text_of(&output));
    false
}

/// Jobs wait for the thread that there is.
#[cfg(target_os = "linux")]
#[test]
fn jobs_wait_for_the_thread_that_there_is() {
    if !short_of_memory("jobs_wait_for_the_thread_that_there_is") {
        return;
    }
    let started = Started::default();
    let pool = started.watch(with_large_stacks()).build();
    let occupied = Occupied::new(&pool, 1);
    let waiting: Vec<_> = (0..50).map(|i| pool.submit(move || i)).collect();
    assert!(!waiting.iter().any(offload_runtime::JobHandle::is_finished), "none is refused");
    assert!(format!("{pool:?}").contains(" threads: 1"), "none is counted that is not there: {pool:?}");
    occupied.release();
    assert_eq!(waiting.into_iter().map(|job| finish(job).unwrap()).sum::<i32>(), 1225);
    assert_eq!(started.in_all(), 1);
    finish(pool.shutdown());
}

/// Producers submit while the only thread falls asleep and wakes, and each attempt to start a second one fails: a thread that was counted on
/// and could not be started must not be waited for.
#[cfg(target_os = "linux")]
#[test]
fn a_thread_that_falls_asleep_while_another_fails_to_start_is_called_back() {
    if !short_of_memory("a_thread_that_falls_asleep_while_another_fails_to_start_is_called_back") {
        return;
    }
    let started = Started::default();
    let pool = started.watch(with_large_stacks().min_threads(1)).build();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for i in 0..2_000_u32 {
                    if i % 3 == 0 {
                        drop(pool.submit(|| ()));
                    }
                    assert_eq!(finish(pool.submit(move || i)).unwrap(), i);
                }
            });
        }
    });
    assert_eq!(started.in_all(), 1);
}

/// The last thread retires while another fails to start: every job resolves, by a value or by the system's reason.
#[cfg(target_os = "linux")]
#[test]
fn a_thread_that_retires_while_another_fails_to_start_leaves_no_job_behind() {
    if !short_of_memory("a_thread_that_retires_while_another_fails_to_start_leaves_no_job_behind") {
        return;
    }
    let pool = with_large_stacks().keep_alive(Duration::ZERO).build();
    let (ran, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for i in 0..500_u32 {
                    match finish(pool.submit(move || i)) {
                        Ok(value) => assert_eq!((value, ran.fetch_add(1, Ordering::SeqCst)).0, i),
                        Err(Error::Spawn(_)) => {
                            refused.fetch_add(1, Ordering::SeqCst);
                        }
                        Err(other) => panic!("{other:?}"),
                    }
                }
            });
        }
    });
    assert_eq!(ran.into_inner() + refused.into_inner(), 1_000);
    finish(pool.shutdown());
}

/// A pool that was refused its first thread asks again with the next job.
#[cfg(target_os = "linux")]
#[test]
fn a_pool_recovers_when_there_is_room_again() {
    if !short_of_memory("a_pool_recovers_when_there_is_room_again") {
        return;
    }
    let taken = with_large_stacks().build();
    let occupied = Occupied::new(&taken, 1);
    let pool = with_large_stacks().build();
    let view = pool.clone().limited(2);
    for _ in 0..3 {
        assert!(matches!(finish(pool.submit(|| ())), Err(Error::Spawn(_))));
        assert!(matches!(finish(view.submit(|| ())), Err(Error::Spawn(_))));
    }
    occupied.release();
    finish(taken.shutdown());
    // The stack is given back a moment after the thread has gone.
    eventually("there is room", || finish(pool.submit(|| ())).is_ok());
    assert_eq!(finish(view.submit(|| 1)).unwrap(), 1);
}

/// A job awaits another of its pool, and no thread can be had for that: it is refused, rather than waited for without end. What else waits
/// is run when the thread is free.
#[cfg(target_os = "linux")]
#[test]
fn a_nested_job_is_refused_where_no_thread_can_be_had() {
    if !short_of_memory("a_nested_job_is_refused_where_no_thread_can_be_had") {
        return;
    }
    let pool = with_large_stacks().build();
    let (gate, of_job) = (Gate::closed(), pool.clone());
    let door = gate.clone();
    let outer = pool.submit(move || {
        door.pass();
        finish(of_job.submit(|| ()))
    });
    gate.wait_for(1);
    let others: Vec<_> = (0..10).map(|n| pool.submit(move || n)).collect();
    gate.open();
    assert!(matches!(finish(outer).unwrap(), Err(Error::Spawn(_))));
    for (n, job) in others.into_iter().enumerate() {
        assert_eq!(finish(job).unwrap(), n);
    }
    eventually("only its thread is counted", || format!("{pool:?}").contains(" threads: 1, running: 0"));
    finish(pool.shutdown());
}

/// The attempt to start a second thread fails while jobs are posted. When there is room again, the next job starts it, though all that were
/// posted before still wait.
#[cfg(target_os = "linux")]
#[test]
fn a_job_that_comes_after_a_failed_start_tries_again() {
    if !short_of_memory("a_job_that_comes_after_a_failed_start_tries_again") {
        return;
    }
    // The other pool's thread has the memory that the second thread of this one needs.
    let (small, other) =
        (|| ThreadPool::builder().stack_size(700 << 20), || ThreadPool::builder().stack_size(900 << 20));
    let (pool, taken) = (small().max_threads(2).build(), other().build());
    let (one, memory) = (Occupied::new(&pool, 1), Occupied::new(&taken, 1));
    let gate = Gate::closed();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let door = gate.clone();
                    pool.submit(move || door.pass()).detach();
                }
            });
        }
    });
    assert_eq!(gate.arrived(), 0, "no second thread could be had");
    memory.release();
    finish(taken.shutdown());
    // The stack is given back a moment after the thread has gone: each further job is an attempt.
    eventually("a second thread runs what waits", || {
        let door = gate.clone();
        pool.submit(move || door.pass()).detach();
        gate.arrived() > 0
    });
    gate.open();
    one.release();
    finish(pool.shutdown());
    assert_eq!(pool.metrics().completed(), pool.metrics().submitted());
}

/// Closed while the only attempt to start a thread fails: the waiter for the pool's end is woken.
#[test]
fn shutdown_of_a_pool_without_a_thread_resolves() {
    let pool = ThreadPool::builder().stack_size(1 << 60).build();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..200 {
                assert!(matches!(finish(pool.submit(|| ())), Err(Error::Spawn(_) | Error::ShutDown)));
            }
        });
        for _ in 0..20 {
            finish(pool.shutdown());
        }
    });
}

/// All that there is of the memory but for less than a thread's stack.
#[cfg(target_os = "linux")]
fn take_the_memory() -> Vec<Vec<u8>> {
    let mut taken = Vec::with_capacity(4_096);
    for bytes in [64 << 20, 1 << 20] {
        let mut chunk = Vec::new();
        while taken.len() < taken.capacity() && chunk.try_reserve_exact(bytes).is_ok() {
            taken.push(std::mem::take(&mut chunk));
        }
    }
    taken
}

/// A job in a view of a foreign executor awaits another. No thread can be had for that one: it is refused, with the system's reason.
#[cfg(target_os = "linux")]
#[test]
fn a_nested_job_of_a_foreign_executor_for_which_no_thread_can_be_had_is_refused() {
    if !short_of_memory("a_nested_job_of_a_foreign_executor_for_which_no_thread_can_be_had_is_refused") {
        return;
    }
    let runtime = tests::support::tokio_runtime(1);
    let view = runtime.handle().clone().limited(1);
    finish(view.submit(|| ())).unwrap();
    let of_job = view.clone();
    let outer = view.submit(move || {
        let taken = take_the_memory();
        let error = finish(of_job.submit(|| ())).map_err(|error| matches!(error, Error::Spawn(_)));
        drop(taken);
        error
    });
    assert_eq!(finish(outer).unwrap(), Err(true));
    // The place of the runner that never came is free.
    finish(view.submit(|| ())).unwrap();
}

/// A pool that is to start threads ahead asks for no more once the system has refused one. The names of threads tell how often it has asked.
#[cfg(target_os = "linux")]
#[test]
fn threads_that_are_started_ahead_end_with_the_first_that_is_refused() {
    if !short_of_memory("threads_that_are_started_ahead_end_with_the_first_that_is_refused") {
        return;
    }
    let name = || std::thread::current().name().map(str::to_owned).unwrap();
    let taken = with_large_stacks().thread_name("taken").start_threads(8).build();
    assert_eq!(taken.metrics().threads(), 1, "the second was refused");
    let refused = with_large_stacks().start_threads(8).build();
    assert_eq!(refused.metrics().threads(), 0);
    assert_eq!(finish(taken.submit(name)).unwrap(), "taken-0");
    finish(taken.shutdown());
    // It works on: each job asks again, and the stack is given back a moment after its thread has gone.
    let asked = Cell::new(1);
    eventually("there is room", || match finish(refused.submit(name)) {
        Ok(name) => {
            assert_eq!(name, format!("offload-{}", asked.get()));
            true
        }
        Err(error) => {
            assert!(matches!(error, Error::Spawn(_)), "{error:?}");
            asked.set(asked.get() + 1);
            false
        }
    });
    finish(refused.shutdown());
}
