//! The pool: growing and shrinking, its queue, cancellation, shutdown.

use std::time::Duration;

use offload_runtime::Error;
use offload_runtime::process::{OnDrop, RunningCall, WorkerMetrics};
use pollster::block_on;
use tests_process::functions;
use tests_process::pool;
use tests_process::support::{bounded, children, content, eventually, is_gone};

#[test]
fn workers_come_on_demand_and_the_last_used_is_used_next() {
    bounded(|| {
        let pool = pool!(max_workers(3));
        assert_eq!(pool.metrics().workers().len(), 0);
        let first = block_on(functions::process_id(&pool)).unwrap();
        for _ in 0..10 {
            assert_eq!(block_on(functions::process_id(&pool)).unwrap(), first);
        }
        assert_eq!(pool.metrics().workers().len(), 1);
        let calls: Vec<_> = (0..9).map(|n| functions::sleeps(&pool, 50, n)).collect();
        for (n, call) in calls.into_iter().enumerate() {
            assert_eq!(block_on(call).unwrap(), n as u64);
        }
        let metrics = pool.metrics();
        assert_eq!((metrics.workers().len(), metrics.peak_workers(), metrics.idle()), (3, 3, 3));
        assert!(metrics.workers().iter().all(|worker| worker.resident_bytes().unwrap() > 0));
    });
}

#[test]
fn a_worker_that_replaces_another_has_its_index() {
    bounded(|| {
        let pool = pool!(max_workers(2));
        for _ in 0..5 {
            let both = [functions::sleeps(&pool, 20, 0), functions::sleeps(&pool, 20, 0)];
            for call in both {
                block_on(call).unwrap();
            }
            let mut indices: Vec<_> = pool.metrics().workers().iter().map(WorkerMetrics::index).collect();
            indices.sort_unstable();
            assert_eq!(indices, [0, 1]);
            assert!(matches!(block_on(functions::dies(&pool, "abort".into())), Err(Error::Died { .. })));
        }
    });
}

#[test]
fn idle_workers_leave_after_the_keep_alive_but_for_the_minimum() {
    bounded(|| {
        let pool = pool!(max_workers(3), min_workers(1), keep_alive(Duration::from_millis(30)));
        let calls: Vec<_> = (0..3).map(|n| functions::sleeps(&pool, 100, n)).collect();
        for call in calls {
            block_on(call).unwrap();
        }
        eventually("two leave", || pool.metrics().workers().len() == 1);
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!((pool.metrics().workers().len(), pool.metrics().restarted()), (1, 0));
    });
}

#[test]
fn a_worker_is_replaced_after_its_number_of_calls() {
    bounded(|| {
        let pool = pool!(max_workers(1), calls_per_worker(3));
        let mut processes: Vec<_> = (0..9).map(|_| block_on(functions::process_id(&pool)).unwrap()).collect();
        processes.dedup();
        assert_eq!(processes.len(), 3, "{processes:?}");
    });
}

/// Where the pool is open, closed, or has lost its last handle: Python's gh-115634, gh-119592 and gh-152967.
#[test]
fn a_backlog_runs_to_its_end_although_each_worker_has_few_calls() {
    bounded(|| {
        for calls_per_worker in [1, 2] {
            for then in ["await", "close", "drop"] {
                let pool = pool!(max_workers(2), calls_per_worker(calls_per_worker));
                let calls: Vec<_> = (0..10).map(|n| functions::add(&pool, n, 1)).collect();
                let end = match then {
                    "await" => None,
                    "close" => Some(pool.shutdown()),
                    _ => {
                        drop(pool);
                        None
                    }
                };
                for (n, call) in (0..).zip(calls) {
                    assert_eq!(block_on(call).unwrap(), n + 1, "{then}");
                }
                end.map(block_on);
            }
        }
    });
}

#[test]
fn a_full_queue_refuses() {
    bounded(|| {
        let pool = pool!(max_workers(1), queue_capacity(1));
        let running = functions::sleeps(&pool, 200, 1);
        eventually("it runs", || pool.metrics().running() == 1);
        let queued = functions::sleeps(&pool, 1, 2);
        assert!(matches!(block_on(functions::add(&pool, 1, 2)), Err(Error::QueueFull)));
        assert_eq!((block_on(running).unwrap(), block_on(queued).unwrap()), (1, 2));
        let metrics = pool.metrics();
        assert_eq!((metrics.submitted(), metrics.completed(), metrics.refused()), (3, 2, 1));
    });
}

#[test]
fn dropping_a_queued_call_sends_nothing_and_gives_its_place_back() {
    bounded(|| {
        let (pool, directory) = (pool!(max_workers(1), queue_capacity(1)), tempfile::tempdir().unwrap());
        let running = functions::sleeps(&pool, 200, 1);
        eventually("it runs", || pool.metrics().running() == 1);
        let file = directory.path().join("queued");
        drop(functions::runs_for_ever(&pool, file.clone()));
        let next = functions::sleeps(&pool, 1, 2);
        assert_eq!((block_on(running).unwrap(), block_on(next).unwrap()), (1, 2));
        assert!(!file.exists());
        assert_eq!((pool.metrics().cancelled(), pool.metrics().restarted()), (1, 0));
    });
}

#[test]
fn dropping_a_running_call_kills_its_worker() {
    bounded(|| {
        let (pool, directory) = (pool!(max_workers(1)), tempfile::tempdir().unwrap());
        let file = directory.path().join("runs");
        let call = functions::runs_for_ever(&pool, file.clone());
        let process = content(&file).parse().unwrap();
        drop(call);
        assert_eq!(block_on(functions::add(&pool, 1, 2)).unwrap(), 3);
        assert!(is_gone(process));
        assert_eq!(pool.metrics().restarts().find(|(why, _)| *why == "cancelled"), Some(("cancelled", 1)));
    });
}

#[test]
fn cancelling_a_running_call_resolves_its_handle_and_kills_its_worker() {
    bounded(|| {
        let (pool, directory) = (pool!(max_workers(1)), tempfile::tempdir().unwrap());
        let file = directory.path().join("runs");
        let call = functions::runs_for_ever(&pool, file.clone());
        let process = content(&file).parse().unwrap();
        call.cancel();
        assert!(matches!(block_on(call), Err(Error::Cancelled)));
        eventually("it is killed", || is_gone(process));
    });
}

#[test]
fn a_signalled_call_learns_of_it_and_keeps_its_worker() {
    bounded(|| {
        let (pool, directory) = (pool!(max_workers(1), on_drop(OnDrop::Signal)), tempfile::tempdir().unwrap());
        let before = block_on(functions::process_id(&pool)).unwrap();
        for round in 0..20 {
            let file = directory.path().join(round.to_string());
            let call = functions::waits_for_cancellation(&pool, file.clone());
            assert_eq!(content(&file), "runs");
            drop(call);
            // It waits for the one before.
            assert_eq!(block_on(functions::process_id(&pool)).unwrap(), before);
            assert_eq!(content(&file), "cancelled");
        }
    });
}

#[test]
fn a_call_that_is_cancelled_before_its_worker_has_read_it_learns_of_that() {
    bounded(|| {
        let (pool, directory) = (pool!(max_workers(1), on_drop(OnDrop::Signal)), tempfile::tempdir().unwrap());
        let before = block_on(functions::process_id(&pool)).unwrap();
        let file = directory.path().join("runs");
        for _ in 0..5 {
            // The cancellation is at the other end before the last of so many bytes, unless this thread is kept from running.
            drop(functions::waits_long_after(&pool, file.clone(), "x".repeat(32 << 20)));
            assert_eq!(block_on(functions::process_id(&pool)).unwrap(), before, "it was killed after the grace time");
        }
    });
}

#[test]
fn a_signalled_call_that_does_not_end_is_killed_after_the_grace_time() {
    bounded(|| {
        let pool = pool!(max_workers(1), on_drop(OnDrop::Signal), grace(Duration::from_millis(100)));
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("runs");
        let call = functions::runs_for_ever(&pool, file.clone());
        let process: u32 = content(&file).parse().unwrap();
        drop(call);
        eventually("it is shown as cancelled", || pool.running_jobs().iter().all(RunningCall::is_cancelled));
        assert_ne!(block_on(functions::process_id(&pool)).unwrap(), process);
        assert!(is_gone(process));
    });
}

#[test]
fn a_dropped_call_may_finish() {
    bounded(|| {
        let (pool, directory) = (pool!(max_workers(1), on_drop(OnDrop::Finish)), tempfile::tempdir().unwrap());
        let (file, other) = (directory.path().join("a"), directory.path().join("b"));
        let call = functions::waits_for_file(&pool, file.clone(), other.clone());
        assert_eq!(content(&file), "runs");
        drop(call);
        std::fs::write(other, "").unwrap();
        assert_eq!(block_on(functions::add(&pool, 1, 2)).unwrap(), 3);
        assert_eq!(content(&file), "ended");
        assert_eq!((pool.metrics().completed(), pool.metrics().restarted()), (2, 0));
    });
}

#[test]
fn a_dropped_call_that_may_finish_still_has_its_time_limit() {
    bounded(|| {
        let pool = pool!(max_workers(1), on_drop(OnDrop::Finish), time_limit(Duration::from_millis(200)));
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("runs");
        let call = functions::runs_for_ever(&pool, file.clone());
        let process: u32 = content(&file).parse().unwrap();
        drop(call);
        assert_ne!(block_on(functions::process_id(&pool)).unwrap(), process);
        assert!(is_gone(process));
        let replaced: Vec<_> = pool.metrics().restarts().filter(|(_, count)| *count > 0).collect();
        assert_eq!(replaced, [("timed_out", 1)]);
    });
}

#[test]
fn no_stale_reply_reaches_the_next_call() {
    bounded(|| {
        let pool = pool!(max_workers(1), on_drop(OnDrop::Finish));
        for n in 0..300 {
            let dropped = functions::sleeps(&pool, n % 2, 1_000_000 + n);
            if n % 3 == 0 {
                std::thread::yield_now();
            }
            drop(dropped);
            assert_eq!(block_on(functions::sleeps(&pool, 0, n)).unwrap(), n);
        }
    });
}

#[test]
fn a_thousand_dropped_calls_leave_no_process() {
    bounded(|| {
        let pool = pool!(max_workers(2));
        for n in 0..1_000 {
            let call = functions::sleeps(&pool, 1_000, n);
            if n % 4 == 0 {
                // So that some of them run.
                eventually("it runs", || pool.metrics().running() > 0);
            }
            drop(call);
        }
        let mine: Vec<_> = pool.metrics().workers().iter().map(WorkerMetrics::process_id).collect();
        block_on(pool.shutdown());
        assert!(!children().iter().any(|(process, _)| mine.contains(process)), "{:?}", children());
        assert!(pool.metrics().restarted() >= 200, "{}", pool.metrics());
    });
}

#[test]
fn shutdown_drains_what_is_there_and_refuses_what_comes() {
    bounded(|| {
        let pool = pool!(max_workers(2));
        let calls: Vec<_> = (0..6).map(|n| functions::sleeps(&pool, 20, n)).collect();
        let end = pool.shutdown();
        assert!(matches!(block_on(functions::add(&pool, 1, 2)), Err(Error::ShutDown)));
        block_on(end);
        for (n, call) in calls.into_iter().enumerate() {
            assert!(call.is_finished());
            assert_eq!(block_on(call).unwrap(), n as u64);
        }
        assert_eq!(pool.metrics().workers().len(), 0);
        block_on(pool.shutdown());
    });
}

#[test]
fn shutdown_kills_what_remains_at_its_deadline() {
    bounded(|| {
        let (pool, directory) = (pool!(max_workers(1)), tempfile::tempdir().unwrap());
        let file = directory.path().join("runs");
        let (running, queued) = (functions::runs_for_ever(&pool, file.clone()), functions::add(&pool, 1, 2));
        let process = content(&file).parse().unwrap();
        let left = pool.shutdown().wait_timeout(Duration::from_millis(20)).unwrap_err();
        assert_eq!((left.running().len(), left.queued()), (1, 1));
        assert!(left.to_string().contains(&format!("in process {process}")), "{left}");
        block_on(pool.shutdown_within(Duration::from_millis(50)));
        assert!(is_gone(process));
        assert!(matches!(block_on(running), Err(Error::Cancelled)));
        assert!(matches!(block_on(queued), Err(Error::ShutDown)));
    });
}

#[test]
fn dropping_the_last_handle_returns_at_once_and_lets_calls_end() {
    bounded(|| {
        let (pool, directory) = (pool!(max_workers(1)), tempfile::tempdir().unwrap());
        let (file, other) = (directory.path().join("a"), directory.path().join("b"));
        let call = functions::waits_for_file(&pool, file.clone(), other.clone());
        assert_eq!(content(&file), "runs");
        let process = pool.running_jobs()[0].process_id();
        // The call cannot end before this has returned.
        drop(pool);
        std::fs::write(other, "").unwrap();
        assert!(block_on(call).unwrap());
        eventually("the worker leaves", || is_gone(process));
    });
}

#[test]
fn the_threads_of_a_pool_do_not_grow_with_its_workers() {
    let threads = || {
        std::fs::read_dir("/proc/self/task")
            .unwrap()
            .filter(|task| {
                let name = task.as_ref().unwrap().path().join("comm");
                std::fs::read_to_string(name).is_ok_and(|name| name.starts_with("counted"))
            })
            .count()
    };
    bounded(move || {
        let pool = pool!(max_workers(6), name("counted"));
        let calls: Vec<_> = (0..6).map(|n| functions::sleeps(&pool, 100, n)).collect();
        for call in calls {
            block_on(call).unwrap();
        }
        assert_eq!((pool.metrics().workers().len(), threads()), (6, 2));
        block_on(pool.shutdown());
        drop(pool);
        eventually("both have left", || threads() == 0);
    });
}
