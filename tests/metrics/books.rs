//! Each job is in the books exactly once, at every moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use offload_runtime::{Error, ExecutorExt, ThreadPool, check_cancelled};
use tests::support::{Gate, Keeping, Occupied, assert_balanced, eventually, finish, silence};

#[test]
fn a_job_that_was_awaited_is_in_the_books() {
    let pool = ThreadPool::new(2);
    for count in 1..=1_000 {
        finish(pool.submit(|| ())).unwrap();
        let metrics = pool.metrics();
        assert_eq!((metrics.completed(), metrics.running(), metrics.queued()), (count, 0, 0));
    }
}

#[test]
fn the_books_balance_while_jobs_come_and_go() {
    silence();
    let pool = ThreadPool::builder().max_threads(2).queue_capacity(40).build();
    let over = Arc::new(AtomicBool::new(false));
    let producers = [0, 1].map(|first| {
        let pool = pool.clone();
        thread::spawn(move || {
            for i in first..first + 4_000 {
                let handle = pool.submit(move || assert_ne!(i % 7, 0, "as asked"));
                match i % 3 {
                    0 => drop(handle),
                    1 => handle.cancel(),
                    _ => drop(finish(handle)),
                }
            }
        })
    });
    let looker = {
        let (pool, over) = (pool.clone(), Arc::clone(&over));
        thread::spawn(move || {
            let mut looks = 0;
            while !over.load(Ordering::SeqCst) || looks < 10 {
                assert_balanced(&pool.metrics());
                looks += 1;
            }
        })
    };
    for producer in producers {
        producer.join().unwrap();
    }
    over.store(true, Ordering::SeqCst);
    looker.join().unwrap();
    finish(pool.shutdown());
    let metrics = pool.metrics();
    assert_balanced(&metrics);
    assert_eq!((metrics.submitted(), metrics.queued(), metrics.running(), metrics.threads()), (8_000, 0, 0, 0));
    assert!(metrics.panicked() > 0 && metrics.cancelled_before_start() > 0, "{metrics}");
}

#[test]
fn each_end_has_its_own_count() {
    silence();
    let pool = ThreadPool::builder().max_threads(1).queue_capacity(2).build();
    assert_eq!(pool.metrics().queue_capacity(), Some(2));
    finish(pool.submit(|| ())).unwrap();
    assert!(matches!(finish(pool.submit(|| panic!("as asked"))), Err::<(), _>(Error::Panicked(_))));
    let gate = Gate::closed();
    let running = {
        let gate = gate.clone();
        pool.submit(move || {
            gate.pass();
            check_cancelled();
        })
    };
    gate.wait_for(1);
    let (first, second, third) = (pool.submit(|| ()), pool.submit(|| ()), pool.submit(|| ()));
    assert!(matches!(finish(third), Err(Error::QueueFull)));
    let metrics = pool.metrics();
    assert_eq!((metrics.queued(), metrics.running(), metrics.refused_queue_full()), (2, 1, 1));
    drop(first);
    running.cancel();
    gate.open();
    assert!(matches!(finish(running), Err(Error::Cancelled)));
    finish(second).unwrap();
    pool.close();
    assert!(matches!(finish(pool.submit(|| ())), Err(Error::ShutDown)));
    let metrics = pool.metrics();
    assert_balanced(&metrics);
    assert_eq!(metrics.submitted(), 7);
    assert_eq!((metrics.completed(), metrics.panicked()), (2, 1));
    assert_eq!((metrics.cancelled_before_start(), metrics.cancelled_after_start(), metrics.cancelled()), (1, 1, 2));
    assert_eq!((metrics.refused(), metrics.refused_queue_full(), metrics.refused_shut_down()), (2, 1, 1));
    assert_eq!(metrics.refused_spawn(), 0);
}

#[test]
fn what_a_stop_refuses_is_refused() {
    let pool = ThreadPool::new(1);
    let occupied = Occupied::new(&pool, 1);
    let queued: Vec<_> = (0..3).map(|_| pool.submit(|| ())).collect();
    let ended = pool.shutdown_now();
    occupied.release();
    finish(ended);
    for handle in queued {
        assert!(matches!(finish(handle), Err(Error::ShutDown)));
    }
    let metrics = pool.metrics();
    assert_balanced(&metrics);
    assert_eq!((metrics.refused_shut_down(), metrics.completed(), metrics.queued()), (3, 1, 0));
}

#[test]
fn a_job_that_comes_cancelled_is_cancelled() {
    let (pool, kept) = (ThreadPool::new(1), Keeping::default());
    drop(kept.submit(|| unreachable!("cancelled before it came")));
    let job = kept.0.lock().unwrap().pop().unwrap();
    offload_runtime::Executor::execute(&pool, job);
    let metrics = pool.metrics();
    assert_balanced(&metrics);
    assert_eq!((metrics.submitted(), metrics.cancelled_before_start(), metrics.queued()), (1, 1, 0));
}

/// On a thread that stands in, on a sleeping one and on a new one.
#[test]
fn jobs_that_are_awaited_inside_jobs_are_in_the_books() {
    for threads in [1, 2] {
        let pool = ThreadPool::new(threads);
        for _ in 0..20 {
            let inner = pool.clone();
            let outer = pool.submit(move || {
                let deepest = inner.clone();
                finish(inner.submit(move || finish(deepest.submit(|| ())).unwrap())).unwrap();
            });
            finish(outer).unwrap();
        }
        let metrics = pool.metrics();
        assert_balanced(&metrics);
        assert_eq!((metrics.completed(), metrics.queued(), metrics.running()), (60, 0, 0));
    }
}

#[test]
fn high_water_marks_stay() {
    let pool = ThreadPool::builder().max_threads(3).keep_alive(std::time::Duration::ZERO).build();
    let occupied = Occupied::new(&pool, 3);
    let queued: Vec<_> = (0..5).map(|_| pool.submit(|| ())).collect();
    assert_eq!((pool.metrics().threads(), pool.metrics().idle()), (3, 0));
    occupied.release();
    for handle in queued {
        finish(handle).unwrap();
    }
    eventually("the threads leave", || pool.metrics().threads() == 0);
    let metrics = pool.metrics();
    assert_eq!((metrics.peak_threads(), metrics.peak_running()), (3, 3));
    assert_eq!(metrics.peak_queued(), 5);
    assert_eq!((metrics.max_threads(), metrics.queue_capacity(), metrics.name()), (3, None, "offload"));
}

#[test]
fn an_idle_thread_is_idle() {
    let pool = ThreadPool::new(2);
    Occupied::new(&pool, 2).release();
    eventually("both are idle", || pool.metrics().idle() == 2);
    let occupied = Occupied::new(&pool, 1);
    assert_eq!((pool.metrics().threads(), pool.metrics().idle(), pool.metrics().running()), (2, 1, 1));
    occupied.release();
}

#[test]
fn a_view_has_books_of_its_own() {
    let pool = ThreadPool::new(4);
    let view = pool.clone().limited(1).queue_capacity(1);
    let occupied = Occupied::new(&view, 1);
    let (second, third) = (view.submit(|| ()), view.submit(|| ()));
    assert!(matches!(finish(third), Err(Error::QueueFull)));
    let metrics = view.metrics();
    assert_eq!((metrics.running(), metrics.queued(), metrics.refused_queue_full(), metrics.limit()), (1, 1, 1, 1));
    occupied.release();
    finish(second).unwrap();
    let metrics = view.metrics();
    assert_eq!((metrics.submitted(), metrics.completed(), metrics.running(), metrics.peak_queued()), (3, 2, 0, 1));
    assert_eq!(metrics.run().count(), 2);
    // What the pool saw of it are the turns that the view had on its threads.
    for site in pool.metrics().by_site() {
        assert_eq!(site.site().name(), Some("Limited"));
    }
    pool.close();
    assert!(matches!(finish(view.submit(|| ())), Err(Error::ShutDown)));
    assert_eq!(view.metrics().refused_shut_down(), 1);
}

#[test]
fn the_cheap_counts_are_those_of_the_metrics() {
    let pool = ThreadPool::new(2);
    let occupied = Occupied::new(&pool, 2);
    let queued: Vec<_> = (0..3).map(|_| pool.submit(|| ())).collect();
    assert_eq!((pool.queued(), pool.running()), (3, 2));
    occupied.release();
    for handle in queued {
        finish(handle).unwrap();
    }
    finish(pool.shutdown());
    assert_eq!((pool.queued(), pool.running()), (0, 0));
}
