//! C9: shutdown seals the queue, drains, has a deadline, never joins on an async thread or on itself, and reports what still runs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Waker;
use std::time::Duration;

use offload_runtime::{Error, ExecutorExt, JobHandle, ThreadPool, check_cancelled, is_cancelled, on_cancel};
use tests::support::{Counting, Gate, Occupied, PATIENCE, Started, eventually, finish, poll_once};

#[test]
fn c09_close_seals_and_drains() {
    let started = Started::default();
    let pool = started.watch(ThreadPool::builder().max_threads(2)).build();
    let occupied = Occupied::new(&pool, 2);
    let queued: Vec<_> = (0..20).map(|i| pool.submit(move || i)).collect();
    pool.close();
    assert!(matches!(finish(pool.submit(|| ())), Err(Error::ShutDown)));
    occupied.release();
    assert_eq!(queued.into_iter().map(|job| finish(job).unwrap()).sum::<i32>(), 190);
    eventually("its threads leave", || started.alive() == 0);
}

#[test]
fn c09_shutdown_resolves_when_all_is_done_and_not_before() {
    let started = Started::default();
    let pool = started.watch(ThreadPool::builder().max_threads(2)).build();
    let occupied = Occupied::new(&pool, 2);
    let queued = pool.submit(|| 1);
    // Each has a waker of its own: what one is polled with does not replace the other's.
    let (shutdown, mut other) = (pool.shutdown(), pool.shutdown());
    let waiting = Arc::new(Counting::default());
    let waker = Waker::from(Arc::clone(&waiting));
    assert!(poll_once(&mut other, &waker).is_pending());
    occupied.release();
    finish(shutdown);
    assert!(queued.is_finished());
    assert_eq!(started.alive(), 0, "after the stop hooks of its threads");
    eventually("everyone who waited is woken", || waiting.wakes() > 0);
}

#[test]
fn c09_shutdown_of_an_idle_or_unused_pool_resolves() {
    finish(ThreadPool::new(2).shutdown());
    finish(ThreadPool::new(2).shutdown_now());
    let pool = ThreadPool::builder().max_threads(3).min_threads(3).keep_alive(Duration::MAX).build();
    finish(pool.submit(|| ())).unwrap();
    finish(pool.shutdown());
    finish(pool.shutdown()); // and again
    pool.shutdown().wait_timeout(Duration::ZERO).unwrap();
}

#[test]
fn c09_dropping_the_last_handle_drains() {
    let started = Started::default();
    let pool = started.watch(ThreadPool::builder().max_threads(1).keep_alive(Duration::MAX)).build();
    let occupied = Occupied::new(&pool, 1);
    let queued: Vec<_> = (0..3).map(|i| pool.submit(move || i)).collect();
    let clone = pool.clone();
    drop(pool);
    let later = clone.submit(|| 3);
    drop(clone);
    occupied.release();
    let values: Vec<_> = queued.into_iter().chain([later]).map(|job| finish(job).unwrap()).collect();
    assert_eq!(values, [0, 1, 2, 3]);
    eventually("its threads leave", || started.alive() == 0);
}

#[test]
fn c09_dropping_the_last_handle_inside_a_job() {
    let started = Started::default();
    let pool = started.watch(ThreadPool::builder().max_threads(1).keep_alive(Duration::MAX)).build();
    let (give, take) = mpsc::channel::<ThreadPool>();
    let job = pool.submit(move || {
        let pool = take.recv().unwrap();
        let queued = pool.submit(|| 2);
        drop(pool); // the last one: its own thread must not wait for itself
        queued
    });
    give.send(pool).unwrap();
    let queued = finish(job).unwrap();
    assert_eq!(finish(queued).unwrap(), 2);
    eventually("its thread leaves", || started.alive() == 0);
}

#[test]
fn c09_shutdown_now_refuses_the_queued_and_cancels_the_running() {
    let pool = ThreadPool::new(2);
    let gate = Gate::closed();
    let (hook_ran, hook) = mpsc::channel();
    let (door, ends) = (gate.clone(), gate.clone());
    let looks = pool.submit(move || {
        let _guard = on_cancel(move || hook_ran.send(()).unwrap());
        let before = is_cancelled();
        door.pass();
        (before, is_cancelled())
    });
    let unwinds: JobHandle<()> = pool.submit(move || {
        ends.pass();
        check_cancelled();
        unreachable!("it is cancelled");
    });
    gate.wait_for(2);
    let queued: Vec<JobHandle<()>> = (0..5).map(|_| pool.submit(|| unreachable!("it is refused"))).collect();
    let shutdown = pool.shutdown_now();
    assert_eq!(hook.try_recv(), Ok(()), "the hook has run by then");
    for job in queued {
        assert!(job.is_finished());
        assert!(matches!(finish(job), Err(Error::ShutDown)));
    }
    gate.open();
    assert_eq!(finish(looks).unwrap(), (false, true));
    assert!(matches!(finish(unwinds), Err(Error::Cancelled)));
    finish(shutdown);
    assert!(hook.try_recv().is_err(), "once");
}

/// A job that registers its hook after the stop learns of it at once; so does one that has not looked yet.
#[test]
fn c09_a_hook_that_comes_after_the_stop_runs_at_once() {
    let pool = ThreadPool::new(1);
    let gate = Gate::closed();
    let (door, (ran, hook)) = (gate.clone(), mpsc::channel());
    let job = pool.submit(move || {
        door.pass();
        let _guard = on_cancel(move || ran.send(()).unwrap());
    });
    gate.wait_for(1);
    drop(pool.shutdown_now());
    gate.open();
    finish(job).unwrap();
    assert_eq!(hook.iter().count(), 1);
}

/// A hook is run by the first of several causes, and by no other.
#[test]
fn c09_a_hook_runs_once_though_stop_cancel_and_drop_come_together() {
    for _ in 0..100 {
        let pool = ThreadPool::new(1);
        let gate = Gate::closed();
        let runs = Arc::new(AtomicUsize::new(0));
        let (door, counter) = (gate.clone(), Arc::clone(&runs));
        let job = pool.submit(move || {
            let _guard = on_cancel(move || {
                counter.fetch_add(1, Ordering::SeqCst);
            });
            door.pass();
        });
        gate.wait_for(1);
        std::thread::scope(|scope| {
            scope.spawn(|| drop(pool.shutdown_now()));
            scope.spawn(|| {
                job.cancel();
                drop(job);
            });
        });
        gate.open();
        finish(pool.shutdown());
        assert_eq!(runs.load(Ordering::SeqCst), 1);
    }
}

#[test]
fn c09_the_deadline_passes_and_names_what_is_left() {
    let pool = ThreadPool::builder().max_threads(2).thread_name("busy").build();
    let gate = Gate::closed();
    let (one, two) = (gate.clone(), gate.clone());
    let lines = [line!() + 1, line!() + 2];
    let first = pool.submit(move || one.pass());
    let second = pool.submit(move || two.pass());
    gate.wait_for(2);
    let queued = pool.submit(|| ());
    let shutdown = pool.shutdown();
    for _ in 0..2 {
        let left = shutdown.wait_timeout(Duration::from_millis(5)).unwrap_err();
        let mut of_jobs: Vec<_> = left.running().iter().map(|job| job.site().line()).collect();
        of_jobs.sort_unstable();
        assert_eq!(of_jobs, lines);
        assert!(left.running().iter().all(|job| job.thread_name().starts_with("busy-")));
        assert!(left.running().iter().all(|job| job.site().file() == file!()));
        assert_eq!(left.queued(), 1);
        let text = left.to_string();
        assert!(text.starts_with("2 jobs still run, 1 wait: ") && text.contains("c09_shutdown.rs:"), "{text}");
    }
    gate.open();
    shutdown.wait_timeout(PATIENCE).unwrap();
    assert!(first.is_finished() && second.is_finished() && queued.is_finished());
}

/// All jobs have ended, and threads are in their stop hook: it is not said that nothing is left.
#[test]
fn c09_the_deadline_passes_while_a_thread_stops() {
    let texts = ["no job runs, but 1 thread has not ended", "no job runs, but 2 threads have not ended"];
    for (threads, text) in [1, 2].into_iter().zip(texts) {
        let gate = Gate::closed();
        let door = gate.clone();
        let pool = ThreadPool::builder().max_threads(threads).on_thread_stop(move || door.pass()).build();
        Occupied::new(&pool, threads).release();
        let shutdown = pool.shutdown();
        gate.wait_for(threads);
        let left = shutdown.wait_timeout(Duration::from_millis(5)).unwrap_err();
        assert_eq!((left.running().len(), left.queued(), left.threads()), (0, 0, threads));
        assert_eq!(left.to_string(), text);
        gate.open();
        shutdown.wait_timeout(PATIENCE).unwrap();
    }
}

#[test]
fn c09_a_deadline_without_end_is_awaited() {
    let pool = ThreadPool::new(1);
    let job = pool.submit(|| 1);
    pool.shutdown().wait_timeout(Duration::MAX).unwrap();
    assert!(job.is_finished());
}

#[tokio::test]
async fn c09_shutdown_on_an_async_thread() {
    let pool = ThreadPool::new(2);
    let gate = Gate::closed();
    let door = gate.clone();
    let job = pool.submit(move || door.pass());
    let shutdown = pool.shutdown();
    gate.wait_for(1);
    let opener = tokio::spawn(async move { gate.open() }); // on this very thread, while it awaits
    tokio::time::timeout(PATIENCE, shutdown).await.unwrap();
    opener.await.unwrap();
    job.await.unwrap();
}

/// A job shuts its own pool down, and waits for it: its own thread does not count.
#[test]
fn c09_shutdown_from_a_worker_of_the_same_pool() {
    for threads in [1, 3] {
        let pool = ThreadPool::new(threads);
        let of_job = pool.clone();
        let (awaited, waited, stopped) = finish(pool.submit(move || {
            let queued = of_job.submit(|| 1);
            let others = of_job.shutdown().wait_timeout(Duration::from_millis(1));
            finish(queued).unwrap();
            finish(of_job.shutdown());
            (others, of_job.shutdown().wait_timeout(PATIENCE), of_job.shutdown_now().wait_timeout(PATIENCE))
        }))
        .unwrap();
        if threads == 1 {
            // The only other thing left is the job that waits behind this one.
            assert_eq!(awaited.map_err(|left| left.queued()), Ok(()));
        }
        waited.unwrap();
        stopped.unwrap();
        finish(pool.shutdown());
    }
}

#[test]
fn c09_shutdown_from_several_threads_at_once() {
    for _ in 0..50 {
        let pool = ThreadPool::new(3);
        let jobs: Vec<_> = (0..12).map(|i| pool.submit(move || i)).collect();
        std::thread::scope(|scope| {
            for i in 0..4 {
                let pool = &pool;
                scope.spawn(move || match i % 2 {
                    0 => finish(pool.shutdown()),
                    _ => pool.shutdown().wait_timeout(PATIENCE).unwrap(),
                });
            }
        });
        assert!(jobs.iter().all(JobHandle::is_finished));
        assert_eq!(jobs.into_iter().map(|job| finish(job).unwrap()).sum::<i32>(), 66);
    }
}

/// Every job of a storm of submissions is run or refused, none is lost between.
#[test]
fn c09_shutdown_during_a_storm_of_submissions() {
    for now in [false, true] {
        for _ in 0..20 {
            let pool = ThreadPool::builder().max_threads(2).keep_alive(Duration::ZERO).build();
            let ran = Arc::new(AtomicUsize::new(0));
            let (completed, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
            std::thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        loop {
                            let counter = Arc::clone(&ran);
                            let job = pool.submit(move || counter.fetch_add(1, Ordering::SeqCst));
                            match finish(job) {
                                Ok(_) => completed.fetch_add(1, Ordering::SeqCst),
                                Err(Error::ShutDown) => {
                                    refused.fetch_add(1, Ordering::SeqCst);
                                    break;
                                }
                                Err(other) => panic!("{other:?}"),
                            };
                        }
                    });
                }
                eventually("the storm is on", || ran.load(Ordering::SeqCst) > 20);
                finish(if now { pool.shutdown_now() } else { pool.shutdown() });
            });
            assert_eq!(ran.load(Ordering::SeqCst), completed.load(Ordering::SeqCst));
            assert_eq!(refused.load(Ordering::SeqCst), 3);
        }
    }
}

#[test]
fn c09_a_job_may_not_be_submitted_by_one_that_drains() {
    let pool = ThreadPool::new(1);
    let of_job = pool.clone();
    let gate = Gate::closed();
    let door = gate.clone();
    let job = pool.submit(move || {
        door.pass();
        finish(of_job.submit(|| ())).is_err()
    });
    gate.wait_for(1);
    let shutdown = pool.shutdown();
    gate.open();
    assert!(finish(job).unwrap());
    finish(shutdown);
}

/// A view with one place. A job of the pool awaits the job that has the place, and another job waits behind.
struct Nested {
    pool: ThreadPool,
    behind: JobHandle<&'static str>,
    /// Awaits the job in the place.
    outer: JobHandle<()>,
    /// Holds the job in the place.
    gate: Gate,
}

impl Nested {
    fn new() -> Self {
        let pool = ThreadPool::builder().max_threads(2).queue_capacity(0).build();
        let view = pool.clone().limited(1);
        let [first_gate, gate] = [(); 2].map(|()| Gate::closed());
        let (pass_first, pass, inner) = (first_gate.clone(), gate.clone(), view.clone());
        let first = view.submit(move || pass_first.pass());
        first_gate.wait_for(1);
        let behind = view.submit(|| "ran");
        let outer = pool.submit(move || finish(inner.submit(move || pass.pass())).unwrap());
        eventually("the nested job is queued", || view.metrics().submitted() == 3);
        first_gate.open();
        finish(first).unwrap();
        gate.wait_for(1);
        Self { pool, behind, outer, gate }
    }
}

/// An awaited job goes first. What waited before it in the view is not forgotten by a pool that is full, or that closes meanwhile.
#[test]
fn c09_what_waits_in_a_view_behind_an_awaited_job_still_runs() {
    for close in [false, true] {
        let Nested { pool, behind, outer, gate } = Nested::new();
        assert!(!behind.is_finished());
        if close {
            pool.close();
        }
        gate.open();
        finish(outer).unwrap();
        assert_eq!(finish(behind).unwrap(), "ran", "closed: {close}");
        pollster::block_on(pool.shutdown());
    }
}

/// What waits in a view is refused at once, as what waits in the pool is, though jobs of the view still run.
#[test]
fn c09_what_waits_in_a_view_is_refused_by_shutdown_now() {
    let Nested { pool, behind, outer, gate } = Nested::new();
    let end = pool.shutdown_now();
    assert!(matches!(finish(behind), Err(Error::ShutDown)));
    gate.open();
    finish(outer).unwrap();
    pollster::block_on(end);
}
