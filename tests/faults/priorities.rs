//! Threads of different priorities: a worker of the class `SCHED_FIFO`, and a watcher on the same core that runs only while the worker
//! sleeps. A lock that the worker spins for would never be released.
//!
//! Where the system does not permit the class, the threads have equal priorities, and the test shows no more than that watchers end.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use offload_runtime::{ExecutorExt, ThreadPool, ThreadPoolBuilder};
use tests::support::finish;

const JOBS: usize = 3_000;

/// The last core, to which the worker and the watcher are bound.
fn core() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    (cores - 1).to_string()
}

/// Runs a tool on this thread's id. Returns whether it succeeded.
fn of_this_thread(tool: &str, options: &[&str]) -> bool {
    let link = std::fs::read_link("/proc/thread-self").ok();
    let id = link.and_then(|link| link.file_name()?.to_str().map(str::to_owned));
    let Some(id) = id else { return false };
    let status = Command::new(tool).args(options).arg(id).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// A pool of one thread of a higher priority, on the core of the watcher.
fn of_high_priority() -> ThreadPoolBuilder {
    ThreadPool::builder().max_threads(1).min_threads(1).on_thread_start(|| {
        of_this_thread("taskset", &["-cp", &core()]);
        of_this_thread("chrt", &["-f", "-p", "10"]);
    })
}

/// Runs jobs while another thread watches, again and again.
fn watched(pool: &ThreadPool, watch: impl Fn(&ThreadPool) + Sync) {
    let (done, seen) = (AtomicBool::new(false), AtomicUsize::new(0));
    finish(pool.submit(|| ())).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            of_this_thread("taskset", &["-cp", &core()]);
            while !done.load(Ordering::SeqCst) {
                watch(pool);
                seen.fetch_add(1, Ordering::SeqCst);
            }
        });
        let begun = Instant::now();
        let mut ran = 0;
        while ran < JOBS && begun.elapsed() < Duration::from_secs(20) {
            // The watcher runs while the job sleeps, and is preempted where it happens to be.
            let jobs: Vec<_> = (0..10).map(|_| pool.submit(|| std::thread::sleep(Duration::from_micros(20)))).collect();
            for job in jobs {
                finish(job).unwrap();
                ran += 1;
            }
        }
        done.store(true, Ordering::SeqCst);
        assert!(ran >= JOBS, "{ran} jobs in {:?}, {} looks", begun.elapsed(), seen.load(Ordering::SeqCst));
    });
}

#[test]
fn a_watcher_of_lower_priority_does_not_stall_a_worker() {
    watched(&of_high_priority().build(), |pool| drop(pool.running_jobs()));
    watched(&of_high_priority().timing(false).build(), |pool| drop(pool.running_jobs()));
}

#[test]
fn a_reader_of_metrics_of_lower_priority_does_not_stall_a_worker() {
    watched(&of_high_priority().build(), |pool| drop((pool.metrics(), format!("{pool:?}"))));
}
