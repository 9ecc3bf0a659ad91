//! What the `metrics` facade gets of a pool of processes: the names, restarts by reason, the resident memory of each worker.

use std::time::Duration;

use offload_runtime::Error;
use pollster::block_on;
use tests_process::functions;
use tests_process::pool;
use tests_process::support::{Published, bounded, content, eventually};

#[test]
fn calls_restarts_and_memory_are_published_under_their_names() {
    let published = Published::install();
    let count = |name: &str, labels: &[&str]| published.count(name, labels);
    bounded({
        move || {
            let directory = tempfile::tempdir().unwrap();
            let pool = pool!(max_workers(1), name("published"), memory_limit(1 << 30));
            for _ in 0..3 {
                assert_eq!(block_on(functions::add(&pool, 1, 2)).unwrap(), 3);
            }
            assert!(matches!(block_on(functions::dies(&pool, "abort".into())), Err(Error::Died { .. })));
            let cancelled = functions::runs_for_ever(&pool, directory.path().join("runs"));
            content(&directory.path().join("runs"));
            // While a call runs, its worker is measured, as there is a limit.
            let labels = ["pool=\"published\""];
            eventually("the worker's memory is published", || {
                published.values("offload_process_resident_bytes", &labels).iter().any(|bytes| *bytes > 4096.0)
            });
            assert_eq!(published.values("offload_pool_processes", &labels), [1.0]);
            drop(cancelled);
            eventually("it is replaced", || pool.metrics().restarted() == 2);
            assert_eq!(block_on(functions::add(&pool, 1, 2)).unwrap(), 3);

            let limited = pool!(max_workers(1), name("published"), time_limit(Duration::from_millis(50)));
            let late = functions::runs_for_ever(&limited, directory.path().join("late"));
            assert!(matches!(block_on(late), Err(Error::TimedOut)));
            let small = pool!(max_workers(1), name("published"), memory_limit(64 << 20));
            assert!(matches!(block_on(functions::eats(&small, 256 << 20)), Err(Error::Died { .. })));
            let once = pool!(max_workers(1), name("published"), calls_per_worker(1));
            assert_eq!(block_on(functions::add(&once, 1, 2)).unwrap(), 3);
            eventually("it has had its calls", || once.metrics().restarted() == 1);
            // They end, and with them what they publish.
            for pool in [pool, limited, small, once] {
                block_on(pool.shutdown());
            }
        }
    });
    let pool = "pool=\"published\"";
    for (reason, expected) in [("died", 1), ("cancelled", 1), ("timed_out", 1), ("memory", 1), ("calls", 1)] {
        let reason = format!("reason=\"{reason}\"");
        assert_eq!(count("offload_pool_restarts", &[pool, &reason]), expected, "{reason}");
    }
    assert_eq!(count("offload_jobs_submitted", &[pool]), 9);
    assert_eq!(count("offload_jobs_completed", &[pool]), 5);
    // A call that failed with its worker counts as panicked.
    assert_eq!(count("offload_jobs_panicked", &[pool]), 3);
    assert_eq!(count("offload_jobs_cancelled", &[pool, "when=\"after_start\""]), 1);
    assert_eq!(count("offload_jobs_completed", &[pool, "method=\"tests_process::functions::add\""]), 5);
    assert_eq!((count("offload_jobs_queued", &[pool]), count("offload_jobs_running", &[pool])), (0, 0));
    assert_eq!(count("offload_pool_processes", &[pool]), 0);
    // No memory is left to a process that has gone, and each had the gauge of the one before.
    assert_eq!(published.values("offload_process_resident_bytes", &[pool]), [0.0]);
    assert_eq!(published.values("offload_process_resident_bytes", &[pool, "worker=\"0\""]), [0.0]);
}

#[test]
fn a_pool_that_declines_to_publish_calls_no_recorder() {
    let published = Published::install();
    bounded(|| {
        let pool =
            pool!(max_workers(1), name("declined"), memory_limit(1 << 30), calls_per_worker(1), publish_metrics(false));
        assert_eq!(block_on(functions::add(&pool, 1, 2)).unwrap(), 3);
        eventually("it has had its calls", || pool.metrics().restarted() == 1);
        block_on(pool.shutdown());
        assert_eq!(pool.metrics().completed(), 1);
    });
    let names =
        ["offload_jobs_submitted", "offload_pool_restarts", "offload_pool_processes", "offload_process_resident_bytes"];
    for name in names {
        assert!(published.values(name, &["pool=\"declined\""]).is_empty(), "{name}");
    }
}
