//! Calls whose worker dies before it has read them: nothing of them has run, so another worker has them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use offload_runtime::process::{ProcessPool, WorkerMetrics};
use offload_runtime::{Error, JobHandle};
use pollster::block_on;
use rustix::process::Signal;
use tests_process::functions;
use tests_process::pool;
use tests_process::support::{bounded, eventually, script, signal, state};

/// Stops a worker that has no call, so that it reads none that it is given.
fn stop(process: u32) {
    // Not in the middle of its last call.
    eventually("it waits", || state(process) == Some('S'));
    signal(process, Signal::STOP);
    eventually("it is stopped", || state(process) == Some('T'));
}

fn workers(pool: &ProcessPool) -> Vec<u32> {
    pool.metrics().workers().iter().map(WorkerMetrics::process_id).collect()
}

/// Makes a call that its worker has, and does not read. Returns the worker, too.
fn unread(pool: &ProcessPool, length: usize) -> (JobHandle<String>, u32) {
    let process = block_on(functions::process_id(pool)).unwrap();
    stop(process);
    let call = functions::echo(pool, "x".repeat(length));
    eventually("it is with the worker", || pool.running_jobs().iter().any(|call| call.process_id() == process));
    (call, process)
}

#[test]
fn a_call_that_its_worker_has_not_read_runs_on_another_one() {
    bounded(|| {
        let pool = pool!(max_workers(1));
        // As a whole in the socket, for which Linux says whether it was read, and in part.
        for length in [10, 100_000, 8 << 20] {
            if length < 1 << 20 && !cfg!(target_os = "linux") {
                continue;
            }
            let (call, process) = unread(&pool, length);
            signal(process, Signal::KILL);
            assert_eq!(block_on(call).unwrap().len(), length);
            assert_ne!(workers(&pool), [process]);
        }
        let metrics = pool.metrics();
        let calls = metrics.submitted();
        assert_eq!((metrics.completed(), metrics.panicked(), metrics.running(), metrics.queued()), (calls, 0, 0, 0));
    });
}

#[test]
fn a_worker_that_is_killed_while_idle_is_given_no_call() {
    bounded(|| {
        let pool = pool!(max_workers(1));
        for n in 0..200 {
            let process = block_on(functions::process_id(&pool)).unwrap();
            eventually("it waits", || state(process) == Some('S'));
            signal(process, Signal::KILL);
            // At once: the pool may not know of it yet, and the child may not have ended.
            assert_eq!(block_on(functions::add(&pool, n, 1)).unwrap(), n + 1);
        }
    });
}

#[test]
fn all_idle_workers_killed_at_once_fail_no_call() {
    bounded(|| {
        let pool = pool!(max_workers(3));
        for _ in 0..20 {
            let calls: Vec<_> = (0..3).map(|n| functions::sleeps(&pool, 20, n)).collect();
            for (n, call) in (0..).zip(calls) {
                assert_eq!(block_on(call).unwrap(), n);
            }
            eventually("all wait", || workers(&pool).iter().all(|process| state(*process) == Some('S')));
            for process in workers(&pool) {
                signal(process, Signal::KILL);
            }
            assert_eq!(block_on(functions::add(&pool, 1, 2)).unwrap(), 3);
        }
    });
}

#[test]
fn a_call_moves_three_times_at_most() {
    bounded(|| {
        let pool = pool!(max_workers(4));
        let calls: Vec<_> = (0..4).map(|n| functions::sleeps(&pool, 300, n)).collect();
        for (n, call) in (0..).zip(calls) {
            assert_eq!(block_on(call).unwrap(), n);
        }
        let processes = workers(&pool);
        assert_eq!(processes.len(), 4);
        processes.iter().copied().for_each(stop);
        let call = functions::add(&pool, 1, 2);
        for _ in &processes {
            eventually("it is with a worker", || !pool.running_jobs().is_empty());
            let process = pool.running_jobs()[0].process_id();
            signal(process, Signal::KILL);
            eventually("that is gone", || !workers(&pool).contains(&process));
        }
        match block_on(call) {
            Err(Error::Died { status }) => assert!(status.contains("SIGKILL"), "{status}"),
            other => panic!("{other:?}"),
        }
    });
}

/// A program whose first process is a worker, and whose later ones do `later`.
fn once(directory: &Path, later: &str) -> PathBuf {
    let used = directory.join("used");
    let worker = env!("CARGO_BIN_EXE_worker");
    script(directory, "once", &format!("mkdir {} 2>/dev/null && exec {worker} \"$@\"\n{later}", used.display()))
}

#[test]
fn a_call_that_has_lost_its_worker_and_has_no_other_says_why() {
    bounded(|| {
        let directory = tempfile::tempdir().unwrap();
        let pool = pool!(max_workers(1), program(once(directory.path(), "exit 5")));
        let (call, process) = unread(&pool, 10);
        signal(process, Signal::KILL);
        match block_on(call) {
            Err(Error::Unavailable(why)) => assert!(why.contains("exit status: 5"), "{why}"),
            other => panic!("{other:?}"),
        }
        let metrics = pool.metrics();
        assert_eq!((metrics.completed(), metrics.panicked(), metrics.running(), metrics.queued()), (1, 1, 0, 0));
    });
}

#[test]
fn a_call_that_waits_for_its_second_worker_can_be_dropped_and_ends_with_the_pool() {
    bounded(|| {
        for is_dropped in [true, false] {
            let directory = tempfile::tempdir().unwrap();
            let started = directory.path().join("started");
            let mute = format!("echo > {}; exec sleep 1000", started.display());
            let program = once(directory.path(), &mute);
            let pool = pool!(max_workers(1), program(program), start_timeout(Duration::from_secs(1000)));
            let (call, process) = unread(&pool, 10);
            signal(process, Signal::KILL);
            eventually("another one is started", || fs::exists(&started).unwrap());
            assert_eq!((pool.metrics().running(), pool.running_jobs().len()), (1, 0));
            if is_dropped {
                drop(call);
                assert_eq!((pool.metrics().running(), pool.metrics().cancelled()), (0, 1));
                block_on(pool.shutdown_now());
            } else {
                block_on(pool.shutdown_now());
                assert!(matches!(block_on(call), Err(Error::ShutDown)));
            }
            assert_eq!((pool.metrics().running(), pool.metrics().queued()), (0, 0));
        }
    });
}

#[test]
fn a_pool_that_is_closed_still_runs_a_call_that_has_lost_its_worker() {
    bounded(|| {
        let pool = pool!(max_workers(1));
        let (call, process) = unread(&pool, 10);
        let end = pool.shutdown();
        signal(process, Signal::KILL);
        block_on(end);
        assert_eq!(block_on(call).unwrap().len(), 10);
    });
}
