//! A process that ends: workers, idle or busy, do not keep it alive.

use std::time::Duration;

use offload_runtime::{ExecutorExt, ThreadPool, on_cancel};
use tests::support::{Gate, Occupied, finish};

use crate::child;

/// Plays the test's scene in a process of its own, which has to end; or tells that this is that process.
#[track_caller]
fn in_a_process_that_ends(test: &str) -> bool {
    if child::is_child() {
        return child::plays(test);
    }
    let output = child::play(&format!("exit::{test}"), test, None);
    assert!(output.status.success(), "{}", child::text_of(&output));
    assert!(child::text_of(&output).contains("1 passed"), "{}", child::text_of(&output));
    false
}

/// Blocks its thread for longer than any test waits.
fn for_ever() {
    loop {
        std::thread::park_timeout(Duration::from_secs(3600));
    }
}

#[test]
fn idle_workers_keep_no_process() {
    if !in_a_process_that_ends("idle_workers_keep_no_process") {
        return;
    }
    let pool = ThreadPool::builder().max_threads(4).min_threads(4).keep_alive(Duration::MAX).build();
    Occupied::new(&pool, 4).release();
    std::mem::forget(pool); // nothing tells the threads to leave
}

#[test]
fn busy_workers_keep_no_process() {
    if !in_a_process_that_ends("busy_workers_keep_no_process") {
        return;
    }
    let pool = ThreadPool::new(2);
    let gate = Gate::closed();
    for _ in 0..2 {
        let door = gate.clone();
        pool.submit(move || {
            let _guard = on_cancel(|| ());
            door.pass();
            for_ever();
        })
        .detach();
    }
    gate.wait_for(2);
    gate.open();
    let queued: Vec<_> = (0..10).map(|_| pool.submit(|| ())).collect();
    // Handles of running and of queued jobs, the pool, a view: all are dropped on the way out, and none waits.
    let view = pool.clone().limited(1);
    view.submit(|| ()).detach();
    drop((queued, view, pool));
}

/// The same with the pool in a `static`, which is never dropped.
#[test]
fn a_static_pool_keeps_no_process() {
    if !in_a_process_that_ends("a_static_pool_keeps_no_process") {
        return;
    }
    let pool = offload_runtime::default_executor();
    let gate = Gate::closed();
    let door = gate.clone();
    let busy = pool.submit(move || {
        door.pass();
        for_ever();
    });
    gate.wait_for(1);
    gate.open();
    assert_eq!(finish(pool.submit(|| 1)).unwrap(), 1);
    std::mem::forget(busy);
}

/// `std::process::exit` in a job, while others run and wait.
#[test]
fn a_job_may_end_the_process() {
    const STATUS: i32 = 7;
    if child::is_child() {
        if child::plays("a_job_may_end_the_process") {
            let pool = ThreadPool::new(2);
            let _busy = pool.submit(for_ever);
            finish(pool.submit(|| std::process::exit(STATUS))).unwrap();
        }
        return;
    }
    let output = child::play("exit::a_job_may_end_the_process", "a_job_may_end_the_process", None);
    assert_eq!(output.status.code(), Some(STATUS), "{}", child::text_of(&output));
}

/// A runtime that owns the jobs' awaiters ends with jobs under way: they are cancelled, and the runtime does not wait for the pool.
#[test]
fn a_runtime_ends_with_jobs_under_way() {
    if !in_a_process_that_ends("a_runtime_ends_with_jobs_under_way") {
        return;
    }
    let pool = ThreadPool::new(1);
    let gate = Gate::closed();
    let door = gate.clone();
    let runtime = tests::support::tokio_runtime(1);
    let of_runtime = pool.clone();
    runtime.spawn(async move {
        let busy = of_runtime.submit(move || {
            door.pass();
            for_ever();
        });
        let queued = of_runtime.submit(|| ());
        let _ = futures::future::join(busy, queued).await;
    });
    gate.wait_for(1);
    gate.open();
    drop(runtime);
}
