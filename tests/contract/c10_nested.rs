//! C10: a job that blocks on a handle of its own pool cannot deadlock.
//!
//! What the pool cannot help with, because it does not see it, is shown at the end.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use offload_runtime::{Executor, ExecutorExt, Inline, JobHandle, Limited, ThreadPool, is_cancelled};
use tests::support::{Gate, Occupied, PATIENCE, Started, eventually, finish, tokio_runtime, within};

const DEPTH: u32 = 50;

type BlockOn = fn(JobHandle<u32>) -> u32;

/// A job that blocks on a job that blocks on a job...
fn deep<E>(executor: E, depth: u32, block_on: BlockOn) -> u32
where
    E: Executor + Clone + 'static,
{
    if depth == 0 {
        return 0;
    }
    let inner = executor.clone();
    1 + block_on(executor.submit(move || deep(inner, depth - 1, block_on)))
}

fn with_pollster(handle: JobHandle<u32>) -> u32 {
    pollster::block_on(handle).unwrap()
}

fn with_futures(handle: JobHandle<u32>) -> u32 {
    futures::executor::block_on(handle).unwrap()
}

fn with_tokio(handle: JobHandle<u32>) -> u32 {
    tokio::runtime::Handle::current().block_on(handle).unwrap()
}

fn with_smol(handle: JobHandle<u32>) -> u32 {
    smol::block_on(handle).unwrap()
}

fn fifty_deep_on_one_thread(block_on: BlockOn) {
    let depth = within(PATIENCE, move || {
        let pool = ThreadPool::new(1);
        let of_job = pool.clone();
        finish(pool.submit(move || deep(of_job, DEPTH, block_on))).unwrap()
    });
    assert_eq!(depth, DEPTH);
}

fn fifty_deep_in_a_view_of_one(block_on: BlockOn) {
    let depth = within(PATIENCE, move || {
        let view: Limited<_> = ThreadPool::new(1).limited(1);
        let of_job = view.clone();
        finish(view.submit(move || deep(of_job, DEPTH, block_on))).unwrap()
    });
    assert_eq!(depth, DEPTH);
}

#[test]
fn c10_fifty_deep_through_pollster() {
    fifty_deep_on_one_thread(with_pollster);
    fifty_deep_in_a_view_of_one(with_pollster);
}

#[test]
fn c10_fifty_deep_through_smol() {
    fifty_deep_on_one_thread(with_smol);
    fifty_deep_in_a_view_of_one(with_smol);
}

#[test]
fn c10_fifty_deep_through_futures() {
    fifty_deep_on_one_thread(with_futures);
}

#[test]
fn c10_fifty_deep_through_futures_in_a_view_of_one() {
    fifty_deep_in_a_view_of_one(with_futures);
}

#[test]
fn c10_fifty_deep_through_tokio() {
    let runtime = tokio_runtime(1);
    let _entered = runtime.enter();
    let pool = ThreadPool::new(1);
    let of_job = pool.clone();
    let handle = pool.submit(move || deep(of_job, DEPTH, with_tokio));
    assert_eq!(finish(handle).unwrap(), DEPTH);
}

#[test]
fn c10_fifty_deep_through_tokio_in_a_view_of_one() {
    let runtime = tokio_runtime(1);
    let _entered = runtime.enter();
    let view = ThreadPool::new(1).limited(1);
    let of_job = view.clone();
    let handle = view.submit(move || deep(of_job, DEPTH, with_tokio));
    assert_eq!(finish(handle).unwrap(), DEPTH);
}

/// The job that is waited for is not the first of the queue.
#[test]
fn c10_a_job_waits_for_the_last_of_many() {
    let values = within(PATIENCE, || {
        let pool = ThreadPool::new(1);
        let of_job = pool.clone();
        let outer = pool.submit(move || {
            let handles: Vec<_> = (0..100).map(|i| of_job.submit(move || i)).collect();
            let backwards = handles.into_iter().rev();
            backwards.map(|handle| finish(handle).unwrap()).collect::<Vec<i32>>()
        });
        finish(outer).unwrap()
    });
    assert_eq!(values, (0..100).rev().collect::<Vec<_>>());
}

/// Jobs on every thread of the pool block on jobs behind them, all at once.
#[test]
fn c10_every_thread_blocks_at_once() {
    let sum = within(PATIENCE, || {
        let pool = ThreadPool::new(2);
        let both = Gate::closed();
        let job = |i: u32| {
            let (pool, both) = (pool.clone(), both.clone());
            pool.clone().submit(move || {
                both.pass();
                let of_job = pool.clone();
                1000 * i + with_pollster(pool.submit(move || deep(of_job, i, with_pollster)))
            })
        };
        let (a, b) = (job(3), job(4));
        both.wait_for(2);
        both.open();
        finish(a).unwrap() + finish(b).unwrap()
    });
    assert_eq!(sum, 7007);
}

/// A job of a pool may block on one of a view of the pool: it runs in a place of the view.
#[test]
fn c10_a_job_waits_for_a_view_of_its_own_pool() {
    let values = within(PATIENCE, || {
        let pool = ThreadPool::new(1);
        let view = pool.clone().limited(1);
        let job = pool.submit(move || {
            let handles: Vec<_> = (0..20).map(|i| view.submit(move || i)).collect();
            handles.into_iter().rev().map(|handle| finish(handle).unwrap()).collect::<Vec<_>>()
        });
        finish(job).unwrap()
    });
    assert_eq!(values, (0..20).rev().collect::<Vec<_>>());
}

#[test]
fn c10_a_view_with_a_capacity_is_a_view_of_its_pool_too() {
    let value = within(PATIENCE, || {
        let pool = ThreadPool::new(1);
        let view = pool.clone().limited(1).queue_capacity(3);
        finish(pool.submit(move || finish(view.submit(|| 1)).unwrap())).unwrap()
    });
    assert_eq!(value, 1);
}

#[test]
fn c10_a_job_of_a_view_waits_for_a_view_of_that_view() {
    let value = within(PATIENCE, || {
        let outer = ThreadPool::new(1).limited(1);
        let inner = outer.clone().limited(1);
        finish(outer.submit(move || finish(inner.submit(|| 1)).unwrap())).unwrap()
    });
    assert_eq!(value, 1);
}

/// Jobs of a pool that wait for a view's places take no more of them than there are.
#[test]
fn c10_jobs_that_wait_for_a_view_of_their_pool_keep_to_its_places() {
    let most = within(PATIENCE, || {
        let pool = ThreadPool::new(4);
        let view = pool.clone().limited(1);
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let job = |_| {
            let (view, running, most) = (view.clone(), Arc::clone(&running), Arc::clone(&most));
            pool.submit(move || {
                let inner = view.submit(move || {
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::yield_now();
                    running.fetch_sub(1, Ordering::SeqCst);
                });
                finish(inner).unwrap();
            })
        };
        let jobs: Vec<_> = (0..200).map(job).collect();
        for job in jobs {
            finish(job).unwrap();
        }
        most.load(Ordering::SeqCst)
    });
    assert_eq!(most, 1);
}

/// A job of a view may block on the executor behind the view: its thread serves both.
#[test]
fn c10_a_job_of_a_view_waits_for_its_pool() {
    let value = within(PATIENCE, || {
        let pool = ThreadPool::new(1);
        let view = pool.clone().limited(1);
        finish(view.submit(move || finish(pool.submit(|| 1)).unwrap())).unwrap()
    });
    assert_eq!(value, 1);
}

#[test]
fn c10_a_job_of_a_view_of_a_view_waits_for_either() {
    let values = within(PATIENCE, || {
        let pool = ThreadPool::new(1);
        let outer = pool.clone().limited(1);
        let inner = outer.clone().limited(1);
        let of_job = inner.clone();
        let job = inner.submit(move || {
            [of_job.submit(|| 1), outer.submit(|| 2), pool.submit(|| 3)].map(|handle| finish(handle).unwrap())
        });
        finish(job).unwrap()
    });
    assert_eq!(values, [1, 2, 3]);
}

/// While a job of a view waits for another, the pool's sleeping threads stay the pool's: they are there for other jobs, and leave at
/// its end.
#[test]
fn c10_a_nested_job_of_a_view_loses_no_thread() {
    let started = Started::default();
    let pool = started.watch(ThreadPool::builder().max_threads(3).min_threads(3)).build();
    Occupied::new(&pool, 3).release();
    eventually("its threads are free", || format!("{pool:?}").contains("running: 0"));
    let view = pool.clone().limited(1);
    for _ in 0..10 {
        let of_job = view.clone();
        let outer = view.submit(move || finish(of_job.submit(|| 1)).unwrap());
        assert_eq!(finish(outer).unwrap(), 1);
    }
    Occupied::new(&pool, 3).release();
    pool.shutdown().wait_timeout(PATIENCE).unwrap();
    assert_eq!(started.alive(), 0);
}

/// A nested job is a job of its own: its panic, its cancellation and its result are not the outer one's.
#[test]
fn c10_a_nested_job_that_is_cancelled_does_not_cancel_the_one_around_it() {
    let seen = within(PATIENCE, || {
        let pool = ThreadPool::new(1);
        let of_job = pool.clone();
        let outer = pool.submit(move || {
            let inner = of_job.submit(is_cancelled);
            let refused = of_job.submit(|| unreachable!());
            refused.cancel();
            (finish(inner).unwrap(), finish::<JobHandle<()>>(refused).is_err(), is_cancelled())
        });
        finish(outer).unwrap()
    });
    assert_eq!(seen, (false, true, false));
}

/// While a nested job runs, the pool says so of its thread; afterwards it is the outer job again.
#[test]
fn c10_running_jobs_names_the_innermost() {
    let pool = ThreadPool::new(1);
    let of_job = pool.clone();
    let (lines, wait) = mpsc::channel();
    let outer = pool.submit(move || {
        let running = |pool: &ThreadPool| pool.running_jobs().iter().map(|job| job.site().line()).collect::<Vec<_>>();
        let before = running(&of_job);
        let in_inner = of_job.clone();
        let inner = finish(of_job.submit(move || running(&in_inner))).unwrap();
        lines.send((before, inner, running(&of_job))).unwrap();
    });
    finish(outer).unwrap();
    let (before, inner, after) = wait.recv().unwrap();
    assert_eq!((before.len(), inner.last() > before.last()), (1, true));
    assert_eq!(before, after);
}

/// Drivers of a view leave their places to a job that is waited for. When it has ended, as many come back as there are places: two jobs of
/// the view that need each other's progress both complete.
#[test]
fn c10_a_view_has_all_its_places_again_after_a_nested_job() {
    // Which of the runners leave is a matter of chance: many rounds.
    for _ in 0..300 {
        let pool = ThreadPool::new(4);
        let view = pool.clone().limited(2);
        let (gate, both) = (Gate::closed(), Arc::new(Barrier::new(2)));
        let first = [(); 2].map(|()| {
            let door = gate.clone();
            view.submit(move || door.pass())
        });
        gate.wait_for(2);
        let second = [(); 2].map(|()| {
            let both = Arc::clone(&both);
            view.submit(move || both.wait().is_leader())
        });
        let (begun, wait) = mpsc::channel();
        let outer = pool.submit(move || {
            let inner = view.submit(|| ());
            begun.send(()).unwrap();
            finish(inner).unwrap();
        });
        wait.recv_timeout(PATIENCE).unwrap();
        gate.open();
        finish(outer).unwrap();
        for handle in first {
            finish(handle).unwrap();
        }
        assert_eq!(second.map(|handle| finish(handle).unwrap()).iter().filter(|leads| **leads).count(), 1);
    }
}

#[test]
fn c10_a_job_may_wait_for_a_view_of_a_view_of_its_pool() {
    let pool = ThreadPool::new(1);
    let view = pool.clone().limited(1).limited(1);
    let outer = pool.submit(move || finish(view.submit(|| 1)).unwrap());
    assert_eq!(finish(outer).unwrap(), 1);
}

/// What cannot be made safe: a job that waits for something which only a queued job will do, and which the pool does not see. It
/// has to be given a deadline too.
#[test]
fn c10_a_job_that_waits_for_a_channel_of_a_queued_job_has_to_time_out() {
    let pool = ThreadPool::new(1);
    let of_job = pool.clone();
    let outer = pool.submit(move || {
        let (send, receive) = mpsc::channel();
        let inner = of_job.submit(move || send.send(()).is_ok());
        (receive.recv_timeout(Duration::from_millis(50)), inner)
    });
    let (waited, inner) = finish(outer).unwrap();
    assert_eq!(waited, Err(RecvTimeoutError::Timeout));
    assert!(!finish(inner).unwrap(), "it ran, and its receiver was gone");
}

/// Jobs that run one inside the other, on one thread, do not keep it from telling its pool that they wait.
#[test]
fn c10_a_job_far_inside_of_others_awaits_a_job_of_its_pool() {
    fn far_inside(pool: ThreadPool, depth: usize) -> u32 {
        match depth {
            0 => finish(pool.submit(|| 1)).unwrap(),
            _ => finish(Inline.submit(move || far_inside(pool, depth - 1))).unwrap(),
        }
    }

    for depth in [1, 62, 63, 64, 200] {
        let pool = ThreadPool::new(1);
        let of_job = pool.clone();
        let outer = pool.submit(move || far_inside(of_job, depth));
        assert_eq!(within(PATIENCE, move || finish(outer)).unwrap(), 1, "{depth} deep");
    }
}

/// A pool of one thread, and views of one place each, every one a view of the one before.
fn nested_views(depth: usize) -> Vec<Arc<dyn Executor>> {
    let pool: Arc<dyn Executor> = Arc::new(ThreadPool::new(1));
    std::iter::successors(Some(pool), |outer| Some(Arc::new(Limited::new(Arc::clone(outer), 1))))
        .take(depth + 1)
        .collect()
}

/// A thread that runs a job of a deep view serves every view around it, and tells each of them that the job waits.
#[test]
fn c10_a_job_of_a_deep_view_awaits_jobs_of_all_that_are_around_it() {
    for depth in [1, 62, 63, 64, 65, 100] {
        let executors = nested_views(depth);
        let innermost = Arc::clone(&executors[depth]);
        let outer =
            innermost.submit(move || executors.iter().map(|outer| finish(outer.submit(|| 1)).unwrap()).sum::<usize>());
        assert_eq!(within(PATIENCE, move || finish(outer)).unwrap(), depth + 1, "{depth} deep");
    }
}

/// Each job awaits one of the next view.
#[test]
fn c10_jobs_of_deep_views_await_one_another() {
    fn next(executors: Arc<[Arc<dyn Executor>]>, depth: usize) -> usize {
        let Some(executor) = executors.get(depth).cloned() else { return 0 };
        1 + finish(executor.submit(move || next(executors, depth + 1))).unwrap()
    }

    for depth in [1, 62, 63, 64, 65, 80] {
        let executors = nested_views(depth).into();
        assert_eq!(within(PATIENCE, move || next(executors, 0)), depth + 1, "{depth} deep");
    }
}
