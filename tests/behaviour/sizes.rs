//! Sizes that change at run time, threads ahead of work, and waiting until there is nothing to do.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::time::Duration;

use offload_runtime::{Error, Executor, ExecutorExt, JobHandle, Limited, ThreadPool};
use tests::support::{Counting, Gate, Occupied, PATIENCE, eventually, finish, poll_once, within};

/// Submits `n` jobs that all have to run at once.
fn need_each_other(executor: &impl Executor, n: usize) -> Vec<JobHandle<()>> {
    let barrier = Arc::new(Barrier::new(n));
    let job = |_| {
        let barrier = Arc::clone(&barrier);
        executor.submit(move || {
            barrier.wait();
        })
    };
    (0..n).map(job).collect()
}

fn finish_all(handles: Vec<JobHandle<()>>) {
    for handle in handles {
        finish(handle).unwrap();
    }
}

#[test]
fn a_higher_limit_lets_waiting_jobs_begin_at_once() {
    let pool = ThreadPool::new(1);
    let handles = need_each_other(&pool, 3);
    pool.set_max_threads(3);
    finish_all(handles);
    assert_eq!((pool.metrics().max_threads(), pool.metrics().peak_running()), (3, 3));

    let view = pool.limited(1);
    let handles = need_each_other(&view, 3);
    view.set_limit(3);
    finish_all(handles);
    assert_eq!(view.metrics().limit(), 3);
}

/// Nothing else happens in the executor that could let them begin.
#[test]
fn a_higher_limit_alone_lets_a_waiting_job_begin() {
    fn begins(executor: &impl Executor, raise: impl FnOnce()) {
        let held = Occupied::new(executor, 1);
        let waits = executor.submit(|| ());
        raise();
        finish(waits).unwrap();
        held.release();
    }
    let pool = ThreadPool::new(1);
    begins(&pool, || pool.set_max_threads(2));
    let view = pool.limited(1);
    begins(&view, || view.set_limit(2));
}

/// Three run as the limit becomes one: they end, and later jobs run one at a time.
fn lowered(executor: &impl Executor, lower: impl FnOnce(), running: impl Fn() -> usize) {
    let gates = [(); 3].map(|()| Gate::closed());
    let jobs = gates.clone().map(|gate| executor.submit(move || gate.pass()));
    for gate in &gates {
        gate.wait_for(1);
    }
    lower();
    let (at_once, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let later: Vec<_> = (0..20)
        .map(|_| {
            let (at_once, most) = (Arc::clone(&at_once), Arc::clone(&most));
            executor.submit(move || {
                most.fetch_max(at_once.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::yield_now();
                at_once.fetch_sub(1, Ordering::SeqCst);
            })
        })
        .collect();
    for (left, (gate, job)) in gates.into_iter().zip(jobs).enumerate().map(|(i, pair)| (2 - i, pair)) {
        assert!(later.iter().all(|job| !job.is_finished()), "more than one runs");
        gate.open();
        finish(job).unwrap();
        if left > 0 {
            eventually("it has gone", || running() == left);
        }
    }
    finish_all(later);
    assert_eq!(most.load(Ordering::SeqCst), 1);
}

#[test]
fn a_lower_limit_lets_running_jobs_end_and_no_other_begin() {
    let pool = ThreadPool::new(3);
    lowered(&pool, || pool.set_max_threads(1), || pool.running());
    let pool = ThreadPool::new(3);
    let view = pool.limited(3);
    lowered(&view, || view.set_limit(1), || view.running());
}

/// A bounded executor holds as many jobs as may wait, and as may run.
#[test]
fn places_follow_the_limit() {
    let pool = ThreadPool::builder().max_threads(2).queue_capacity(1).build();
    let view = Limited::builder(ThreadPool::new(4)).limit(2).queue_capacity(1).build();
    follows(&pool, |n| pool.set_max_threads(n), || pool.reserve());
    follows(&view, |n| view.set_limit(n), || view.reserve());
}

fn follows<E, R, P>(executor: &E, set: impl Fn(usize), reserve: impl Fn() -> R)
where
    E: Executor,
    R: Future<Output = Result<P, Error>> + Unpin,
{
    let held = Occupied::new(executor, 2);
    let waits = executor.submit(|| ());
    let (mut first, mut second) = (reserve(), reserve());
    let woken = Arc::new(Counting::default());
    let waker = std::task::Waker::from(Arc::clone(&woken));
    assert!(poll_once(&mut first, &waker).is_pending() && poll_once(&mut second, &waker).is_pending());
    set(4);
    assert_eq!(woken.wakes(), 2, "two places more");
    let permits = [finish(first).unwrap(), finish(second).unwrap()];
    set(1);
    drop(permits);
    assert!(matches!(finish(executor.submit(|| ())), Err(Error::QueueFull)), "there are more than there may be");
    held.release();
    finish(waits).unwrap();
    set(2);
    let three = Occupied::new(executor, 2);
    let waits = executor.submit(|| ());
    assert!(matches!(finish(executor.submit(|| ())), Err(Error::QueueFull)));
    three.release();
    finish(waits).unwrap();
}

#[test]
fn threads_that_were_to_stay_leave_when_they_are_too_many() {
    let pool = ThreadPool::builder().max_threads(4).min_threads(4).keep_alive(Duration::ZERO).build();
    Occupied::new(&pool, 4).release();
    eventually("they park", || pool.metrics().idle() == 4);
    pool.set_max_threads(1);
    eventually("three leave", || pool.metrics().threads() == 1);
    assert_eq!(finish(pool.submit(|| 1)).unwrap(), 1);
}

#[test]
fn threads_are_there_before_the_first_job() {
    let (started, starts) = mpsc::channel();
    let pool = ThreadPool::builder()
        .max_threads(3)
        .start_threads(5)
        .min_threads(3)
        .on_thread_start(move || started.send(()).unwrap())
        .build();
    assert_eq!(pool.metrics().threads(), 3, "as many as there may be");
    for _ in 0..3 {
        starts.recv_timeout(PATIENCE).unwrap();
    }
    for _ in 0..10 {
        finish_all(need_each_other(&pool, 3));
    }
    assert_eq!(pool.metrics().peak_threads(), 3);
    assert!(starts.try_recv().is_err(), "no other was started");
    assert_eq!(ThreadPool::builder().build().metrics().threads(), 0, "none by default");
}

#[test]
fn a_pool_is_idle_when_nothing_is_queued_or_runs() {
    let pool = ThreadPool::new(1);
    finish(pool.wait_idle());
    let held = Occupied::new(&pool, 1);
    let queued = pool.submit(|| ());
    let woken = Arc::new(Counting::default());
    let waker = std::task::Waker::from(Arc::clone(&woken));
    let mut idle = pool.wait_idle();
    assert!(poll_once(&mut idle, &waker).is_pending());
    held.release();
    finish(idle);
    assert!(queued.is_finished());
    assert_eq!(pool.running() + pool.queued(), 0);
    assert_eq!(finish(pool.submit(|| 1)).unwrap(), 1, "it takes jobs all the while");
}

#[test]
fn jobs_of_views_keep_a_pool_busy() {
    let pool = ThreadPool::new(2);
    let view = pool.limited(1);
    let handles: Vec<_> = (0..100).map(|_| view.submit(std::thread::yield_now)).collect();
    finish(pool.wait_idle());
    assert!(handles.iter().all(JobHandle::is_finished));
}

#[test]
fn the_cancellation_of_the_last_job_makes_a_pool_idle() {
    let pool = ThreadPool::new(1);
    let held = Occupied::new(&pool, 1);
    let (queued, mut idle) = (pool.submit(|| ()), pool.wait_idle());
    assert!(poll_once(&mut idle, std::task::Waker::noop()).is_pending());
    held.release();
    drop(queued);
    finish(idle);
}

/// Whatever else the pool has to do.
#[test]
fn a_view_is_idle_when_its_own_jobs_have_ended() {
    let pool = ThreadPool::new(2);
    let view = pool.limited(1);
    finish(view.wait_idle());
    let other = Occupied::new(&pool, 1);
    let held = Occupied::new(&view, 1);
    let queued = view.submit(|| ());
    let woken = Arc::new(Counting::default());
    let mut idle = view.wait_idle();
    assert!(poll_once(&mut idle, &Arc::clone(&woken).into()).is_pending());
    held.release();
    eventually("it is woken", || woken.wakes() == 1);
    finish(idle);
    assert!(queued.is_finished());
    assert_eq!(view.running() + view.queued(), 0);
    other.release();
}

#[test]
fn the_cancellation_or_refusal_of_the_last_job_makes_a_view_idle() {
    let pool = ThreadPool::new(1);
    let (view, other) = (pool.limited(1), Occupied::new(&pool, 1));
    for ends in [|_: &ThreadPool, job: JobHandle<()>| drop(job), |pool: &ThreadPool, _| drop(pool.shutdown_now())] {
        let woken = Arc::new(Counting::default());
        let (queued, mut idle) = (view.submit(|| ()), view.wait_idle());
        assert!(poll_once(&mut idle, &Arc::clone(&woken).into()).is_pending());
        ends(&pool, queued);
        eventually("it is woken", || woken.wakes() == 1);
        finish(idle);
    }
    other.release();
}

/// Several wait, and one gives up: it leaves nothing, and the others are woken.
#[test]
fn a_wait_for_idleness_may_be_given_up() {
    let pool = ThreadPool::new(1);
    let held = Occupied::new(&pool, 1);
    let woken = Arc::new(Counting::default());
    let waker = std::task::Waker::from(Arc::clone(&woken));
    let (mut given_up, mut waits) = (pool.wait_idle(), pool.wait_idle());
    assert!(poll_once(&mut given_up, &waker).is_pending());
    drop((given_up, waker));
    assert_eq!(Arc::strong_count(&woken), 1);
    assert!(poll_once(&mut waits, std::task::Waker::noop()).is_pending());
    held.release();
    finish(waits);
}

/// One of two jobs waits for the other.
fn a_job_waits_for_the_other<E, F>(executor: &E, wait_idle: fn(&E) -> F)
where
    E: Executor + Clone + 'static,
    F: Future<Output = ()> + Unpin + 'static,
{
    let gate = Gate::closed();
    let door = gate.clone();
    let other = executor.submit(move || door.pass());
    let (inner, (waits, is_waiting)) = (executor.clone(), mpsc::channel());
    let last = executor.submit(move || {
        let mut idle = wait_idle(&inner);
        assert!(poll_once(&mut idle, std::task::Waker::noop()).is_pending());
        waits.send(()).unwrap();
        finish(idle);
    });
    is_waiting.recv().unwrap();
    gate.open();
    last.wait().unwrap();
    assert!(other.is_finished());
}

#[test]
fn a_job_may_wait_until_the_others_have_ended() {
    within(PATIENCE, || {
        a_job_waits_for_the_other(&ThreadPool::new(2), ThreadPool::wait_idle);
        a_job_waits_for_the_other(&ThreadPool::new(4).limited(2), Limited::wait_idle);
    });
}

/// A job awaits two others, so that there may be one thread more than the limit.
#[test]
fn a_limit_may_be_as_large_as_a_number_goes() {
    fn awaits_two<E: Executor + Clone + 'static>(executor: &E) {
        let inner = executor.clone();
        let outer = executor.submit(move || {
            let handles = [1, 2].map(|n| inner.submit(move || n));
            handles.map(|handle| handle.wait().expect("an awaited job runs"))
        });
        assert_eq!(finish(outer).unwrap(), [1, 2]);
    }

    awaits_two(&ThreadPool::new(usize::MAX));
    awaits_two(&ThreadPool::new(1).limited(usize::MAX));
    let pool = ThreadPool::builder().max_threads(1).queue_capacity(usize::MAX).build();
    let view = Limited::builder(pool.clone()).limit(1).queue_capacity(usize::MAX).build();
    for n in [usize::MAX, 1, usize::MAX - 1] {
        pool.set_max_threads(n);
        view.set_limit(n);
        awaits_two(&view);
    }
}
