//! A job that runs for long is a warning, once, while it still runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use observe::{Entry, Kind, Record, UNHEARD, request};
use offload_runtime::{ExecutorExt, ThreadPool};
use tests::support::{Gate, eventually, finish, silence};
use tracing::Level;

const SHORT: Duration = Duration::from_millis(5);

/// What was reported of slow jobs of that pool.
fn told(pool: &str) -> Vec<Entry> {
    let mut entries = Record::of_process().entries();
    entries.retain(|entry| entry.kind == Kind::Event && entry.says == "job has been running for long");
    entries.retain(|entry| entry.text("pool") == pool);
    entries
}

#[test]
fn a_slow_job_is_warned_of_once_while_it_runs() {
    Record::install();
    let pool = ThreadPool::builder().thread_name("tardy").max_threads(2).warn_after(SHORT).build();
    let start = || {
        let gate = Gate::closed();
        let of_job = gate.clone();
        let line = line!() + 1;
        let job = request("slow").in_scope(|| pool.submit(move || of_job.pass()));
        (gate, job, line)
    };
    let (first_gate, first, line) = start();
    eventually("the first is reported", || told("tardy").len() == 1);
    assert!(!first.is_finished());
    let event = &told("tardy")[0];
    assert_eq!((event.level, &*event.target), (Level::WARN, "offload_runtime::job"));
    assert!(event.text("site").contains(&format!("slow.rs:{line}:")), "{event:#?}");
    assert!(event.text("code.filepath").ends_with("slow.rs") && event.number("code.lineno") == u64::from(line));
    assert_eq!((event.text("thread"), event.field("cancelled")), ("tardy-0", &false.into()));
    assert!(event.number("elapsed_ms") >= 5, "{event:#?}");

    // By the time that the second has been reported, the first has been checked again.
    let (second_gate, second, _) = start();
    eventually("the second is reported", || told("tardy").len() >= 2);
    first_gate.open();
    second_gate.open();
    finish(first).unwrap();
    finish(second).unwrap();
    finish(pool.shutdown());
    let threads: Vec<_> = told("tardy").iter().map(|event| event.text("thread").to_owned()).collect();
    assert_eq!(threads, ["tardy-0", "tardy-1"]);
}

#[test]
fn a_slow_job_whose_caller_left_is_reported_as_cancelled() {
    Record::install();
    let pool = ThreadPool::builder().thread_name("forsaken").max_threads(1).warn_after(SHORT).build();
    // A job is reported before it is cancelled only if this thread is held up for so long between two lines.
    for round in 1..=100 {
        let gate = Gate::closed();
        let of_job = gate.clone();
        let handle = pool.submit(move || of_job.pass());
        gate.wait_for(1);
        drop(handle);
        eventually("it is reported", || told("forsaken").len() == round);
        gate.open();
        if told("forsaken")[round - 1].field("cancelled") == true {
            return;
        }
    }
    panic!("{:#?}", told("forsaken"));
}

/// A report to a subscriber that panics is lost; the next job is reported, and the hook gets the first one, too.
#[test]
fn a_subscriber_that_panics_does_not_end_the_watch() {
    Record::install();
    silence();
    let told = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&told);
    let pool = ThreadPool::builder().thread_name(UNHEARD).max_threads(1).warn_after(SHORT);
    let pool = pool
        .on_slow_job(move |_| {
            counts.fetch_add(1, Ordering::SeqCst);
        })
        .build();
    for round in 1..=2 {
        let gate = Gate::closed();
        let of_job = gate.clone();
        let job = pool.submit(move || of_job.pass());
        eventually("it is reported", || told.load(Ordering::SeqCst) == round);
        gate.open();
        finish(job).unwrap();
    }
    finish(pool.shutdown());
}
