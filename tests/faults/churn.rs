//! Threads that come and go under load: whichever thread retires, is woken or is started at a moment, no job is left behind.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use offload_runtime::{Error, ExecutorExt, ThreadPool};
use tests::support::{Started, eventually, finish};

/// With no keep-alive at all a thread retires after nearly every job, just as the next one comes.
#[test]
fn retiring_against_submitting() {
    for max_threads in [1, 3] {
        let started = Started::default();
        let pool = started.watch(ThreadPool::builder().max_threads(max_threads).keep_alive(Duration::ZERO)).build();
        std::thread::scope(|scope| {
            for producer in 0..2 {
                let pool = &pool;
                scope.spawn(move || {
                    for i in 0..3_000 {
                        assert_eq!(finish(pool.submit(move || i)).unwrap(), i);
                        for _ in 0..(i * (producer + 1)) % 97 {
                            std::hint::spin_loop();
                        }
                    }
                });
            }
        });
        eventually("all threads retire", || started.alive() == 0);
        println!("{} threads for 6000 jobs", started.in_all());
        finish(pool.shutdown());
    }
}

/// Bursts as large as the cap, again and again, each of which needs all threads at once.
#[test]
fn growing_against_retiring() {
    let pool = ThreadPool::builder().max_threads(6).min_threads(1).keep_alive(Duration::from_micros(200)).build();
    for _ in 0..300 {
        let barrier = Arc::new(Barrier::new(6));
        let jobs = [(); 6].map(|()| {
            let barrier = Arc::clone(&barrier);
            pool.submit(move || {
                barrier.wait();
            })
        });
        for job in jobs {
            finish(job).unwrap();
        }
    }
}

/// Handles that are dropped while their jobs are being taken, linked and run.
#[test]
fn cancelling_against_running() {
    let pool = ThreadPool::builder().max_threads(2).keep_alive(Duration::ZERO).build();
    let view = pool.clone().limited(1);
    let ran = Arc::new(AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for producer in 0..3_usize {
            let (pool, view, ran) = (&pool, &view, &ran);
            scope.spawn(move || {
                for i in 0..2_000 {
                    let counter = Arc::clone(ran);
                    let body = move || counter.fetch_add(1, Ordering::SeqCst);
                    let job = if (i + producer) % 2 == 0 { pool.submit(body) } else { view.submit(body) };
                    match i % 4 {
                        0 => drop(job),
                        1 => job.cancel(),
                        2 => job.detach(),
                        _ => drop(finish(job).unwrap()),
                    }
                }
            });
        }
    });
    finish(view.submit(|| ())).unwrap();
    finish(pool.shutdown());
    // All that were awaited or detached, at least.
    assert!(ran.load(Ordering::SeqCst) >= 3_000);
}

/// A pool that is closed while jobs are submitted, at every possible moment of a short life.
#[test]
fn closing_against_submitting() {
    for round in 0..400 {
        let pool = ThreadPool::builder().max_threads(2).keep_alive(Duration::ZERO).build();
        let start = Barrier::new(2);
        std::thread::scope(|scope| {
            let submitter = scope.spawn(|| {
                start.wait();
                (0..10).map(|i| finish(pool.submit(move || i))).collect::<Vec<_>>()
            });
            start.wait();
            for _ in 0..round {
                std::hint::spin_loop();
            }
            finish(pool.shutdown());
            let results = submitter.join().unwrap();
            let accepted = results.iter().take_while(|result| result.is_ok()).count();
            assert!(results[accepted..].iter().all(|result| matches!(result, Err(Error::ShutDown))), "{results:?}");
        });
    }
}
