//! C5 where places are counted: a job that has ended leaves its place at once, and a runner that a view had counted on and that is
//! not coming takes nothing along unseen.

use std::backtrace::Backtrace;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use offload_runtime::{Error, Executor, ExecutorExt, Inline, Job, Limited, ThreadPool};
use tests::support::{Gate, Occupied, finish, poll_once, silence, waker_of};

/// A job has ended, and its thread stands in the awaiter's waker: its place is free. The next takes it, and waits for the thread alone.
fn a_place_is_free_before_its_thread_is(executor: &(dyn Executor + 'static)) {
    let (begin, woken) = (Gate::closed(), Gate::closed());
    let (door, in_waker) = (begin.clone(), woken.clone());
    let mut ended = executor.submit(move || door.pass());
    assert!(poll_once(&mut ended, &waker_of(move || in_waker.pass())).is_pending());
    begin.wait_for(1);
    assert!(matches!(finish(executor.submit(|| ())), Err(Error::QueueFull)), "the place is taken");
    begin.open();
    woken.wait_for(1);
    finish(ended).unwrap();
    let next = executor.submit(|| 7);
    assert!(matches!(finish(executor.submit(|| ())), Err(Error::QueueFull)), "and taken again, once");
    woken.open();
    assert_eq!(finish(next).unwrap(), 7);
}

#[test]
fn c05_a_place_is_free_when_its_job_has_ended_in_a_pool() {
    let pool = ThreadPool::builder().max_threads(1).queue_capacity(0).build();
    for _ in 0..3 {
        a_place_is_free_before_its_thread_is(&pool);
    }
}

#[test]
fn c05_a_place_is_free_when_its_job_has_ended_in_a_view() {
    let view = ThreadPool::new(4).limited(1).queue_capacity(0);
    for _ in 0..3 {
        a_place_is_free_before_its_thread_is(&view);
    }
}

/// A view of a view knows that the pool behind both is closed.
#[test]
fn c05_a_view_of_a_view_of_a_closed_pool_refuses_though_it_still_runs_jobs() {
    let pool = ThreadPool::new(1);
    let view = pool.clone().limited(1).limited(1);
    assert!(!view.is_closed());
    let occupied = Occupied::new(&view, 1);
    let before = view.submit(|| 1);
    pool.close();
    assert!(view.is_closed());
    let after = view.submit(|| 2);
    assert!(after.is_finished(), "at once");
    assert!(matches!(finish(after), Err(Error::ShutDown)));
    occupied.release();
    assert_eq!(finish(before).unwrap(), 1);
}

/// An executor that keeps what it is given, to be run, dropped or refused later.
#[derive(Default)]
struct Later(Mutex<Vec<Job>>);

impl Later {
    fn take(&self) -> Job {
        self.0.lock().unwrap().pop().expect("it was given a job")
    }
}

impl Executor for Later {
    fn execute(&self, job: Job) {
        self.0.lock().unwrap().push(job);
    }
}

/// Computes for so long that a view hands its thread back afterwards, if jobs wait.
fn longer_than_a_slice() {
    let until = Instant::now() + Duration::from_millis(2);
    while Instant::now() < until {
        std::hint::spin_loop();
    }
}

/// A runner runs one job after the other while its slice lasts, and asks for another runner only for jobs that wait.
#[test]
fn c05_a_view_submits_no_runner_that_it_does_not_need() {
    let ran_before_a_hand_over = || {
        let view = Limited::new(Later::default(), 1);
        let jobs: Vec<_> = (0..20).map(|i| view.submit(move || i)).collect();
        view.executor().take().run();
        let ran = jobs.iter().filter(|job| job.is_finished()).count();
        while let Some(runner) = { view.executor().0.lock().unwrap().pop() } {
            runner.run();
        }
        assert_eq!(jobs.into_iter().map(|job| finish(job).unwrap()).sum::<i32>(), 190);
        ran
    };
    // A machine that is busy elsewhere may take a slice away at any place, but not always after the first job.
    assert!((0..100).any(|_| ran_before_a_hand_over() > 1), "a runner for each job");
    let view = Limited::new(Later::default(), 1);
    let alone = view.submit(longer_than_a_slice);
    view.executor().take().run();
    finish(alone).unwrap();
    assert!(view.executor().0.lock().unwrap().is_empty(), "a runner for an empty view");
}

/// As one that starts a thread for each job by `std::thread::spawn`, which panics where none can be had.
#[derive(Clone, Default)]
struct ThreadPerJob {
    no_more: Arc<AtomicBool>,
}

impl Executor for ThreadPerJob {
    fn execute(&self, job: Job) {
        assert!(!self.no_more.load(Ordering::SeqCst), "on purpose: no thread can be had");
        thread::spawn(|| job.run());
    }
}

/// A runner that is to hand its thread back keeps it if the executor panics, and what waits in the view is run.
#[test]
fn c05_an_executor_that_panics_keeps_no_job_of_a_view() {
    silence();
    let executor = ThreadPerJob::default();
    let view = executor.clone().limited(1);
    let gate = Gate::closed();
    let door = gate.clone();
    let first = view.submit(move || {
        door.pass();
        // Its slice is over.
        thread::sleep(Duration::from_millis(2));
    });
    gate.wait_for(1);
    let second = view.submit(|| 2);
    executor.no_more.store(true, Ordering::SeqCst);
    gate.open();
    finish(first).unwrap();
    assert_eq!(finish(second).unwrap(), 2);
    executor.no_more.store(false, Ordering::SeqCst);
    assert_eq!(finish(view.submit(|| 3)).unwrap(), 3);
}

/// Where jobs run as they are submitted, so do the runners of a view: no more deeply, however many slices are over.
#[test]
fn c05_a_view_of_an_executor_that_runs_its_jobs_at_once_does_not_dive() {
    let view = Inline.limited(1);
    let (inner, (log, depths)) = (view.clone(), mpsc::channel());
    let outer = view.submit(move || {
        // They wait for its place.
        for _ in 0..20 {
            let log = log.clone();
            let dives = move || {
                log.send(Backtrace::force_capture().to_string().lines().count()).unwrap();
                thread::sleep(Duration::from_millis(2));
            };
            inner.submit(dives).detach();
        }
    });
    finish(outer).unwrap();
    let depths: Vec<_> = depths.iter().collect();
    assert_eq!(depths.len(), 20);
    assert!(depths.iter().all(|depth| *depth == depths[0]), "{depths:?}");
}
