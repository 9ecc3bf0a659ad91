//! Workers: how they share, drain and show what they do.

use offload_runtime::ThreadPool;
use offload_temporal::Worker;
use pollster::block_on;
use tests_process::functions;

use crate::server;
use crate::support::workers::{Process, serve, serve_with};
use crate::support::{Files, eventually, unique};

pub(crate) fn shutdown_drains() {
    let files = Files::new();
    let temporal = server().connect().task_queue(unique("drains"));
    let mut worker = serve(&temporal, 1);
    let running = functions::waits_for_file(&temporal, files.path("state"), files.path("gate"));
    eventually("it runs", || files.has("state", "runs"));
    worker.ask();
    // It takes no more calls: this one would run beside the first otherwise, as it waits for the same file.
    std::fs::write(files.path("gate"), "").unwrap();
    assert!(block_on(running).unwrap());
    worker.stop().unwrap();
    let later = functions::add(&temporal, 1, 2);
    let _worker = serve(&temporal, 1);
    assert_eq!(block_on(later).unwrap(), 3);
}

/// Two calls that run at once, on workers that run one each.
fn both_run_at_once(temporal: &offload_temporal::Temporal) {
    let files = Files::new();
    let (first, second) = (files.path("first"), files.path("second"));
    let calls = [
        functions::waits_for_file(temporal, first.clone(), second.clone()),
        functions::waits_for_file(temporal, second, first),
    ];
    for call in calls {
        assert!(block_on(call).unwrap());
    }
}

pub(crate) fn two_workers_share_a_queue() {
    let (queue, url) = (unique("shared"), server().url());
    let _workers = [Process::worker(&url, &queue, 1), Process::worker(&url, &queue, 1)];
    both_run_at_once(&server().connect().task_queue(queue));
}

pub(crate) fn two_workers_of_one_process_share_a_queue() {
    let temporal = server().connect().task_queue(unique("shared"));
    let _workers = [serve(&temporal, 1), serve(&temporal, 1)];
    both_run_at_once(&temporal);
}

pub(crate) fn a_users_pool_shows_what_runs() {
    let files = Files::new();
    let temporal = server().connect().task_queue(unique("pool"));
    let pool = ThreadPool::new(1);
    let worker = serve_with(Worker::new(&temporal).executor(pool.clone()));
    let call = functions::waits_for_file(&temporal, files.path("state"), files.path("gate"));
    eventually("it runs", || files.has("state", "runs"));
    let running = pool.running_jobs();
    assert_eq!(running.len(), 1);
    assert_eq!(running[0].site().name(), Some("waits_for_file"));
    std::fs::write(files.path("gate"), "").unwrap();
    assert!(block_on(call).unwrap());
    worker.stop().unwrap();
    assert_eq!(pool.metrics().completed(), 1);
}

pub(crate) fn a_dropped_worker_ends_what_it_runs() {
    let files = Files::new();
    let temporal = server().connect().task_queue(unique("dropped"));
    let mut worker = Box::pin(Worker::new(&temporal).run_until(std::future::pending()));
    let waker = std::task::Waker::noop();
    assert!(worker.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
    let call = functions::waits_for_file(&temporal, files.path("state"), files.path("gate"));
    eventually("it runs", || files.has("state", "runs"));
    drop(worker);
    std::fs::write(files.path("gate"), "").unwrap();
    assert!(block_on(call).unwrap());
}
