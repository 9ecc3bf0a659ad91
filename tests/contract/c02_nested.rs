//! C2: the cancellation of a job reaches the jobs that it awaits, through any depth, and their callbacks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::task::Waker;

use futures::future::join_all;
use offload_runtime::{
    Error, Executor, ExecutorExt, Inline, JobHandle, ThreadPool, check_cancelled, is_cancelled, on_cancel,
};
use tests::support::{Gate, Occupied, PATIENCE, eventually, finish, poll_once, rayon_pool, tokio_runtime, within};

/// A chain of jobs, each of which awaits the next. The last one arrives at the gate when all are there; each level ends when it is cancelled.
/// Returns how many of them learn of it by `is_cancelled`; each sends its depth from a callback.
fn chain<E: Executor + Clone + 'static>(executor: &E, depth: u32, gate: Gate, hooks: Sender<u32>) -> u32 {
    let (send, called) = (hooks.clone(), Arc::new(AtomicBool::new(false)));
    let calls = called.clone();
    let _guard = on_cancel(move || {
        send.send(depth).unwrap();
        calls.store(true, Ordering::SeqCst);
    });
    let mut cancelled = 0;
    if depth > 0 {
        let of_job = executor.clone();
        let inner = executor.submit(move || chain(&of_job, depth - 1, gate, hooks));
        cancelled = finish(inner).unwrap();
    } else {
        gate.pass();
    }
    // The flag comes before the callbacks, and a guard that is dropped in between takes its callback back.
    eventually("this level's callback is called", || called.load(Ordering::SeqCst));
    cancelled + u32::from(is_cancelled())
}

/// A way to cancel a job.
type Cancel = fn(&Arc<JobHandle<u32>>);

fn reaches_all_levels<E: Executor + Clone + 'static>(executor: E, cancel: Cancel) {
    within(PATIENCE, move || {
        let (gate, (hooks, called), of_job) = (Gate::closed(), mpsc::channel(), executor.clone());
        let door = gate.clone();
        let outer = Arc::new(executor.submit(move || chain(&of_job, 5, door, hooks)));
        gate.open();
        gate.wait_for(1);
        cancel(&outer);
        let levels = finish(Arc::into_inner(outer).unwrap()).unwrap();
        assert_eq!(levels, 6, "each level is cancelled");
        let mut called: Vec<u32> = called.iter().collect();
        called.sort_unstable();
        assert_eq!(called, [0, 1, 2, 3, 4, 5], "each callback is called once");
    });
}

fn everywhere(cancel: Cancel) {
    reaches_all_levels(ThreadPool::new(1), cancel);
    reaches_all_levels(ThreadPool::new(8), cancel);
    reaches_all_levels(ThreadPool::new(1).limited(1), cancel);
    reaches_all_levels(ThreadPool::new(3).limited(2).limited(1), cancel);
    reaches_all_levels(Arc::new(rayon_pool(1)).limited(1), cancel);
    let runtime = tokio_runtime(8);
    reaches_all_levels(runtime.handle().clone(), cancel);
}

#[test]
fn c02_a_cancellation_reaches_nested_jobs_of_any_depth() {
    everywhere(|outer| outer.cancel());
}

#[test]
fn c02_a_canceller_used_elsewhere_reaches_nested_jobs() {
    everywhere(|outer| {
        let canceller = outer.canceller();
        std::thread::spawn(move || canceller.cancel()).join().unwrap();
    });
}

/// A handle that is dropped while it is awaited by `timeout`: the jobs of all levels end by `check_cancelled`.
#[test]
fn c02_a_dropped_handle_ends_nested_jobs() {
    fn descend(pool: &ThreadPool, depth: u32, gate: Gate, ended: Sender<u32>) {
        struct Ends(u32, Sender<u32>);
        impl Drop for Ends {
            fn drop(&mut self) {
                self.1.send(self.0).unwrap();
            }
        }
        let _ends = Ends(depth, ended.clone());
        if depth == 0 {
            gate.pass();
            loop {
                check_cancelled();
                std::thread::yield_now();
            }
        }
        let of_job = pool.clone();
        let inner = finish(pool.submit(move || descend(&of_job, depth - 1, gate, ended)));
        assert!(matches!(inner, Err(Error::Cancelled)));
        check_cancelled();
    }
    let (pool, gate, (ended, ends)) = (ThreadPool::new(2), Gate::closed(), mpsc::channel());
    let (of_job, door) = (pool.clone(), gate.clone());
    let outer = pool.submit(move || descend(&of_job, 3, door, ended));
    gate.open();
    gate.wait_for(1);
    drop(outer);
    let order: Vec<u32> = (0..4).map(|_| ends.recv_timeout(PATIENCE).unwrap()).collect();
    assert_eq!(order, [0, 1, 2, 3]);
    finish(pool.shutdown());
    assert_eq!(pool.metrics().cancelled(), 4);
}

/// `Inline` runs a job inside the other, before that has a handle to await.
#[test]
fn c02_a_cancellation_reaches_jobs_that_run_in_place() {
    let (pool, gate, (hooks, ran)) = (ThreadPool::new(1), Gate::closed(), mpsc::channel());
    let door = gate.clone();
    let outer = pool.submit(move || finish(Inline.submit(move || chain(&Inline, 2, door, hooks))).unwrap());
    gate.wait_for(1);
    outer.cancel();
    gate.open();
    assert_eq!(finish(outer).unwrap(), 3);
    let mut order: Vec<u32> = ran.iter().collect();
    order.sort_unstable();
    assert_eq!(order, [0, 1, 2]);
}

/// It finds the request of before, by its flag and by its callbacks. A job that has ended is not reached.
#[test]
fn c02_a_job_that_runs_in_place_knows_what_was_cancelled_before() {
    let (pool, gate) = (ThreadPool::new(1), Gate::closed());
    let door = gate.clone();
    let outer = pool.submit(move || {
        let (late, never) = mpsc::channel();
        let before = Inline.submit(move || {
            std::mem::forget(on_cancel(move || late.send(()).unwrap()));
            is_cancelled()
        });
        door.pass();
        let inside = Inline.submit(|| {
            let (call, called) = mpsc::channel();
            let _guard = on_cancel(move || call.send(()).unwrap());
            (is_cancelled(), called.try_recv().is_ok())
        });
        (finish(before).unwrap(), finish(inside).unwrap(), never.try_recv().is_ok())
    });
    gate.wait_for(1);
    outer.cancel();
    gate.open();
    assert_eq!(finish(outer).unwrap(), (false, (true, true), false));
}

/// A queued inner job never runs, and the outer one goes on at once.
#[test]
fn c02_a_cancelled_outer_job_does_not_wait_for_a_queued_inner_one() {
    within(PATIENCE, || {
        let (pool, other) = (ThreadPool::new(1), ThreadPool::new(1));
        let occupied = Occupied::new(&other, 1);
        let (waits, is_waiting) = mpsc::channel();
        let of_job = other.clone();
        let outer = pool.submit(move || {
            let mut inner = of_job.submit(|| unreachable!("it was cancelled"));
            assert!(poll_once(&mut inner, Waker::noop()).is_pending());
            waits.send(()).unwrap();
            finish::<JobHandle<()>>(inner)
        });
        is_waiting.recv().unwrap();
        outer.cancel();
        assert!(matches!(finish(outer).unwrap(), Err(Error::Cancelled)));
        assert_eq!(other.metrics().cancelled_before_start(), 1);
        occupied.release();
    });
}

/// The outer job is cancelled before it polls for the first time.
#[test]
fn c02_a_job_that_is_cancelled_already_cancels_what_it_awaits() {
    let (pool, gate) = (ThreadPool::new(2), Gate::closed());
    let (of_job, door, never) = (pool.clone(), gate.clone(), Gate::closed());
    let (started, has_started) = mpsc::channel();
    let outer = pool.submit(move || {
        door.pass();
        let inner = of_job.submit(move || {
            started.send(()).unwrap();
            eventually("the inner job is cancelled", is_cancelled);
        });
        has_started.recv().unwrap();
        finish(inner)
    });
    gate.wait_for(1);
    outer.cancel();
    gate.open();
    finish(outer).unwrap().unwrap();
    drop(never);
}

/// All of many, in whatever state they are.
#[test]
fn c02_a_cancellation_reaches_all_jobs_that_are_joined() {
    const JOBS: usize = 50;
    let (pool, gate) = (ThreadPool::new(4), Gate::closed());
    let (of_job, door) = (pool.clone(), gate.clone());
    let outer = pool.submit(move || {
        let jobs = (0..JOBS).map(|_| {
            let door = door.clone();
            of_job.submit(move || {
                door.pass();
                eventually("the inner job is cancelled", is_cancelled);
            })
        });
        finish(join_all(jobs))
    });
    gate.wait_for(4);
    outer.cancel();
    gate.open();
    for result in finish(outer).unwrap() {
        assert!(matches!(result, Ok(()) | Err(Error::Cancelled)));
    }
    let metrics = pool.metrics();
    assert_eq!((metrics.queued(), metrics.cancelled() + metrics.completed()), (0, metrics.submitted()));
}

/// A detached job is on its own, though the outer one has polled it.
#[test]
fn c02_a_detached_nested_job_is_not_cancelled() {
    let (pool, gate, inner_gate) = (ThreadPool::new(2), Gate::closed(), Gate::closed());
    let (of_job, door, inner_door, (answer, answers)) =
        (pool.clone(), gate.clone(), inner_gate.clone(), mpsc::channel());
    let outer = pool.submit(move || {
        let mut inner = of_job.submit(move || {
            inner_door.pass();
            answer.send(is_cancelled()).unwrap();
        });
        assert!(poll_once(&mut inner, Waker::noop()).is_pending());
        inner.detach();
        door.pass();
    });
    gate.wait_for(1);
    outer.cancel();
    gate.open();
    inner_gate.open();
    finish(outer).unwrap();
    assert!(!answers.recv_timeout(PATIENCE).unwrap());
}

/// A handle that one job has polled, and another awaits, belongs to the other.
#[test]
fn c02_a_handle_that_is_passed_on_is_cancelled_with_the_job_that_awaits_it() {
    within(PATIENCE, || {
        let (pool, gate) = (ThreadPool::new(3), Gate::closed());
        let (of_first, door) = (pool.clone(), gate.clone());
        let first = pool.submit(move || {
            let mut inner = of_first.submit(move || {
                door.pass();
                eventually("the inner job is cancelled", is_cancelled);
            });
            assert!(poll_once(&mut inner, Waker::noop()).is_pending());
            inner
        });
        let inner = finish(first).unwrap();
        gate.wait_for(1);
        let (waits, is_waiting) = mpsc::channel();
        let second = pool.submit(move || {
            let mut inner = inner;
            assert!(poll_once(&mut inner, Waker::noop()).is_pending());
            waits.send(()).unwrap();
            finish(inner)
        });
        is_waiting.recv().unwrap();
        second.cancel();
        gate.open();
        finish(second).unwrap().unwrap();
    });
}

/// `shutdown_now` is a cancellation of all levels, too.
#[test]
fn c02_shutdown_now_reaches_nested_jobs_of_any_depth() {
    for limit in [1, 2] {
        within(PATIENCE, move || {
            let (pool, gate, (hooks, called)) = (ThreadPool::new(1), Gate::closed(), mpsc::channel());
            let view = pool.clone().limited(limit);
            let (of_job, door) = (view.clone(), gate.clone());
            let outer = view.submit(move || chain(&of_job, 5, door, hooks));
            gate.open();
            gate.wait_for(1);
            let end = pool.shutdown_now();
            assert_eq!(finish(outer).unwrap(), 6);
            finish(end);
            assert_eq!(called.iter().count(), 6);
        });
    }
}
