//! C9: the end of a pool is the end of its views. `shutdown_now` refuses what waits in them; `close` lets it run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use offload_runtime::{Error, Executor, ExecutorExt, JobHandle, ThreadPool, is_cancelled};
use tests::support::{Gate, Occupied, PATIENCE, finish, within};

/// Submits `n` jobs that count themselves.
fn counted<E: Executor>(executor: &E, n: usize, ran: &Arc<AtomicUsize>) -> Vec<JobHandle<()>> {
    let job = |_| {
        let ran = Arc::clone(ran);
        executor.submit(move || {
            ran.fetch_add(1, Ordering::SeqCst);
        })
    };
    (0..n).map(job).collect()
}

/// The view's only runner is in a job that ends by its cancellation, and jobs wait in the view.
fn stops<E: Executor + 'static>(pool: &ThreadPool, view: &E) {
    let (gate, ran) = (Gate::closed(), Arc::new(AtomicUsize::new(0)));
    let door = gate.clone();
    let running = view.submit(move || {
        door.pass();
        while !is_cancelled() {
            std::thread::yield_now();
        }
    });
    gate.wait_for(1);
    let waiting = counted(view, 100, &ran);
    let end = pool.shutdown_now();
    for job in waiting {
        // Refused before the running job ends.
        assert!(matches!(finish(job), Err(Error::ShutDown)));
    }
    assert!(!running.is_finished());
    gate.open();
    finish(running).unwrap();
    finish(end);
    assert_eq!(ran.load(Ordering::SeqCst), 0);
    assert!(matches!(finish(view.submit(|| ())), Err(Error::ShutDown)));
}

#[test]
fn c09_shutdown_now_refuses_what_waits_in_a_view() {
    let pool = ThreadPool::new(2);
    stops(&pool, &pool.clone().limited(1));
    let pool = ThreadPool::new(2);
    stops(&pool, &pool.clone().limited(1).limited(1));
    let pool = ThreadPool::builder().max_threads(1).queue_capacity(1).build();
    stops(&pool, &pool.clone().limited(1).queue_capacity(100));
}

/// The view's runner waits in the pool, behind a job that runs.
#[test]
fn c09_shutdown_now_refuses_what_waits_in_a_view_that_has_not_begun() {
    let (pool, ran) = (ThreadPool::new(1), Arc::new(AtomicUsize::new(0)));
    let view = pool.clone().limited(1);
    let occupied = Occupied::new(&pool, 1);
    let waiting = counted(&view, 10, &ran);
    let end = pool.shutdown_now();
    for job in waiting {
        assert!(matches!(finish(job), Err(Error::ShutDown)));
    }
    occupied.release();
    finish(end);
    assert_eq!(ran.load(Ordering::SeqCst), 0);
}

/// What a job of a view submits while the pool stops is refused, and nothing waits for it.
#[test]
fn c09_a_nested_job_of_a_view_of_a_stopped_pool_is_refused() {
    within(PATIENCE, || {
        let pool = ThreadPool::new(1);
        let view = pool.clone().limited(1);
        let (gate, of_job) = (Gate::closed(), view.clone());
        let door = gate.clone();
        let outer = view.submit(move || {
            door.pass();
            finish(of_job.submit(|| ()))
        });
        gate.wait_for(1);
        let end = pool.shutdown_now();
        gate.open();
        assert!(matches!(finish(outer).unwrap(), Err(Error::ShutDown)));
        finish(end);
    });
}

#[test]
fn c09_close_runs_what_waits_in_a_view() {
    let (pool, ran) = (ThreadPool::new(1), Arc::new(AtomicUsize::new(0)));
    let views = [pool.clone().limited(1), pool.clone().limited(1)];
    let nested = pool.clone().limited(1).limited(1);
    let occupied = Occupied::new(&pool, 1);
    let mut waiting: Vec<_> = views.iter().flat_map(|view| counted(view, 50, &ran)).collect();
    waiting.extend(counted(&nested, 50, &ran));
    let end = pool.shutdown();
    occupied.release();
    for job in waiting {
        finish(job).unwrap();
    }
    finish(end);
    assert_eq!(ran.load(Ordering::SeqCst), 150);
    assert!(matches!(finish(views[0].submit(|| ())), Err(Error::ShutDown)));
}

/// Jobs that are submitted while the pool stops, from several threads, by several views: each is run or refused.
#[test]
fn c09_no_job_of_a_view_is_lost_while_the_pool_stops() {
    for round in 0..100 {
        within(PATIENCE, move || {
            let pool = ThreadPool::new(2);
            let views = [pool.clone().limited(1), pool.clone().limited(2)];
            let (begin, stop) = (Arc::new(std::sync::Barrier::new(3)), Arc::new(AtomicBool::new(false)));
            std::thread::scope(|scope| {
                for view in &views {
                    let (begin, stop) = (Arc::clone(&begin), Arc::clone(&stop));
                    scope.spawn(move || {
                        begin.wait();
                        let mut jobs = Vec::new();
                        while !stop.load(Ordering::SeqCst) && jobs.len() < 500 {
                            jobs.push(view.submit(|| ()));
                        }
                        jobs.push(view.submit(|| ()));
                        for job in jobs {
                            assert!(matches!(finish(job), Ok(()) | Err(Error::ShutDown)));
                        }
                    });
                }
                begin.wait();
                for _ in 0..round {
                    std::thread::yield_now();
                }
                let end = pool.shutdown_now();
                stop.store(true, Ordering::SeqCst);
                finish(end);
            });
            for metrics in views.map(|view| view.metrics()) {
                assert_eq!((metrics.queued(), metrics.running()), (0, 0), "{metrics:?}");
            }
        });
    }
}
