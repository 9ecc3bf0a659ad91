//! C3: results that are ready when they are asked for do not keep the thread from all others, whatever the executor and the runtime.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::future::{Either, select};
use futures::stream::{FuturesUnordered, StreamExt};
use offload_runtime::{Executor, ExecutorExt, Inline, JobHandle, ThreadPool};
use tests::support::{Gate, PATIENCE, eventually, finish, poll_once, within};

/// More results than any test waits for.
const ENDLESS: usize = 100_000_000;

fn current_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

/// A job that has ended.
fn ended(pool: &ThreadPool) -> JobHandle<()> {
    let handle = pool.submit(|| ());
    while !handle.is_finished() {
        std::hint::spin_loop();
    }
    handle
}

/// The timeout of a task fires, though each result of it is ready.
#[test]
fn c03_ready_results_do_not_starve_the_timeout_of_their_task() {
    within(PATIENCE, || {
        let (runtime, pool) = (current_thread(), ThreadPool::new(1));
        let calls = async {
            for _ in 0..ENDLESS {
                ended(&pool).await.unwrap();
            }
        };
        assert!(runtime.block_on(async { tokio::time::timeout(Duration::from_millis(20), calls).await }).is_err());
        let calls = async {
            for _ in 0..ENDLESS {
                Inline.submit(|| ()).await.unwrap();
            }
        };
        assert!(runtime.block_on(async { tokio::time::timeout(Duration::from_millis(20), calls).await }).is_err());
    });
}

/// Other tasks have their turn once in so many results.
#[test]
fn c03_ready_results_do_not_starve_other_tasks() {
    within(PATIENCE, || {
        let (runtime, turns) = (current_thread(), Arc::new(AtomicUsize::new(0)));
        let of_other = Arc::clone(&turns);
        let other = runtime.spawn(async move {
            loop {
                of_other.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
            }
        });
        runtime.block_on(async {
            let jobs: Vec<_> = (0..10_000).map(|_| Inline.submit(|| ())).collect();
            for job in jobs {
                job.await.unwrap();
            }
        });
        other.abort();
        let turns = turns.load(Ordering::SeqCst);
        assert!(turns >= 100, "{turns} turns in 10,000 results");
    });
}

/// A future beside the ready ones that is pending each time is no turn of other tasks.
#[test]
fn c03_ready_results_beside_a_pending_one_do_not_starve_the_timeout() {
    within(PATIENCE, || {
        let (runtime, pool, gate) = (current_thread(), ThreadPool::new(1), Gate::closed());
        let door = gate.clone();
        let mut long = pool.submit(move || door.pass());
        let calls = async {
            for _ in 0..ENDLESS {
                match select(&mut long, Inline.submit(|| ())).await {
                    Either::Left(_) => unreachable!("it waits at the gate"),
                    Either::Right((result, _)) => result.unwrap(),
                }
            }
        };
        assert!(runtime.block_on(async { tokio::time::timeout(Duration::from_millis(20), calls).await }).is_err());
        gate.open();
        finish(long).unwrap();
    });
}

/// Results that come to be ready between two polls of one task: each was pending, and the task never was.
#[test]
fn c03_results_that_were_polled_ahead_do_not_starve_the_timeout() {
    within(PATIENCE, || {
        let (runtime, pool) = (current_thread(), ThreadPool::new(1));
        let calls = async {
            for _ in 0..ENDLESS {
                let mut ahead = pool.submit(|| ());
                let _ = poll_once(&mut ahead, Waker::noop());
                if !ahead.is_finished() {
                    eventually("it ends", || ahead.is_finished());
                    ahead.await.unwrap();
                }
            }
        };
        assert!(runtime.block_on(async { tokio::time::timeout(Duration::from_millis(100), calls).await }).is_err());
    });
}

/// Foreign executors inside a task of tokio, whose budget ends there and does not come back before they do.
#[test]
fn c03_a_foreign_block_on_inside_a_task_ends() {
    within(PATIENCE, || {
        let (runtime, pool) = (current_thread(), ThreadPool::new(1));
        let calls = || async {
            for _ in 0..200 {
                ended(&pool).await.unwrap();
                Inline.submit(|| ()).await.unwrap();
            }
        };
        runtime.block_on(async {
            pollster::block_on(calls());
            futures::executor::block_on(calls());
            smol::block_on(calls());
            finish(calls());
        });
    });
}

/// A handle that gives way wakes its task itself, and has its result at the next poll.
#[test]
fn c03_a_handle_that_gives_way_wakes_its_task() {
    let (woken, gave_way) = (Arc::new(AtomicBool::new(false)), AtomicUsize::new(0));
    let of_waker = Arc::clone(&woken);
    let waker = tests::support::waker_of(move || of_waker.store(true, Ordering::SeqCst));
    for n in 0..1_000 {
        let mut handle = Inline.submit(move || n);
        woken.store(false, Ordering::SeqCst);
        if poll_once(&mut handle, &waker).is_pending() {
            assert!(handle.is_finished() && woken.load(Ordering::SeqCst), "it is pending, and no one will poll it");
            gave_way.fetch_add(1, Ordering::SeqCst);
            assert!(matches!(poll_once(&mut handle, &waker), Poll::Ready(Ok(same)) if same == n));
        }
    }
    let gave_way = gave_way.into_inner();
    assert!((10..=100).contains(&gave_way), "{gave_way} of 1,000 gave way");
}

/// All results of many arrive, by whatever polls them, though some give way.
#[test]
fn c03_all_ready_results_arrive_by_combinators() {
    within(PATIENCE, || {
        let executors: [Box<dyn Executor>; 2] = [Box::new(Inline), Box::new(ThreadPool::new(2))];
        for executor in executors {
            let jobs = || (0..1_000).map(|n| executor.submit(move || n));
            let sum = |results: Vec<Result<i32, _>>| results.into_iter().map(Result::unwrap).sum::<i32>();
            assert_eq!(sum(finish(futures::future::join_all(jobs()))), 499_500);
            assert_eq!(sum(finish(jobs().collect::<FuturesUnordered<_>>().collect())), 499_500);
            assert_eq!(sum(finish(futures::stream::iter(jobs()).buffered(20).collect())), 499_500);
            assert_eq!(sum(current_thread().block_on(futures::future::join_all(jobs()))), 499_500);
        }
    });
}

/// A task of an executor that polls once for each wake, as all do: no wake is left out, and none comes for nothing without end.
#[test]
fn c03_a_task_that_gives_way_is_polled_once_for_each_wake() {
    let count = Arc::new(AtomicUsize::new(0));
    let of_waker = Arc::clone(&count);
    let waker = tests::support::waker_of(move || {
        of_waker.fetch_add(1, Ordering::SeqCst);
    });
    let mut task = Box::pin(async {
        for _ in 0..1_000 {
            Inline.submit(|| ()).await.unwrap();
        }
    });
    let (mut polls, mut ready) = (0, false);
    while !ready {
        polls += 1;
        ready = task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
        assert!(ready || count.load(Ordering::SeqCst) == polls, "pending without a wake");
    }
    assert!((10..=100).contains(&polls), "{polls} polls for 1,000 results");
}
