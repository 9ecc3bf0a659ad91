//! C5: what a full or closed executor says, which place a job of a view takes, and in which order jobs with a permit begin.

use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use offload_runtime::{Error, Executor, ExecutorExt, Job, Limited, ThreadPool};
use tests::support::{Occupied, PATIENCE, finish, within};

/// Longer than a view keeps its thread while others may want it.
fn longer_than_a_slice() {
    let until = Instant::now() + Duration::from_millis(2);
    while Instant::now() < until {
        std::hint::spin_loop();
    }
}

/// A caller that is told `QueueFull` tries again, and would do so without end.
#[test]
fn c05_a_full_pool_that_is_closed_refuses_as_shut_down() {
    let pool = ThreadPool::builder().max_threads(1).queue_capacity(0).build();
    let view = Limited::builder(pool.clone()).limit(1).queue_capacity(0).build();
    let occupied = Occupied::new(&view, 1);
    assert!(matches!(finish(pool.submit(|| ())), Err(Error::QueueFull)));
    assert!(matches!(finish(view.submit(|| ())), Err(Error::QueueFull)));
    pool.close();
    assert!(matches!(finish(pool.submit(|| ())), Err(Error::ShutDown)));
    assert!(matches!(finish(view.submit(|| ())), Err(Error::ShutDown)));
    occupied.release();
}

/// The size of a stack that no thread can have.
const NO_SUCH_STACK: usize = 1 << 60;

#[test]
fn c05_a_job_that_no_thread_comes_for_gives_its_place_back() {
    let pool = ThreadPool::builder().stack_size(NO_SUCH_STACK).max_threads(1).queue_capacity(0).build();
    for _ in 0..3 {
        assert!(matches!(finish(pool.submit(|| ())), Err(Error::Spawn(_))));
    }
}

/// A job of a view awaits another, and the pool has no room for a second turn of the view.
#[test]
fn c05_an_awaited_job_of_a_view_is_not_refused_by_a_full_pool() {
    let pool = ThreadPool::builder().max_threads(1).queue_capacity(0).build();
    for view in [pool.limited(1), pool.limited(2)] {
        let of_job = view.clone();
        let outer = view.submit(move || finish(of_job.submit(|| 7)).expect("the pool has no room for it"));
        assert_eq!(within(PATIENCE, move || finish(outer)).unwrap(), 7);
        finish(pool.wait_idle());
    }
}

/// The turns of a view after its first take no place of the executor, and give none back.
#[test]
fn c05_turns_of_a_view_give_back_the_places_that_they_took() {
    fn has_two_places<E: Executor + Clone + 'static>(executor: &E, wait_idle: impl Fn()) {
        let view = executor.clone().limited(1);
        let jobs: Vec<_> = (0..8).map(|_| view.submit(longer_than_a_slice)).collect();
        for job in jobs {
            finish(job).unwrap();
        }
        wait_idle();
        let occupied = Occupied::new(executor, 1);
        let waits = executor.submit(|| ());
        assert!(matches!(finish(executor.submit(|| ())), Err(Error::QueueFull)), "there are more places than before");
        occupied.release();
        finish(waits).unwrap();
    }
    let pool = ThreadPool::builder().max_threads(1).queue_capacity(1).build();
    has_two_places(&pool, || finish(pool.wait_idle()));
    let view = Limited::builder(ThreadPool::new(1)).limit(1).queue_capacity(1).build();
    has_two_places(&view, || finish(view.wait_idle()));
}

/// In the order of their submission, by whichever call.
#[test]
fn c05_jobs_that_find_room_begin_behind_those_before_them() {
    let pool = ThreadPool::builder().max_threads(1).queue_capacity(8).build();
    let view = Limited::builder(ThreadPool::new(1)).limit(1).queue_capacity(8).build();
    let (log, order) = mpsc::channel();
    let job = |n: usize| {
        let log = log.clone();
        move || log.send(n).unwrap()
    };
    let occupied = Occupied::new(&pool, 1);
    let jobs = [pool.submit(job(0)), pool.try_submit(job(1)).unwrap(), pool.submit(job(2))];
    occupied.release();
    for job in jobs {
        finish(job).unwrap();
    }
    assert_eq!(order.try_iter().collect::<Vec<_>>(), [0, 1, 2]);

    let occupied = Occupied::new(&view, 1);
    let permit = finish(view.reserve()).unwrap();
    let jobs = [view.submit(job(0)), permit.submit(job(1)), view.submit(job(2))];
    occupied.release();
    for job in jobs {
        finish(job).unwrap();
    }
    assert_eq!(order.try_iter().collect::<Vec<_>>(), [0, 1, 2]);
}

type Before = Box<dyn FnOnce() + Send>;

/// A pool that is full for one runner: before it says so, it calls back.
struct FullOnce {
    pool: ThreadPool,
    before: Arc<Mutex<Option<Before>>>,
}

impl Executor for FullOnce {
    fn execute(&self, job: Job) {
        let before = self.before.lock().unwrap().take();
        match before {
            Some(before) => {
                before();
                job.refuse(Error::QueueFull);
            }
            None => self.pool.execute(job),
        }
    }
}

/// A job with a permit relies on the runner that was made for another, which is then refused: it gets one of its own.
#[test]
fn c05_a_permit_holds_though_the_runner_before_it_is_refused() {
    let before = Arc::new(Mutex::new(None));
    let executor = FullOnce { pool: ThreadPool::new(1), before: Arc::clone(&before) };
    let view = Limited::builder(executor).limit(1).queue_capacity(2).build();
    let permit = finish(view.reserve()).unwrap();
    let (send, handles) = mpsc::channel();
    *before.lock().unwrap() = Some(Box::new(move || send.send(permit.submit(|| 2)).unwrap()) as Before);
    let first = view.submit(|| 1);
    assert_eq!(finish(handles.recv().unwrap()).expect("it had a permit"), 2);
    assert_eq!(finish(first).expect("the runner of the other runs it, too"), 1);
    assert_eq!(view.metrics().refused(), 0);
}
