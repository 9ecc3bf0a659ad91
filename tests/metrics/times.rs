//! How long jobs waited and ran.

use std::thread::sleep;
use std::time::{Duration, Instant};

use offload_runtime::{ExecutorExt, ThreadPool};
use tests::support::{Occupied, PATIENCE, finish};

/// Long beside everything that the machine does in between.
const LONG: Duration = Duration::from_millis(100);

#[test]
fn a_run_takes_as_long_as_its_body() {
    let pool = ThreadPool::new(1);
    for _ in 0..3 {
        finish(pool.submit(|| ())).unwrap();
    }
    finish(pool.submit(|| sleep(LONG))).unwrap();
    let metrics = pool.metrics();
    assert_eq!(metrics.run().count(), 4);
    assert!(metrics.run().max().unwrap() >= LONG);
    assert!(metrics.run().quantile(0.5).unwrap() < LONG, "{metrics}");
}

#[test]
fn a_wait_takes_as_long_as_what_is_before_it() {
    let pool = ThreadPool::new(1);
    let occupied = Occupied::new(&pool, 1);
    let behind = pool.submit(|| ());
    sleep(LONG);
    occupied.release();
    finish(behind).unwrap();
    let metrics = pool.metrics();
    assert_eq!(metrics.wait().count(), 2);
    assert!(metrics.wait().max().unwrap() >= LONG, "{metrics}");
    assert!(metrics.wait().quantile(0.5).unwrap() < LONG, "{metrics}");
    // The wait is the second's, the run the first's.
    let [first, second] = [0, 1].map(|i| metrics.by_site()[i].clone());
    assert!(first.run().max().unwrap() >= LONG && second.run().max().unwrap() < LONG, "{first} {second}");
    assert!(second.wait().max().unwrap() >= LONG && first.wait().max().unwrap() < LONG, "{first} {second}");
}

/// Each beginning is the end before: a pause between two jobs belongs to neither.
#[test]
fn a_pause_is_no_run() {
    let pool = ThreadPool::new(1);
    finish(pool.submit(|| ())).unwrap();
    sleep(LONG);
    finish(pool.submit(|| ())).unwrap();
    assert!(pool.metrics().run().max().unwrap() < LONG);
}

#[test]
fn where_many_short_jobs_wait_some_stand_for_all() {
    let pool = ThreadPool::new(1);
    let occupied = Occupied::new(&pool, 1);
    let handles: Vec<_> = (0..10_000).map(|_| pool.submit(|| ())).collect();
    occupied.release();
    for handle in handles {
        finish(handle).unwrap();
    }
    let metrics = pool.metrics();
    assert_eq!(metrics.completed(), 10_001);
    // The last of 16 may not have been looked at; and whether a job is short is known after one.
    for (what, count) in [("wait", metrics.wait().count()), ("run", metrics.run().count())] {
        assert!((9_900..=10_300).contains(&count), "{what}: {count}");
    }
}

/// Call after call: the timed ones stand for all.
#[test]
fn where_jobs_come_soon_after_one_another_some_stand_for_all() {
    const CALLS: u64 = 8_000;
    let pool = ThreadPool::new(1);
    for _ in 0..CALLS {
        finish(pool.submit(|| ())).unwrap();
    }
    let metrics = pool.metrics();
    assert_eq!(metrics.completed(), CALLS);
    // The deviation is 350 at most.
    for count in [metrics.wait().count(), metrics.run().count()] {
        assert!((CALLS - 1_750..CALLS + 1_750).contains(&count), "{count}");
    }
    // Once the thread has fallen asleep, each stands for itself.
    let (mut seen, mut alone) = (metrics.wait().count(), 0);
    let end = Instant::now() + PATIENCE;
    while alone < 5 {
        assert!(Instant::now() < end, "they are timed as before: {}", pool.metrics());
        sleep(Duration::from_millis(1));
        finish(pool.submit(|| ())).unwrap();
        let now = pool.metrics().wait().count();
        alone = if now == seen + 1 { alone + 1 } else { 0 };
        seen = now;
    }
}

#[test]
fn long_jobs_are_timed_one_by_one_however_many_wait() {
    let pool = ThreadPool::new(2);
    let occupied = Occupied::new(&pool, 2);
    let handles: Vec<_> = (0..60).map(|_| pool.submit(|| sleep(Duration::from_millis(1)))).collect();
    occupied.release();
    for handle in handles {
        finish(handle).unwrap();
    }
    // Two that held the threads, 60 that waited.
    assert_eq!(pool.metrics().run().count(), 62);
    assert!(pool.metrics().run().quantile(0.1).unwrap() >= Duration::from_millis(1));
}

#[test]
fn without_timing_there_are_counts() {
    let pool = ThreadPool::builder().timing(false).build();
    for _ in 0..100 {
        finish(pool.submit(|| ())).unwrap();
    }
    let metrics = pool.metrics();
    assert_eq!((metrics.completed(), metrics.run().count(), metrics.wait().count()), (100, 0, 0));
    assert_eq!((metrics.run().max(), metrics.run().mean(), metrics.run().quantile(0.9)), (None, None, None));
}

/// Short jobs among long ones do not keep the long ones from being timed one by one.
#[test]
fn whether_a_job_is_short_is_known_of_each_site() {
    let pool = ThreadPool::new(1);
    let occupied = Occupied::new(&pool, 1);
    let jobs = |_| [pool.submit(|| ()), pool.submit(|| sleep(Duration::from_millis(1)))];
    let handles: Vec<_> = (0..64).flat_map(jobs).collect();
    occupied.release();
    for handle in handles {
        finish(handle).unwrap();
    }
    let metrics = pool.metrics();
    let [_, short, long] = metrics.by_site() else { panic!("{metrics:?}") };
    assert_eq!(long.run().count(), 64, "{long}");
    assert!(long.run().quantile(0.0).unwrap() >= Duration::from_millis(1));
    assert!(short.run().count() < 64 + 32, "{short}");
}

/// It grows while nothing moves, and belongs to the oldest job, whichever came last.
#[test]
fn the_oldest_wait_is_that_of_the_first_job() {
    let pool = ThreadPool::new(1);
    let view = pool.clone().limited(1);
    assert_eq!((pool.metrics().oldest_wait(), view.metrics().oldest_wait()), (None, None));
    let occupied = Occupied::new(&view, 1);
    assert_eq!(
        (pool.metrics().oldest_wait(), view.metrics().oldest_wait()),
        (None, None),
        "a running job waits no more"
    );
    let before = Instant::now();
    let (first, of_view) = (pool.submit(|| ()), view.submit(|| ()));
    sleep(Duration::from_millis(20));
    let second = pool.submit(|| ());
    for metrics in [pool.metrics().oldest_wait(), view.metrics().oldest_wait()] {
        assert!((Duration::from_millis(20)..=before.elapsed()).contains(&metrics.unwrap()), "{metrics:?}");
    }
    let earlier = pool.metrics().oldest_wait();
    assert!(pool.metrics().oldest_wait() >= earlier);
    drop(first);
    assert!(pool.metrics().oldest_wait().unwrap() < earlier.unwrap(), "a cancelled job waits no more");
    occupied.release();
    finish(second).unwrap();
    finish(of_view).unwrap();
    assert_eq!(pool.metrics().oldest_wait(), None);
}

#[test]
fn of_jobs_that_are_not_timed_the_oldest_wait_is_not_known() {
    let pool = ThreadPool::builder().max_threads(1).timing(false).build();
    let occupied = Occupied::new(&pool, 1);
    let waiting = pool.submit(|| ());
    assert_eq!(pool.metrics().oldest_wait(), None);
    occupied.release();
    finish(waiting).unwrap();
}
