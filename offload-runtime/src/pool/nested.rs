//! Jobs that wait for jobs of their own pool (C10).
//!
//! A handle that is polled inside a job of the pool, and whose own job still waits in the queue, has that job begin at once: on a sleeping
//! thread, on one that looks for work, on a new one while there may be more, or else on a thread that *stands in* for the one that polls, which is
//! blocked until the job has ended. So at no time more than `max_threads` jobs of the pool make progress, and no chain of jobs that wait for
//! each other can be as long as to leave one of them without a thread.
//!
//! The job is not run by the polling thread itself: that one is inside somebody's `block_on`, and most of them (tokio's, that of
//! `futures`) refuse to be entered twice by one thread, so that a chain of three would panic.

use std::io;

use super::queue::Pool;
use super::shutdown;
use super::sleep::Call;
use super::worker::{self, Worker};
use crate::job::{self, Begun, Queue};
use crate::sync::{self, Arc, Mutex};

/// Where a job that somebody waits for can begin.
enum Place {
    Sleeping(Arc<Worker>),
    /// On a thread that looks for work, which comes to the lock when the queue is stirred, and by itself before it sleeps.
    Looking(Arc<Worker>),
    New,
    StandIn,
}

/// Lets `job` begin. `own`: it was in the pool's own queue; otherwise it shares the place, in a view, of the job that waits.
pub(super) fn run(queue: &Arc<Queue<Pool>>, job: Begun, own: bool) {
    let mut state = queue.lock();
    // Only for a job of the pool's own: whoever is taken out of `idle` has to be woken. Not one that has others to wake first, by wakers that
    // may be waiting for this very job.
    let sleeping = if own && !state.looks_after_others() { state.take_idle() } else { None };
    let looking = if own && sleeping.is_none() { state.looking.pop() } else { None };
    let place = match (sleeping, looking) {
        (Some(sleeping), _) => Place::Sleeping(sleeping),
        (None, Some(looking)) => Place::Looking(looking),
        (None, None) if own && state.threads < queue.shared.config.max_threads => Place::New,
        (None, None) => Place::StandIn,
    };
    match place {
        Place::Sleeping(sleeping) => {
            state.one_more_runs(&queue.shared);
            state.handed.push((Arc::clone(&sleeping), job));
            // Jobs may have been left to it, if it stood by.
            let call = Call::attend(&mut state, &queue.shared);
            drop(state);
            sleeping.wake.notify_one();
            call.carry_out(queue);
        }
        Place::Looking(looking) => {
            state.scouts -= 1;
            state.one_more_runs(&queue.shared);
            state.handed.push((looking, job));
            let call = Call::attend(&mut state, &queue.shared);
            state.stir();
            drop(state);
            call.carry_out(queue);
        }
        Place::New => {
            state.one_more_thread();
            state.one_more_runs(&queue.shared);
            drop(state);
            start(queue, job);
        }
        Place::StandIn => {
            drop(state);
            stand_in(queue, job);
        }
    }
}

/// Starts a thread with `job`; if none can be had, it is as if the pool were at its maximum.
fn start(queue: &Arc<Queue<Pool>>, job: Begun) {
    let job = Arc::new(Mutex::new(Some(job)));
    let first = Arc::clone(&job);
    let started: io::Result<()> = worker::start(queue, move || sync::lock(&first).take());
    if started.is_err() {
        let mut state = queue.lock();
        state.threads -= 1;
        state.running -= 1;
        // There may be one thread more again, and who posts a job is not asked to call it.
        let call = Call::attend(&mut state, &queue.shared);
        // Who waits for the pool's end may have taken that thread for one.
        let ended = shutdown::take_wakers(&mut state);
        drop(state);
        call.carry_out(queue);
        shutdown::wake(ended);
        if let Some(job) = sync::lock(&job).take() {
            stand_in(queue, job);
        }
    }
}

/// Runs `job` in the place of this thread, which waits.
fn stand_in(queue: &Arc<Queue<Pool>>, job: Begun) {
    let worker = worker::current().expect("the outermost queue of a thread is that of the pool it belongs to");
    let builder = worker::builder(&queue.shared, worker.name.clone());
    let queue = Arc::clone(queue);
    job::run_on_stand_in(builder, job, move |job| {
        let here = worker::current().is_some();
        let run = || job.run_with(|job, since, note| worker.running.run(job, since, note));
        if here { run() } else { worker::with_hooks(&queue.shared, &worker, run) }
    });
}

#[cfg(all(test, not(offload_loom)))]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};
    use std::time::{Duration, Instant};

    use super::*;
    use crate::executor::ExecutorExt;
    use crate::pool::ThreadPool;
    use crate::pool::queue::Counting;
    use crate::sync::thread;

    /// It comes to the lock at once, and finds the job there. No thread stands in, and none is started.
    #[test]
    fn c10_a_job_that_is_waited_for_is_handed_to_a_thread_that_looks_for_work() {
        let pool = ThreadPool::builder().max_threads(1).build();
        let inner = pool.clone();
        let outer = pool.submit(move || {
            let queue = inner.queue();
            let looks = Worker::new(&queue.shared, String::new());
            let mut state = queue.lock();
            state.looking.push(Arc::clone(&looks));
            state.scouts += 1;
            state.open();
            drop(state);
            let mut cx = Context::from_waker(Waker::noop());
            let mut job = pin!(inner.submit(|| 7));
            assert!(job.as_mut().poll(&mut cx).is_pending());
            let mut state = queue.lock();
            assert!(state.looking.is_empty() && state.is_empty());
            assert_eq!((state.scouts, state.running), (0, 2));
            let handed = state.take_handed(&looks).expect("it was handed to another");
            assert!(state.take_handed(&looks).is_none());
            drop(state);
            assert!(queue.is_stirred(), "who looks for work goes on looking");
            handed.run_with(|job, since, note| looks.running.run(job, since, note));
            queue.lock().running -= 1;
            let Poll::Ready(seven) = job.as_mut().poll(&mut cx) else { panic!("it has run") };
            assert_eq!(seven.unwrap(), 7);
        });
        pollster::block_on(outer).unwrap();
        pollster::block_on(pool.shutdown());
    }
    /// Nobody comes for them otherwise: the thread that looked has a job now, which may take long.
    #[test]
    fn c10_jobs_that_were_left_to_the_thread_that_looked_get_another() {
        let pool = ThreadPool::builder().max_threads(2).build();
        let inner = pool.clone();
        let outer = pool.submit(move || {
            let queue = inner.queue();
            let looks = Worker::new(&queue.shared, String::new());
            let mut state = queue.lock();
            state.looking.push(Arc::clone(&looks));
            state.scouts += 1;
            state.open();
            drop(state);
            let left = inner.submit(|| ());
            let mut job = pin!(inner.submit(|| ()));
            assert!(job.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            let deadline = Instant::now() + Duration::from_secs(30);
            while !left.is_finished() {
                assert!(Instant::now() < deadline, "it waits for the job that was handed over");
                thread::yield_now();
            }
            let handed = queue.lock().take_handed(&looks).expect("it was handed to another");
            handed.run_with(|job, since, note| looks.running.run(job, since, note));
            queue.lock().running -= 1;
        });
        pollster::block_on(outer).unwrap();
        pollster::block_on(pool.shutdown());
    }

    /// The pool was closed, and the last thread but this one left while it seemed that another was coming.
    #[test]
    fn c09_a_start_for_a_job_that_is_waited_for_may_fail_as_the_last_of_the_others() {
        // No thread can be had.
        let pool = ThreadPool::builder().max_threads(2).stack_size(usize::MAX).build();
        let queue = pool.queue();
        let worker = Worker::new(&queue.shared, String::new());
        let told = Arc::new(Counting::default());
        let waker = Waker::from(Arc::clone(&told));
        let mut state = queue.lock();
        (state.threads, state.running) = (1, 1);
        state.workers.push(Arc::clone(&worker));
        drop(state);
        let mut job = pin!(pool.submit(|| 7));
        let mut shutdown = pin!(pool.shutdown());
        assert!(shutdown.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        worker::with_hooks(&queue.shared, &worker, || {
            job::host(queue, || {
                // It runs here, as a thread can be had neither for it nor to stand in.
                let ran = job.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                assert!(matches!(ran, Poll::Ready(Ok(7))), "{ran:?}");
            });
        });
        assert!(told.wakes() == 1, "it was not told");
        let mut state = queue.lock();
        (state.threads, state.running) = (0, 0);
        state.workers.clear();
    }
}
