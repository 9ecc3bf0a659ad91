//! Jobs that run for long are reported while they run, once.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use offload_runtime::{ExecutorExt, RunningJob, ThreadPool, ThreadPoolBuilder};
use tests::support::{Gate, Occupied, PATIENCE, eventually, finish, silence};

const SHORT: Duration = Duration::from_millis(5);

/// A builder that sends what it tells of.
fn told() -> (ThreadPoolBuilder, mpsc::Receiver<RunningJob>) {
    let (send, receive) = mpsc::channel();
    let builder = ThreadPool::builder().thread_name("slow").warn_after(SHORT);
    // The receiver may have gone before the last reports.
    (builder.on_slow_job(move |job| drop(send.send(job.clone()))), receive)
}

#[test]
fn a_slow_job_is_reported_while_it_runs_and_once() {
    let (builder, receive) = told();
    let pool = builder.max_threads(2).build();
    let occupied = Occupied::new(&pool, 1);
    let job = receive.recv_timeout(PATIENCE).unwrap();
    assert!(job.elapsed() >= SHORT && job.thread_name().starts_with("slow-"), "{job:?}");
    assert!(job.site().file().ends_with("gate.rs"), "{job:?}");
    // Another one that is slow is looked at ten times; the first is not reported again.
    let gate = Gate::closed();
    let of_job = gate.clone();
    let second = pool.submit(move || of_job.pass());
    let job = receive.recv_timeout(PATIENCE).unwrap();
    assert!(job.site().file().ends_with("slow.rs"), "{job:?}");
    assert!(receive.recv_timeout(10 * SHORT).is_err());
    gate.open();
    finish(second).unwrap();
    occupied.release();
}

#[test]
fn a_slow_job_after_a_pause_is_reported_too() {
    let (builder, receive) = told();
    let pool = builder.max_threads(1).build();
    for _ in 0..3 {
        let occupied = Occupied::new(&pool, 1);
        receive.recv_timeout(PATIENCE).unwrap();
        occupied.release();
        // Long enough for the watch to fall asleep for good.
        std::thread::sleep(4 * SHORT);
    }
}

#[test]
fn it_needs_no_timing() {
    let (builder, receive) = told();
    let pool = builder.timing(false).build();
    let occupied = Occupied::new(&pool, 1);
    assert!(receive.recv_timeout(PATIENCE).unwrap().elapsed() >= SHORT);
    occupied.release();
}

/// A job and the one that it awaits, each once.
#[test]
fn nested_jobs_are_reported_each_once() {
    let (builder, receive) = told();
    let pool = builder.max_threads(1).build();
    let (inner, gate) = (pool.clone(), Gate::closed());
    let of_inner = gate.clone();
    let outer = pool.submit(move || {
        let inner = inner.submit(move || of_inner.pass());
        finish(inner).unwrap();
    });
    let reports = [(); 2].map(|()| receive.recv_timeout(PATIENCE).unwrap().site().line());
    assert_ne!(reports[0], reports[1]);
    assert!(receive.recv_timeout(10 * SHORT).is_err());
    gate.open();
    finish(outer).unwrap();
}

#[test]
fn short_jobs_are_not_reported() {
    let (send, receive) = mpsc::channel::<RunningJob>();
    let pool = ThreadPool::builder()
        .warn_after(Duration::from_secs(3_600))
        .on_slow_job(move |job| drop(send.send(job.clone())))
        .build();
    for _ in 0..100 {
        finish(pool.submit(|| ())).unwrap();
    }
    finish(pool.shutdown());
    // The watch has gone with the pool: nothing keeps the sender.
    drop(pool);
    assert!(matches!(receive.recv_timeout(PATIENCE), Err(mpsc::RecvTimeoutError::Disconnected)));
}

#[test]
fn a_hook_that_panics_or_calls_the_pool_is_contained() {
    silence();
    let (pool, seen) = (Arc::new(Mutex::new(None::<ThreadPool>)), Arc::new(Mutex::new(0)));
    let (of_hook, count) = (Arc::clone(&pool), Arc::clone(&seen));
    let builder = ThreadPool::builder().max_threads(2).warn_after(SHORT).on_slow_job(move |_| {
        let pool = of_hook.lock().unwrap().clone().unwrap();
        assert!(!pool.running_jobs().is_empty());
        finish(pool.submit(|| ())).unwrap();
        *count.lock().unwrap() += 1;
        panic!("as asked");
    });
    *pool.lock().unwrap() = Some(builder.build());
    let ours = pool.lock().unwrap().clone().unwrap();
    for round in 1..=2 {
        let occupied = Occupied::new(&ours, 1);
        eventually("the hook is called", || *seen.lock().unwrap() >= round);
        occupied.release();
    }
    *pool.lock().unwrap() = None;
}
