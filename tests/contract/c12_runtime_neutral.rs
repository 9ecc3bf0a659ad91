//! C12: runtime neutral: only `Waker` is asked of the caller.

use std::sync::Arc;
use std::task::Waker;

use offload_runtime::{ExecutorExt, JobHandle, ThreadPool};
use tests::support::{Counting, Gate, PATIENCE, eventually, finish, poll_once, tokio_runtime};

fn jobs(pool: &ThreadPool) -> Vec<JobHandle<u32>> {
    (0..50).map(|i| pool.submit(move || i)).collect()
}

async fn sum(jobs: Vec<JobHandle<u32>>) -> u32 {
    let mut sum = 0;
    for job in jobs {
        sum += job.await.unwrap();
    }
    sum
}

#[test]
fn c12_the_same_code_runs_on_every_runtime() {
    let pool = ThreadPool::new(2);
    let current_thread = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let results = [
        finish(sum(jobs(&pool))), // a bare `block_on` of the test's own
        pollster::block_on(sum(jobs(&pool))),
        futures::executor::block_on(sum(jobs(&pool))),
        smol::block_on(sum(jobs(&pool))),
        smol::block_on(smol::spawn(sum(jobs(&pool)))),
        current_thread.block_on(sum(jobs(&pool))),
        tokio_runtime(1).block_on(async { tokio::spawn(sum(jobs(&pool))).await.unwrap() }),
    ];
    assert_eq!(results, [1225; 7]);
}

/// A handle that was polled under one runtime is awaited under another: the last waker counts.
#[test]
fn c12_a_handle_moves_between_runtimes() {
    let pool = ThreadPool::new(1);
    let gate = Gate::closed();
    let door = gate.clone();
    let mut job = pool.submit(move || {
        door.pass();
        7
    });
    let first = Arc::new(Counting::default());
    assert!(poll_once(&mut job, &Waker::from(Arc::clone(&first))).is_pending());
    let moved = std::thread::spawn(move || {
        smol::block_on(async move {
            assert!(poll_once(&mut job, Waker::noop()).is_pending());
            gate.open();
            smol::spawn(job).await
        })
    });
    assert_eq!(moved.join().unwrap().unwrap(), 7);
    assert_eq!(first.wakes(), 0);
}

/// A spurious poll finds the job pending, and loses nothing.
#[test]
fn c12_polls_for_no_reason_change_nothing() {
    let pool = ThreadPool::new(1);
    let gate = Gate::closed();
    let door = gate.clone();
    let mut job = pool.submit(move || door.pass());
    let counting = Arc::new(Counting::default());
    let waker = Waker::from(Arc::clone(&counting));
    for _ in 0..100 {
        assert!(poll_once(&mut job, &waker).is_pending());
    }
    gate.open();
    eventually("the waker is woken", || counting.wakes() > 0);
    assert!(poll_once(&mut job, &waker).is_ready());
    assert_eq!(counting.wakes(), 1);
}

/// A handle that loses a race in `select!` is whole afterwards.
#[tokio::test]
async fn c12_awaiting_by_reference_is_cancel_safe() {
    let pool = ThreadPool::new(1);
    let gate = Gate::closed();
    let door = gate.clone();
    let mut job = pool.submit(move || {
        door.pass();
        7
    });
    for _ in 0..10 {
        tokio::select! {
            biased;
            _ = &mut job => unreachable!("its door is closed"),
            () = tokio::task::yield_now() => {}
        }
    }
    gate.open();
    assert_eq!(tokio::time::timeout(PATIENCE, job).await.unwrap().unwrap(), 7);
}

#[test]
fn c12_a_handle_crosses_threads() {
    fn assert_crosses<T: Send + Sync + Unpin + 'static>() {}
    fn assert_unwind_safe<T: std::panic::UnwindSafe + std::panic::RefUnwindSafe>() {}
    assert_crosses::<JobHandle<std::cell::Cell<u8>>>();
    assert_unwind_safe::<JobHandle<std::cell::Cell<u8>>>();
    assert_crosses::<ThreadPool>();
    assert_crosses::<offload_runtime::Limited<ThreadPool>>();
    assert_eq!(size_of::<JobHandle<[u64; 8]>>(), size_of::<[usize; 5]>());
    assert_eq!(size_of::<Option<offload_runtime::Job>>(), size_of::<usize>());
}
