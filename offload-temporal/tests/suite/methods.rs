//! The same methods on threads, on child processes and on Temporal: the executor's type is all that differs, in what they do, in what is counted
//! and published, and in the caller's trace.

use std::collections::BTreeSet;

use observe::{Entry, Record, request};
use offload_runtime::process::ProcessPool;
use offload_runtime::remote::{Local, RemoteExecutor};
use offload_runtime::{Error, ThreadPool};
use offload_temporal::Temporal;
use pollster::block_on;
use tests_process::{counted, functions, seen};
use tracing_subscriber::layer::SubscriberExt;

use crate::server;
use crate::support::workers::{Serving, serve};
use crate::support::{Files, eventually, unique};

fn threads(name: &str) -> Local<ThreadPool> {
    Local(ThreadPool::builder().max_threads(1).thread_name(name).build())
}

fn processes(name: &str) -> ProcessPool {
    ProcessPool::builder().max_workers(1).name(name).build().unwrap()
}

fn temporal(task_queue: &str) -> (Temporal, Serving) {
    let temporal = server().connect().task_queue(task_queue);
    let worker = serve(&temporal, 1);
    (temporal, worker)
}

pub(crate) fn on_threads() {
    counted::is_what_was_done(&threads("on-threads"), "on-threads", |local| seen!(local.0));
}

pub(crate) fn on_processes() {
    counted::is_what_was_done(&processes("on-processes"), "on-processes", |pool| seen!(pool));
}

pub(crate) fn on_temporal() {
    let queue = unique("methods");
    let (temporal, _worker) = temporal(&queue);
    counted::is_what_was_done(&temporal, &format!("temporal.{queue}"), |temporal| seen!(temporal));
}

/// What a trace has of the calls below the request: of each event and each closed span its name, its level, the method, and whether the job has times.
fn trace(workers: &impl RemoteExecutor) -> BTreeSet<String> {
    let (files, record) = (Files::new(), Record::default());
    // Of this thread: a job takes the subscriber of its caller along.
    let subscriber = tracing_subscriber::registry().with(record.clone());
    tracing::subscriber::with_default(subscriber, || {
        let calls = request("calls");
        assert_eq!(block_on(calls.in_scope(|| functions::add(workers, 1, 2))).unwrap(), 3);
        let panicked = block_on(calls.in_scope(|| functions::panics(workers, "out of cheese".into())));
        assert!(matches!(panicked, Err(Error::Panicked(_))), "{panicked:?}");
        // While the only worker is occupied.
        let held = functions::waits_for_file(workers, files.path("state"), files.path("gate"));
        eventually("it runs", || files.has("state", "runs"));
        let cancelled = calls.in_scope(|| functions::echo(workers, "a".into()));
        cancelled.cancel();
        assert!(matches!(block_on(cancelled), Err(Error::Cancelled)));
        std::fs::write(files.path("gate"), "").unwrap();
        assert!(block_on(held).unwrap());
    });
    // `Local` has two jobs for each call, its own and the pool's, of which the second is the same again.
    let show = |entry: &Entry| {
        assert_eq!(entry.path(), ["request", "job"], "{entry:#?}");
        let (_, job) = &entry.spans[1];
        let is_timed = job.contains_key("wait_us") && job.contains_key("run_us");
        if entry.has("panic") {
            // A process says where, too.
            assert!(entry.text("panic").starts_with("out of cheese"), "{entry:#?}");
        }
        format!("{}, {} {}{}", entry.says, entry.level, job["site"], if is_timed { ", timed" } else { "" })
    };
    record.of("calls").iter().filter(|entry| entry.target == "offload_runtime::job").map(show).collect()
}

pub(crate) fn the_callers_trace_is_the_same() {
    let expected = [
        "job, INFO \"add\", timed",
        "job panicked, ERROR \"panics\", timed",
        "job, INFO \"panics\", timed",
        "job cancelled before it began, DEBUG \"echo\"",
        "job, INFO \"echo\"",
    ];
    let expected: BTreeSet<_> = expected.map(str::to_owned).into();
    assert_eq!(trace(&threads("traced")), expected);
    assert_eq!(trace(&processes("traced")), expected);
    let (temporal, _worker) = temporal(&unique("trace"));
    assert_eq!(trace(&temporal), expected);
}
