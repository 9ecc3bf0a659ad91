//! C5: a bounded pool has all its places again, however the jobs of its views, and its own, end.

use std::sync::mpsc;
use std::time::Duration;

use offload_runtime::{Error, Executor, ExecutorExt, Job, Limited, ThreadPool};
use tests::support::{Occupied, PATIENCE, assert_balanced, eventually, finish, silence, within};

/// A pool with one thread, and places for two jobs that wait.
fn bounded() -> ThreadPool {
    ThreadPool::builder().max_threads(1).queue_capacity(2).build()
}

/// All places are there, and no more.
#[track_caller]
fn assert_places(pool: &ThreadPool) {
    let occupied = Occupied::new(pool, 1);
    let waiting = [(); 2].map(|()| pool.submit(|| ()));
    assert!(matches!(finish(pool.submit(|| ())), Err(Error::QueueFull)), "there are more places than before");
    occupied.release();
    for job in waiting {
        finish(job).expect("there are less places than before");
    }
    assert_balanced(&pool.metrics());
}

/// Jobs of views that are cancelled leave nothing in the pool that counts.
#[test]
fn c05_cancelled_jobs_of_views_leave_their_pool_empty() {
    let pool = bounded();
    let occupied = Occupied::new(&pool, 1);
    for _ in 0..100 {
        let view = pool.clone().limited(3);
        let jobs = [(); 2].map(|()| view.submit(|| ()));
        assert_eq!(pool.metrics().queued(), 2);
        let [first, second] = jobs;
        drop(first);
        second.cancel();
        assert!(matches!(finish(second), Err(Error::Cancelled)));
        assert_eq!(pool.metrics().queued(), 0);
    }
    // And those of a view of a view.
    let view = pool.clone().limited(1).limited(1);
    drop(view.submit(|| ()));
    assert_eq!(pool.metrics().queued(), 0);
    occupied.release();
    assert_places(&pool);
}

/// Of the jobs of a view some are cancelled: as many runners stay as there are jobs.
#[test]
fn c05_a_view_keeps_the_runners_that_its_jobs_need() {
    let pool = ThreadPool::builder().max_threads(1).queue_capacity(8).build();
    let occupied = Occupied::new(&pool, 1);
    let view = pool.clone().limited(4);
    let mut jobs: Vec<_> = (0..20).map(|n| view.submit(move || n)).collect();
    assert_eq!(pool.metrics().queued(), 4);
    jobs.drain(..18);
    assert_eq!(pool.metrics().queued(), 2);
    jobs.extend((0..20).map(|n| view.submit(move || n)));
    assert_eq!(pool.metrics().queued(), 4);
    occupied.release();
    assert_eq!(jobs.into_iter().map(|job| finish(job).unwrap()).sum::<i32>(), 18 + 19 + 190);
}

/// Each end of a job gives its place back once.
#[test]
fn c05_each_end_of_a_job_gives_its_place_back_once() {
    silence();
    let pool = bounded();
    let view = pool.clone().limited(1).queue_capacity(1);
    for round in 0..200 {
        let occupied = Occupied::new(&pool, 1);
        let (queued, of_view) = (pool.submit(|| ()), view.submit(|| ()));
        assert!(matches!(finish(pool.submit(|| ())), Err(Error::QueueFull)));
        match round % 4 {
            0 => drop((queued, of_view)),
            1 => {
                queued.cancel();
                of_view.cancel();
                assert!(finish(queued).is_err() && finish(of_view).is_err());
            }
            2 => {
                let cancellers = [queued.canceller(), of_view.canceller()];
                std::thread::spawn(move || cancellers.map(|canceller| canceller.cancel())).join().unwrap();
                drop((queued, of_view));
            }
            _ => {
                queued.detach();
                of_view.detach();
            }
        }
        occupied.release();
        if round % 5 == 0 {
            assert!(finish(pool.submit(|| panic!("on purpose"))).is_err());
        }
        // All that was detached has ended when a job behind it has.
        finish(pool.submit(|| ())).unwrap();
        finish(view.submit(|| ())).unwrap();
    }
    assert_places(&pool);
}

/// Nested jobs give their places back, too.
#[test]
fn c05_nested_jobs_give_their_places_back() {
    within(PATIENCE, || {
        let pool = bounded();
        let view = pool.clone().limited(1);
        for _ in 0..100 {
            let (of_job, of_view) = (pool.clone(), view.clone());
            let outer = pool.submit(move || {
                finish(of_view.submit(|| ())).unwrap();
                let given_up = of_view.submit(|| ());
                // A view's turn gives its place back after the result of its job is there.
                eventually("there is room again", || of_job.try_submit(|| ()).is_ok_and(|job| finish(job).is_ok()));
                drop(given_up);
            });
            finish(outer).unwrap();
        }
        assert_places(&pool);
    });
}

/// An executor whose jobs another thread gives to the pool: a handle may be dropped at any moment of that.
struct Forwards(mpsc::Sender<Job>);

impl Executor for Forwards {
    fn execute(&self, job: Job) {
        self.0.send(job).unwrap();
    }
}

/// A job is cancelled while another thread gives it to the pool: it is in the books, and its place is free.
#[test]
fn c05_a_job_that_is_cancelled_on_its_way_into_the_queue_gives_its_place_back() {
    let (pool, (send, jobs)) = (bounded(), mpsc::channel::<Job>());
    let of_thread = pool.clone();
    let forwards = std::thread::spawn(move || {
        while let Ok(job) = jobs.recv_timeout(Duration::from_secs(60)) {
            // Spins for the next, so that it comes when the other thread is there, too.
            of_thread.execute(job);
            let mut spins = 0;
            while spins < 10_000 {
                match jobs.try_recv() {
                    Ok(job) => {
                        of_thread.execute(job);
                        spins = 0;
                    }
                    Err(_) => spins += 1,
                }
            }
        }
    });
    let executor = Forwards(send);
    for round in 0..200_000_u32 {
        let handle = executor.submit(|| ());
        for _ in 0..round % 256 {
            std::hint::spin_loop();
        }
        drop(handle);
    }
    drop(executor);
    forwards.join().unwrap();
    finish(pool.submit(|| ())).unwrap();
    let metrics = pool.metrics();
    assert_eq!((metrics.queued(), metrics.running()), (0, 0), "{metrics:?}");
    assert_places(&pool);
}

/// A permit of a view of a view holds for both views and the pool, though the pool is full.
#[test]
fn c05_a_permit_of_a_view_of_a_view_is_accepted_by_all_of_them() {
    let pool = ThreadPool::builder().max_threads(1).queue_capacity(0).build();
    let outer = pool.limited(1);
    let inner = Limited::builder(outer.clone()).limit(1).queue_capacity(2).build();
    for _ in 0..10 {
        let occupied = Occupied::new(&pool, 1);
        let permit = finish(inner.reserve()).unwrap();
        let job = permit.submit(|| 1);
        occupied.release();
        assert_eq!(finish(job).expect("a permit is not refused as full"), 1);
    }
    // Nothing of the permit stays with the views: what has none is refused again.
    let occupied = Occupied::new(&pool, 1);
    assert!(matches!(finish(outer.submit(|| ())), Err(Error::QueueFull)));
    occupied.release();
    assert_balanced(&pool.metrics());
}

/// The promise of a permit goes with its job, however that ends: what has no permit is refused again.
#[test]
fn c05_a_permit_whose_job_is_cancelled_lets_no_other_into_a_full_pool() {
    let pool = ThreadPool::builder().max_threads(1).queue_capacity(0).build();
    for view in [pool.limited(1), Limited::builder(pool.clone()).limit(1).queue_capacity(2).build()] {
        let occupied = Occupied::new(&pool, 1);
        drop(finish(view.reserve()).unwrap().submit(|| ()));
        assert!(matches!(finish(view.submit(|| ())), Err(Error::QueueFull)));
        occupied.release();
        finish(view.submit(|| ())).unwrap();
        finish(pool.wait_idle());
    }
}
