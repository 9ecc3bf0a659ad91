//! Loom models of the pool: submit against park, against retirement, against shutdown; nested waits; permits.
//!
//! A lost job, or a lost wake-up, shows as a deadlock. Run by `ci/loom.sh`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use loom::future::block_on;
use loom::sync::Notify;
use loom::thread;

use super::{ThreadPool, ThreadPoolBuilder};
use crate::cancel::{is_cancelled, on_cancel};
use crate::error::Error;
use crate::executor::Executor;
use crate::ext::ExecutorExt;
use crate::job::models::{Tokens, explore};
use crate::job::{self, Origin, Work};

/// Of which idle workers stay for ever.
fn builder(threads: usize) -> ThreadPoolBuilder {
    ThreadPool::builder().max_threads(threads).keep_alive(Duration::MAX)
}

fn pool(threads: usize) -> ThreadPool {
    builder(threads).build()
}

/// Of which idle workers leave at once.
fn retiring(threads: usize) -> ThreadPool {
    builder(threads).keep_alive(Duration::ZERO).build()
}

/// Two jobs: by the second, the worker is about to park, has parked, or has left.
fn one_after_the_other(pool: &ThreadPool) {
    assert_eq!(block_on(pool.submit(|| 1)).unwrap(), 1);
    assert_eq!(block_on(pool.submit(|| 2)).unwrap(), 2);
}

#[test]
fn submit_and_park() {
    explore("submit and park", Some(1), || one_after_the_other(&pool(1)));
    // By the second, the one worker is about to park, and another may be started.
    explore("submit and park, two workers", Some(1), || one_after_the_other(&pool(2)));
}

#[test]
fn submit_and_retire() {
    explore("submit and retire", Some(1), || one_after_the_other(&retiring(1)));
    explore("submit and retire, two workers", Some(1), || one_after_the_other(&retiring(2)));
}

#[test]
fn two_submitters() {
    for threads in [1, 2] {
        explore(&format!("two submitters, {threads} workers"), Some(0), move || {
            let tokens = Tokens::default();
            let pool = pool(threads);
            let other = pool.clone();
            let token = tokens.new_one();
            let submitter = thread::spawn(move || block_on(other.submit(move || drop(token))).unwrap());
            let token = tokens.new_one();
            block_on(pool.submit(move || drop(token))).unwrap();
            submitter.join().unwrap();
        });
    }
}

/// By the third, both workers search, one of them does, or none.
#[test]
fn a_job_after_two_on_two_workers() {
    explore("a job after two, two workers", Some(0), || {
        let pool = pool(2);
        let (first, second) = (pool.submit(|| 1), pool.submit(|| 2));
        assert_eq!(block_on(first).unwrap() + block_on(second).unwrap(), 3);
        assert_eq!(block_on(pool.submit(|| 4)).unwrap(), 4);
    });
}

/// Submits two jobs of which the first does not end without the second, and awaits both.
fn need_each_other(pool: ThreadPool) {
    let (send, receive) = loom::sync::mpsc::channel();
    let first = pool.submit(move || receive.recv().unwrap());
    let second = pool.submit(move || send.send(7).unwrap());
    drop(pool);
    assert_eq!(block_on(first).unwrap(), 7);
    block_on(second).unwrap();
}

#[test]
fn two_jobs_that_need_each_other() {
    explore("two jobs that need each other", Some(1), || {
        let pool = pool(2);
        need_each_other(pool.clone());
    });
}

#[test]
fn close_and_two_jobs_that_need_each_other() {
    explore("close, and two jobs that need each other", Some(1), || need_each_other(pool(2)));
}

#[test]
fn two_jobs_that_need_each_other_and_workers_that_retire() {
    explore("two jobs that need each other, workers that retire", Some(1), || {
        let pool = retiring(2);
        need_each_other(pool.clone());
    });
}

/// Workers are woken one by the other, without a submitter.
#[test]
fn three_jobs_that_need_each_other() {
    explore("three jobs that need each other", Some(0), || {
        let pool = pool(3);
        let (send_first, receive_first) = loom::sync::mpsc::channel();
        let (send_second, receive_second) = loom::sync::mpsc::channel();
        let first = pool.submit(move || receive_first.recv().unwrap());
        pool.submit(move || send_first.send(receive_second.recv().unwrap()).unwrap()).detach();
        pool.submit(move || send_second.send(7).unwrap()).detach();
        assert_eq!(block_on(first).unwrap(), 7);
    });
}

#[test]
fn close_and_submit() {
    explore("close and submit", Some(2), || {
        let tokens = Tokens::default();
        let pool = pool(1);
        let other = pool.clone();
        let closer = thread::spawn(move || other.close());
        let token = tokens.new_one();
        match block_on(pool.submit(move || drop(token))) {
            Ok(()) | Err(Error::ShutDown) => {}
            Err(other) => panic!("{other}"),
        }
        closer.join().unwrap();
    });
}

/// The submitter may be on the way to the lock as the pool closes, with no thread there yet.
#[test]
fn shutdown_and_submit() {
    explore("shutdown and submit", Some(3), || {
        let pool = pool(1);
        let done = Arc::new(AtomicUsize::new(0));
        let (other, job) = (pool.clone(), Arc::clone(&done));
        let submitter = thread::spawn(move || other.submit(move || job.fetch_add(1, Ordering::SeqCst)));
        block_on(pool.shutdown());
        let ended_with = done.load(Ordering::SeqCst);
        match block_on(submitter.join().unwrap()) {
            Ok(_) => assert_eq!(ended_with, 1, "it ran after the pool had ended"),
            Err(Error::ShutDown) => {}
            Err(other) => panic!("{other}"),
        }
    });
}

/// What the hooks have captured is gone when the pool has ended, whichever thread was the last.
#[test]
fn shutdown_and_the_last_worker() {
    for keep_alive in [Duration::MAX, Duration::ZERO] {
        explore(&format!("shutdown and the last job, keep-alive {keep_alive:?}"), Some(2), move || {
            let tokens = Tokens::default();
            let done = Arc::new(AtomicUsize::new(0));
            let token = tokens.new_one();
            let stops = move || {
                let _ = &token;
            };
            let pool = builder(1).keep_alive(keep_alive).on_thread_stop(stops).build();
            let job = Arc::clone(&done);
            pool.submit(move || job.fetch_add(1, Ordering::SeqCst)).detach();
            block_on(pool.shutdown());
            assert_eq!(done.load(Ordering::SeqCst), 1);
            assert_eq!((Arc::strong_count(&done), tokens.alive()), (1, 0));
        });
    }
}

#[test]
fn shutdown_now_and_a_queued_job() {
    explore("shutdown_now and a queued job", Some(3), || {
        let tokens = Tokens::default();
        let pool = pool(1);
        let token = tokens.new_one();
        let handle = pool.submit(move || drop(token));
        block_on(pool.shutdown_now());
        match block_on(handle) {
            Ok(()) | Err(Error::ShutDown) => {}
            Err(other) => panic!("{other}"),
        }
    });
}

#[test]
fn shutdown_now_and_submit() {
    explore("shutdown_now and submit", Some(3), || {
        let tokens = Tokens::default();
        let pool = pool(1);
        let (other, token) = (pool.clone(), tokens.new_one());
        let submitter = thread::spawn(move || other.submit(move || drop(token)));
        block_on(pool.shutdown_now());
        match block_on(submitter.join().unwrap()) {
            Ok(()) | Err(Error::ShutDown) => {}
            Err(other) => panic!("{other}"),
        }
    });
}

/// The job ends only if it is told.
#[test]
fn shutdown_now_and_a_running_job() {
    explore("shutdown_now and a running job", Some(3), || {
        let pool = pool(1);
        let told = Arc::new(Notify::new());
        let ran = Arc::new(AtomicUsize::new(0));
        let (tell, count) = (Arc::clone(&told), Arc::clone(&ran));
        let handle = pool.submit(move || {
            let guard = on_cancel(move || {
                count.fetch_add(1, Ordering::SeqCst);
                tell.notify();
            });
            // A wait of loom's may end for no reason.
            while !is_cancelled() {
                told.wait();
            }
            drop(guard);
        });
        block_on(pool.shutdown_now());
        match block_on(handle) {
            Ok(()) => assert!(ran.load(Ordering::SeqCst) <= 1),
            Err(Error::ShutDown) => assert_eq!(ran.load(Ordering::SeqCst), 0),
            Err(other) => panic!("{other}"),
        }
    });
}

/// A thread that is in its hook until both jobs have ended keeps no other from them.
#[test]
fn a_thread_that_is_long_in_its_hook() {
    explore("a thread that is long in its hook", Some(1), || {
        let (resume, started) = (Arc::new(Notify::new()), AtomicUsize::new(0));
        let told = Arc::clone(&resume);
        let hangs_in_the_first = move || {
            if started.fetch_add(1, Ordering::SeqCst) == 0 {
                told.wait();
            }
        };
        let pool = builder(2).on_thread_start(hangs_in_the_first).build();
        let (first, second) = (pool.submit(|| 1), pool.submit(|| 2));
        assert_eq!(block_on(first).unwrap() + block_on(second).unwrap(), 3);
        resume.notify();
    });
}

/// What a job of the pool is owed is accepted, though the pool closes at that moment: the thread that submits it is there.
#[test]
fn close_and_a_job_that_is_owed() {
    struct Owed(Arc<AtomicUsize>);

    impl Work for Owed {
        type Output = ();

        fn run(self) -> Result<(), Error> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
    }

    explore("close and a job that is owed", Some(3), || {
        let pool = pool(1);
        let done = Arc::new(AtomicUsize::new(0));
        let (inner, owed) = (pool.clone(), Owed(Arc::clone(&done)));
        let outer = pool.submit(move || {
            let (job, handle) = job::pair(Origin::of_caller(), owed);
            handle.detach();
            inner.execute(job.owed());
        });
        match block_on(async { (outer, pool.shutdown().await).0.await }) {
            Ok(()) => assert_eq!(done.load(Ordering::SeqCst), 1, "it was refused"),
            other => panic!("{other:?}"),
        }
    });
}

/// The worker may be at any step of its way to the job.
#[test]
fn drop_of_a_queued_handle_and_the_worker() {
    explore("drop of a queued handle", Some(2), || {
        let tokens = Tokens::default();
        let pool = pool(1);
        let token = tokens.new_one();
        drop(pool.submit(move || drop(token)));
        block_on(pool.submit(|| ())).unwrap();
    });
}

/// One job may be there at a time: the next finds its permit, however the one before has ended.
#[test]
fn a_permit_is_free_when_its_job_has_ended() {
    explore("permits of a pool that is full with one job", Some(1), || {
        let pool = builder(1).queue_capacity(0).build();
        block_on(pool.submit(|| ())).unwrap();
        let second = pool.submit(|| ());
        second.cancel();
        assert!(matches!(block_on(second), Ok(()) | Err(Error::Cancelled)));
        block_on(pool.submit(|| ())).unwrap();
    });
}

#[test]
fn two_submitters_and_one_permit() {
    explore("two submitters and one permit", Some(0), || {
        let pool = builder(1).queue_capacity(0).build();
        let other = pool.clone();
        let submitter = thread::spawn(move || block_on(other.submit(|| ())));
        let results = [block_on(pool.submit(|| ())), submitter.join().unwrap()];
        assert!(results.iter().all(|result| matches!(result, Ok(()) | Err(Error::QueueFull))));
        assert!(results.iter().any(Result::is_ok), "a permit was lost");
        block_on(pool.submit(|| ())).unwrap();
    });
}

#[test]
fn nested_on_one_worker() {
    explore("a job that waits for its own pool", Some(1), || {
        let pool = pool(1);
        let inner = pool.clone();
        let outer = pool.submit(move || block_on(inner.submit(|| 1)).unwrap() + 1);
        assert_eq!(block_on(outer).unwrap(), 2);
    });
}

/// As above, by threads that wait without async.
#[test]
fn nested_waits_on_one_worker() {
    explore("a job that waits for its own pool, without async", Some(1), || {
        let pool = pool(1);
        let inner = pool.clone();
        let outer = pool.submit(move || inner.submit(|| 1).wait().unwrap() + 1);
        assert_eq!(outer.wait().unwrap(), 2);
    });
}

#[test]
fn nested_on_one_worker_that_retires() {
    explore("a job that waits for its own pool, workers that retire", Some(1), || {
        let pool = retiring(1);
        let inner = pool.clone();
        let outer = pool.submit(move || block_on(inner.submit(|| 1)).unwrap() + 1);
        assert_eq!(block_on(outer).unwrap(), 2);
    });
}

#[test]
fn nested_with_a_thread_to_spare() {
    explore("a job that waits for its own pool, which has a thread to spare", Some(0), || {
        let tokens = Tokens::default();
        let pool = pool(2);
        let (inner, token) = (pool.clone(), tokens.new_one());
        let outer = pool.submit(move || block_on(inner.submit(move || drop(token))).unwrap());
        block_on(outer).unwrap();
    });
}

/// A worker beyond the maximum leaves a job alone that is not awaited, and the worker that waited comes for it.
#[test]
fn nested_beside_a_job_that_is_not_awaited() {
    explore("a job that waits for its own pool, beside another", Some(0), || {
        let pool = pool(1);
        let running = Arc::new(AtomicUsize::new(0));
        let (inner, in_outer) = (pool.clone(), Arc::clone(&running));
        let outer = pool.submit(move || {
            let awaited = inner.submit(|| 1);
            let value = block_on(awaited).unwrap();
            assert_eq!(in_outer.fetch_add(1, Ordering::SeqCst), 0, "two at once");
            thread::yield_now();
            in_outer.fetch_sub(1, Ordering::SeqCst);
            value
        });
        let other = pool.submit(move || {
            assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0, "two at once");
            thread::yield_now();
            running.fetch_sub(1, Ordering::SeqCst);
        });
        assert_eq!(block_on(outer).unwrap(), 1);
        block_on(other).unwrap();
    });
}

#[test]
fn a_chain_on_one_worker() {
    explore("a chain of three on one worker", Some(0), || {
        let pool = pool(1);
        let (second, third) = (pool.clone(), pool.clone());
        let chain = pool
            .submit(move || block_on(second.submit(move || block_on(third.submit(|| 1)).unwrap() + 1)).unwrap() + 1);
        assert_eq!(block_on(chain).unwrap(), 3);
    });
}

/// The awaited job is dropped, or was cancelled: the wait is over, and the next one is served again.
#[test]
fn a_wait_that_is_given_up() {
    explore("a job that gives up a wait for its own pool", Some(0), || {
        let pool = pool(1);
        let inner = pool.clone();
        let outer = pool.submit(move || {
            let mut given_up = inner.submit(|| 1);
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            let polled = std::pin::Pin::new(&mut given_up).poll(&mut context);
            drop(given_up);
            polled.is_ready() || block_on(inner.submit(|| 2)).unwrap() == 2
        });
        assert!(block_on(outer).unwrap());
    });
}

/// The job may end as the caller begins to wait for that.
#[test]
fn wait_idle_and_the_end_of_a_job() {
    for keep_alive in [Duration::MAX, Duration::ZERO] {
        explore(&format!("wait_idle and the end of a job, keep-alive {keep_alive:?}"), Some(2), move || {
            let pool = builder(1).keep_alive(keep_alive).build();
            let done = Arc::new(AtomicUsize::new(0));
            let job = Arc::clone(&done);
            pool.submit(move || job.fetch_add(1, Ordering::SeqCst)).detach();
            block_on(pool.wait_idle());
            assert_eq!(done.load(Ordering::SeqCst), 1);
        });
    }
}

/// The only job is cancelled, or runs: the pool is idle in any case.
#[test]
fn wait_idle_and_cancel() {
    explore("wait_idle and cancel", Some(2), || {
        let pool = pool(1);
        let handle = pool.submit(|| ());
        let canceller = thread::spawn(move || drop(handle));
        block_on(pool.wait_idle());
        canceller.join().unwrap();
        block_on(pool.wait_idle());
    });
}

/// The second job begins though the first does not end without it, whenever the maximum is raised.
#[test]
fn raise_and_two_jobs_that_need_each_other() {
    explore("max_threads raised, and two jobs that need each other", Some(1), || {
        let pool = pool(1);
        let (send, receive) = loom::sync::mpsc::channel();
        let first = pool.submit(move || receive.recv().unwrap());
        let other = pool.clone();
        let raises = thread::spawn(move || other.set_max_threads(2));
        pool.submit(move || send.send(7).unwrap()).detach();
        assert_eq!(block_on(first).unwrap(), 7);
        raises.join().unwrap();
    });
}

/// The maximum is lowered as workers take jobs: afterwards, one runs at a time, and none is forgotten.
#[test]
fn lower_and_two_jobs() {
    explore("max_threads lowered, and two jobs", Some(0), || {
        let pool = pool(2);
        let other = pool.clone();
        let lowers = thread::spawn(move || other.set_max_threads(1));
        let (first, second) = (pool.submit(|| 1), pool.submit(|| 2));
        lowers.join().unwrap();
        assert_eq!(block_on(first).unwrap() + block_on(second).unwrap(), 3);
        assert_eq!(block_on(pool.submit(|| 4)).unwrap(), 4);
    });
}

/// What `try_submit` accepts runs, though the pool closes at that moment; else the closure is back.
#[test]
fn close_and_try_submit() {
    explore("close and try_submit", Some(2), || {
        let tokens = Tokens::default();
        let pool = builder(1).queue_capacity(0).build();
        let other = pool.clone();
        let closer = thread::spawn(move || other.close());
        let token = tokens.new_one();
        match pool.try_submit(move || drop(token)) {
            Ok(handle) => block_on(handle).unwrap(),
            Err(refused) => {
                assert!(matches!(refused.error(), Error::ShutDown));
                refused.into_inner()();
            }
        }
        closer.join().unwrap();
    });
}
