//! Executors that break the contract, each in one way: the suite has to say which.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use offload_runtime::conformance::{Conformance, Report};
use offload_runtime::{Error, Executor, Inline, Job, ThreadPool};

/// The executors here hang where they are wrong; how long that takes to show.
const PATIENCE: Duration = Duration::from_millis(100);

#[track_caller]
fn fails(report: &Report, check: &str, reason: &str) {
    let failure = report.failures().find(|failure| failure.check() == check);
    let failure = failure.unwrap_or_else(|| panic!("the suite missed it: {report}"));
    assert!(failure.reason().contains(reason), "{report}");
}

/// An executor that does what a function says, beside a pool.
struct With<F>(ThreadPool, F);

impl<F: Fn(&ThreadPool, Job) + Send + Sync> Executor for With<F> {
    fn execute(&self, job: Job) {
        (self.1)(&self.0, job);
    }
}

fn suite<F>(threads: usize, f: F) -> Conformance<With<F>>
where
    F: Fn(&ThreadPool, Job) + Clone + Send + Sync + 'static,
{
    Conformance::of(move || With(ThreadPool::new(threads), f.clone())).patience(PATIENCE)
}

#[test]
fn an_executor_that_runs_inline_without_saying_so() {
    let report = Conformance::of(|| Inline).patience(PATIENCE).report();
    fails(&report, "submit_returns_before_the_job_ends", "ran inside `execute`");
}

#[test]
fn an_executor_that_says_inline_and_is_not() {
    let report = Conformance::of(|| ThreadPool::new(1)).inline().patience(PATIENCE).report();
    fails(&report, "a_job_runs_where_it_is_submitted", "");
}

/// A suite for executors of which each runs its first job only, and does `otherwise` with those after it.
fn first_only(otherwise: fn(Job)) -> Report {
    let make = move || {
        let count = AtomicUsize::new(0);
        With(ThreadPool::new(1), move |pool: &ThreadPool, job| match count.fetch_add(1, Ordering::Relaxed) {
            0 => pool.execute(job),
            _ => otherwise(job),
        })
    };
    Conformance::of(make).patience(PATIENCE).report()
}

#[test]
fn executors_that_lose_a_stream() {
    let report = first_only(drop);
    fails(&report, "a_stream_has_all_items_in_order", "an item of a stream is missing");
    fails(&report, "a_panic_ends_its_stream", "does not end with its iterator's panic");
    let report = first_only(std::mem::forget);
    fails(&report, "a_stream_has_all_items_in_order", "stays pending");
    fails(&report, "a_stream_is_dropped_half_way", "");
}

#[test]
fn an_executor_that_forgets_a_job() {
    let count = Arc::new(AtomicUsize::new(0));
    let report = suite(2, move |pool, job| match count.fetch_add(1, Ordering::Relaxed) % 10 {
        9 => std::mem::forget(job),
        _ => pool.execute(job),
    })
    .report();
    fails(&report, "each_job_runs_once", "stays pending");
    fails(&report, "nothing_is_lost_in_a_mixture", "");
}

#[test]
fn an_executor_that_drops_a_job() {
    let count = Arc::new(AtomicUsize::new(0));
    let report = suite(2, move |pool, job| match count.fetch_add(1, Ordering::Relaxed) % 10 {
        9 => drop(job),
        _ => pool.execute(job),
    })
    .report();
    fails(&report, "a_value_reaches_its_handle", "dropped the job without running it");
}

#[test]
fn an_executor_that_refuses_for_no_reason() {
    let report = suite(1, |_, job| job.refuse(Error::QueueFull)).at_most(1).report();
    fails(&report, "a_value_reaches_its_handle", "queue is full");
    fails(&report, "submit_waits_for_no_thread", "");
}

#[test]
fn an_executor_with_fewer_threads_than_it_says() {
    let report = suite(2, ThreadPool::execute).parallel(3).report();
    fails(&report, "so_many_run_at_once", "of 3 jobs that have to run at once 2 began");
}

#[test]
fn an_executor_with_more_threads_than_it_says() {
    let report = suite(3, ThreadPool::execute).at_most(2).report();
    fails(&report, "a_cancelled_job_keeps_its_place_until_it_ends", "by jobs that were given up");
}

#[test]
fn an_executor_that_takes_the_last_job_first() {
    let stack: Arc<Mutex<VecDeque<Job>>> = Arc::default();
    let report = suite(1, move |pool, job| {
        stack.lock().unwrap().push_back(job);
        let stack = Arc::clone(&stack);
        offload_runtime::ExecutorExt::submit(pool, move || {
            let last = stack.lock().unwrap().pop_back();
            last.map(Job::run)
        })
        .detach();
    })
    .at_most(1)
    .in_order()
    .report();
    fails(&report, "jobs_run_in_order", "in another order");
}

#[test]
fn an_executor_whose_jobs_run_under_its_lock() {
    let lock = Arc::new(Mutex::new(()));
    let report = suite(1, move |_, job| {
        let held = lock.lock().unwrap();
        let of_thread = Arc::clone(&lock);
        drop(held);
        thread::spawn(move || {
            let _held = of_thread.lock().unwrap();
            job.run();
        });
    })
    .report();
    fails(&report, "a_waker_may_come_back", "");
    fails(&report, "a_job_may_submit_jobs", "stays pending");
}

#[test]
fn an_executor_that_waits_for_its_job() {
    let report = suite(1, |_, job| thread::spawn(move || job.run()).join().unwrap()).at_most(1).report();
    fails(&report, "submit_waits_for_no_thread", "");
    fails(&report, "a_running_job_is_cancelled", "");
}

#[test]
fn an_executor_that_panics() {
    let report = suite(1, |_, _| std::panic::resume_unwind(Box::new("no more"))).report();
    fails(&report, "a_value_reaches_its_handle", "the executor panicked: no more");
}

#[test]
fn an_executor_that_runs_after_it_was_closed() {
    let report = suite(1, ThreadPool::execute).closed_by(|_| {}).report();
    fails(&report, "a_closed_executor_refuses", "after it was closed a job resolved to Ok(())");
}

#[test]
fn an_executor_that_lets_jobs_hang_when_it_is_closed() {
    let report = suite(1, |_, job| std::mem::forget(job)).closed_by(|_| {}).report();
    fails(&report, "a_closed_executor_refuses", "stays pending");
    fails(&report, "a_dropped_executor_leaves_nothing_pending", "stays pending");
}

#[test]
fn an_executor_that_says_it_is_closed_and_is_not() {
    struct Pessimist;
    impl Executor for Pessimist {
        fn execute(&self, job: Job) {
            job.run();
        }

        fn is_closed(&self) -> bool {
            true
        }
    }
    let report = Conformance::of(|| Pessimist).inline().patience(PATIENCE).report();
    fails(&report, "a_value_reaches_its_handle", "says that it is closed");
}

#[test]
fn an_executor_that_says_nested_and_is_not() {
    let report = Conformance::of(|| tests::support::rayon_pool(1)).nested().patience(PATIENCE).report();
    fails(&report, "a_job_may_block_on_jobs", "does not end");
}

#[test]
fn a_report_says_what_passed_and_what_does_not_apply() {
    let report = Conformance::of(|| Inline).inline().report();
    assert!(report.passed().any(|check| check == "nothing_lingers"));
    assert!(report.not_applicable().any(|check| check == "a_running_job_is_cancelled"));
    assert!(report.to_string().ends_with("do not apply"), "{report}");
}

#[test]
#[should_panic(expected = "each_job_runs_once: ")]
fn run_panics_with_what_failed() {
    suite(1, |_, job| drop(job)).run();
}
