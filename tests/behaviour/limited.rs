//! `limited(n)`: at most n of its jobs at once, in order, on the threads of another executor, without keeping them from it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use offload_runtime::{Error, Executor, ExecutorExt, Job, Limited, ThreadPool};
use tests::support::{
    Gate, Occupied, PATIENCE, Started, Tokens, eventually, finish, rayon_pool, silence, tokio_runtime,
};

/// Computes for so long that a view is expected to hand its thread back afterwards.
fn longer_than_a_slice() {
    let until = Instant::now() + Duration::from_millis(2);
    while Instant::now() < until {
        std::hint::spin_loop();
    }
}

/// The most jobs of `view` that ever ran at once.
fn most_at_once<E: Executor + 'static>(view: &Limited<E>) -> usize {
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let job = |i| {
        let (running, most) = (Arc::clone(&running), Arc::clone(&most));
        view.submit(move || {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            if i % 10 == 0 {
                longer_than_a_slice();
            }
            std::thread::yield_now();
            running.fetch_sub(1, Ordering::SeqCst);
        })
    };
    let handles: Vec<_> = (0..300).map(job).collect();
    for handle in handles {
        finish(handle).unwrap();
    }
    most.load(Ordering::SeqCst)
}

#[test]
fn at_most_n_at_once_on_any_executor() {
    assert!(most_at_once(&ThreadPool::new(8).limited(3)) <= 3);
    assert_eq!(most_at_once(&ThreadPool::new(8).limited(1)), 1);
    assert!(most_at_once(&Limited::new(rayon_pool(4), 2)) <= 2);
    let runtime = tokio_runtime(4);
    assert!(most_at_once(&runtime.handle().clone().limited(2)) <= 2);
    assert!(most_at_once(&ThreadPool::new(8).limited(5).limited(2)) <= 2);
}

#[test]
fn all_n_at_once() {
    let view = ThreadPool::new(8).limited(3);
    Occupied::new(&view, 3).release();
    Occupied::new(&view, 3).release();
}

/// A clone is the same view; a second view of the executor is another.
#[test]
fn clones_share_their_places_and_views_do_not() {
    let pool = ThreadPool::new(3);
    let view = pool.clone().limited(1);
    let occupied = Occupied::new(&view, 1);
    let waits = view.clone().submit(|| 1);
    let other = pool.limited(1);
    assert_eq!(finish(other.submit(|| 2)).unwrap(), 2);
    assert!(!waits.is_finished());
    occupied.release();
    assert_eq!(finish(waits).unwrap(), 1);
}

#[test]
fn jobs_keep_their_order() {
    for pool in [ThreadPool::new(1), ThreadPool::new(4)] {
        let view = pool.limited(1);
        let (log, order) = mpsc::channel();
        let job = |i| {
            let log = log.clone();
            view.submit(move || {
                if i % 8 == 0 {
                    longer_than_a_slice();
                }
                log.send(i).unwrap();
            })
        };
        let handles: Vec<_> = (0..64).map(job).collect();
        for handle in handles {
            finish(handle).unwrap();
        }
        assert!(order.try_iter().eq(0..64));
    }
}

#[test]
fn a_job_takes_no_thread_while_it_waits() {
    let started = Started::default();
    let pool = started.watch(ThreadPool::builder().max_threads(8)).build();
    let view = pool.clone().limited(1);
    let occupied = Occupied::new(&view, 1);
    let waiting: Vec<_> = (0..50).map(|_| view.submit(|| ())).collect();
    // A thread started for one of them would be the pool's second; this job makes it come out.
    assert_eq!(finish(pool.submit(|| std::thread::current().name().map(str::to_owned))).unwrap().unwrap(), "offload-1");
    assert_eq!(started.in_all(), 2);
    occupied.release();
    for handle in waiting {
        finish(handle).unwrap();
    }
}

/// However a job ends, its place is free then; and not before.
#[test]
fn a_place_is_free_when_its_job_has_ended() {
    silence();
    let view = ThreadPool::new(4).limited(1);
    // It ran, it panicked, it was given up while it waited, and while it ran.
    finish(view.submit(|| ())).unwrap();
    assert!(finish(view.submit(|| panic!("on purpose"))).is_err());
    let occupied = Occupied::new(&view, 1);
    drop(view.submit(|| ()));
    let cancelled = view.submit(|| ());
    cancelled.cancel();
    occupied.release();
    let gate = Gate::closed();
    let (door, ended) = (gate.clone(), Arc::new(AtomicBool::new(false)));
    let end = Arc::clone(&ended);
    let given_up = view.submit(move || {
        door.pass();
        end.store(true, Ordering::SeqCst);
    });
    gate.wait_for(1);
    drop(given_up);
    let next = view.submit(move || ended.load(Ordering::SeqCst));
    gate.open();
    assert!(finish(next).unwrap(), "the job that was given up kept its place until it ended");
}

#[test]
fn a_view_that_is_dropped_lets_its_jobs_run() {
    let pool = ThreadPool::new(1);
    let occupied = Occupied::new(&pool, 1);
    let view = pool.clone().limited(1);
    let handles: Vec<_> = (0..10).map(|i| view.submit(move || i)).collect();
    let (ran, wait) = mpsc::channel();
    view.submit(move || ran.send(()).unwrap()).detach();
    drop(view);
    occupied.release();
    assert_eq!(handles.into_iter().map(|handle| finish(handle).unwrap()).sum::<i32>(), 45);
    wait.recv_timeout(PATIENCE).unwrap();
}

/// Jobs of the view that never leave its queue empty, on the only thread there is: the pool's other job has to get through.
#[test]
fn a_view_does_not_starve_its_executor() {
    fn endless(view: &Limited<ThreadPool>, stop: &Arc<AtomicBool>) {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let (of_job, stop) = (view.clone(), Arc::clone(stop));
        view.submit(move || {
            endless(&of_job, &stop);
            longer_than_a_slice();
        })
        .detach();
    }
    let pool = ThreadPool::new(1);
    let view = pool.clone().limited(1);
    let stop = Arc::new(AtomicBool::new(false));
    endless(&view, &stop);
    finish(pool.submit(move || stop.store(true, Ordering::SeqCst))).unwrap();
}

/// Nor does it give up what waits in it, where the executor has no room for a runner to come later.
#[test]
fn a_view_keeps_its_thread_where_the_executor_has_no_room() {
    let pool = ThreadPool::builder().max_threads(1).queue_capacity(0).build();
    let view = pool.limited(1);
    let job = |i| {
        view.submit(move || {
            longer_than_a_slice();
            i
        })
    };
    let handles: Vec<_> = (0..20).map(job).collect();
    assert_eq!(handles.into_iter().map(|handle| finish(handle).unwrap()).sum::<i32>(), 190);
}

/// What a view had accepted when its pool was closed runs, as what the pool had accepted does.
#[test]
fn a_view_drains_when_its_pool_is_closed() {
    for limit in [1, 2] {
        let pool = ThreadPool::new(2);
        let view = pool.clone().limited(limit);
        let occupied = Occupied::new(&pool, 2);
        let job = |i| {
            view.submit(move || {
                longer_than_a_slice();
                i
            })
        };
        let handles: Vec<_> = (0..20).map(job).collect();
        let shutdown = pool.shutdown();
        occupied.release();
        assert_eq!(handles.into_iter().map(|handle| finish(handle).unwrap()).sum::<i32>(), 190);
        finish(shutdown);
    }
}

/// A closed pool takes no more jobs, through a view or not; a view with jobs in it does not keep it alive.
#[test]
fn a_view_of_a_closed_pool_refuses_though_it_still_runs_jobs() {
    let pool = ThreadPool::new(1);
    let view = pool.clone().limited(1);
    let occupied = Occupied::new(&view, 1);
    let before = view.submit(|| 1);
    pool.close();
    assert!(matches!(finish(view.submit(|| 2)), Err(Error::ShutDown)));
    occupied.release();
    assert_eq!(finish(before).unwrap(), 1);
}

#[test]
fn shutdown_now_cancels_what_runs_in_a_view_and_refuses_what_waits() {
    let pool = ThreadPool::new(2);
    let view = pool.clone().limited(1);
    let gate = Gate::closed();
    let (door, (hook, ran)) = (gate.clone(), mpsc::channel());
    let running = view.submit(move || {
        let _guard = offload_runtime::on_cancel(move || hook.send(()).unwrap());
        door.pass();
        offload_runtime::is_cancelled()
    });
    gate.wait_for(1);
    let shutdown = pool.shutdown_now();
    assert_eq!(ran.try_recv(), Ok(()));
    gate.open();
    assert!(finish(running).unwrap());
    finish(shutdown);
    assert!(matches!(finish(view.submit(|| ())), Err(Error::ShutDown)));
}

/// An executor that takes the first job it is given and answers the others as it is told.
struct TakesOne {
    first: Mutex<Option<Job>>,
    refuse: bool,
}

impl Executor for TakesOne {
    fn execute(&self, job: Job) {
        let mut first = self.first.lock().unwrap();
        if first.is_none() {
            *first = Some(job);
            return;
        }
        drop(first);
        if self.refuse {
            job.refuse(Error::QueueFull);
        } else {
            drop(job);
        }
    }
}

/// Of two runners one is refused: the other runs what waits.
#[test]
fn a_refused_runner_leaves_its_jobs_to_the_others() {
    for refuse in [true, false] {
        let view = Limited::new(TakesOne { first: Mutex::new(None), refuse }, 2);
        let (one, two) = (view.submit(|| 1), view.submit(|| 2));
        assert!(!one.is_finished() && !two.is_finished());
        let runner = view.executor().first.lock().unwrap().take().unwrap();
        runner.run();
        assert_eq!((finish(one).unwrap(), finish(two).unwrap()), (1, 2));
    }
}

/// If the last runner is refused, so are the jobs, for its reason.
#[test]
fn the_last_refused_runner_takes_its_jobs_along() {
    for refuse in [true, false] {
        let tokens = Tokens::new();
        let view = Limited::new(TakesOne { first: Mutex::new(None), refuse }, 2);
        let handles: Vec<_> = (0..5).map(|_| tokens.token()).map(|token| view.submit(move || drop(token))).collect();
        let runner = view.executor().first.lock().unwrap().take().unwrap();
        if refuse {
            runner.refuse(Error::ShutDown);
        } else {
            drop(runner);
        }
        assert_eq!(tokens.alive(), 0);
        for handle in handles {
            match finish(handle) {
                Err(Error::ShutDown) => assert!(refuse),
                Err(Error::Lost) => assert!(!refuse),
                other => panic!("{other:?}"),
            }
        }
        // It is as good as new.
        let again = view.submit(|| 3);
        view.executor().first.lock().unwrap().take().unwrap().run();
        assert_eq!(finish(again).unwrap(), 3);
    }
}

#[test]
fn a_full_view_refuses_at_once() {
    let view = ThreadPool::new(4).limited(2).queue_capacity(3);
    let occupied = Occupied::new(&view, 2);
    let waiting: Vec<_> = (0..3).map(|i| view.submit(move || i)).collect();
    let refused = view.submit(|| 9);
    assert!(refused.is_finished());
    assert!(matches!(finish(refused), Err(Error::QueueFull)));
    waiting[1].cancel();
    let in_its_place = view.submit(|| 4);
    occupied.release();
    let values: Vec<_> = waiting.into_iter().chain([in_its_place]).map(|handle| finish(handle).ok()).collect();
    assert_eq!(values, [Some(0), None, Some(2), Some(4)]);
}

/// The view's runner is gone when its queue is empty, and another is given to the executor when jobs come again.
#[test]
fn a_view_rests_and_starts_again() {
    let started = Started::default();
    let pool = started.watch(ThreadPool::builder().max_threads(2).keep_alive(Duration::ZERO)).build();
    let view = pool.limited(1);
    for i in 0..20 {
        assert_eq!(finish(view.submit(move || i)).unwrap(), i);
        if i % 5 == 0 {
            eventually("the pool is empty of threads", || started.alive() == 0);
        }
    }
}

/// Several producers at once, through hand-overs: nothing is lost, nothing runs twice.
#[test]
fn producers_and_hand_overs_together() {
    let pool = ThreadPool::new(2);
    let views = [pool.clone().limited(1), pool.clone().limited(2)];
    let count = Arc::new(AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for view in views.iter().cycle().take(4) {
            let count = &count;
            scope.spawn(move || {
                let job = |i| {
                    let count = Arc::clone(count);
                    view.submit(move || {
                        count.fetch_add(1, Ordering::SeqCst);
                        if i % 50 == 0 {
                            longer_than_a_slice();
                        }
                    })
                };
                let handles: Vec<_> = (0..500).map(job).collect();
                for handle in handles {
                    finish(handle).unwrap();
                }
            });
        }
    });
    assert_eq!(count.load(Ordering::SeqCst), 2_000);
    assert_eq!(pool.metrics().panicked(), 0, "nor does a view's turn go wrong unseen");
}

/// A view that has a place left asks its executor for another thread. Is that refused, the job waits for the thread that the view has.
#[test]
fn a_thread_that_cannot_be_had_is_done_without_while_the_view_has_one() {
    let pool = ThreadPool::builder().max_threads(1).queue_capacity(1).build();
    let view = pool.clone().limited(2);
    let occupied = Occupied::new(&view, 1);
    let in_the_queue = pool.submit(|| ());
    let waits = view.submit(|| 7);
    assert!(!waits.is_finished(), "it was refused, though it has a thread to wait for");
    occupied.release();
    assert_eq!(finish(waits).unwrap(), 7);
    finish(in_the_queue).unwrap();
}

/// What a view is called where figures are published: after the executor under it, and its number.
#[test]
fn a_view_is_called_after_its_executor() {
    let pool = ThreadPool::builder().thread_name("disk").build();
    assert_eq!(pool.label().as_deref(), Some("disk"));
    let view = pool.limited(3);
    assert_eq!(view.label().as_deref(), Some("disk.limited(3)"));
    assert_eq!(view.limited(2).label().as_deref(), Some("disk.limited(3).limited(2)"));
    assert_eq!(tokio_runtime(1).handle().clone().limited(1).label(), None);
}
