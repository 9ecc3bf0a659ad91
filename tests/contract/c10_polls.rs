//! C10 and C3: a poll inside a job returns at once, so that `timeout`, `select!`, `join!` and `join_all` work there as anywhere else.
//!
//! Each scene is played by a job of a pool with one thread, of a view, of a view of a view, and of a view of a foreign executor: the awaited
//! job is queued, and the thread that has to run it is the one that polls.

use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::time::Duration;

use futures::future::{Either, join_all, select};
use offload_runtime::{Executor, ExecutorExt, Limited, ThreadPool};
use tests::support::{Gate, Occupied, PATIENCE, finish, poll_once, tokio_runtime, within};

const SHORT: Duration = Duration::from_millis(10);

/// A job that is submitted and waited for inside a job of the same executor.
trait Scene: Send + 'static {
    fn play<E: Executor + Clone + 'static>(self, executor: E);
}

/// Plays the scene inside a job of `executor`.
fn play_in<E: Executor + Clone + 'static>(executor: E, scene: impl Scene) {
    within(PATIENCE, move || {
        let of_job = executor.clone();
        finish(executor.submit(move || scene.play(of_job))).unwrap();
    });
}

fn play_everywhere(scene: impl Scene + Clone) {
    play_in(ThreadPool::new(1), scene.clone());
    play_in(ThreadPool::new(1).limited(1), scene.clone());
    play_in(ThreadPool::new(4).limited(1), scene.clone());
    play_in(ThreadPool::new(1).limited(1).limited(1), scene.clone());
    let runtime = tokio_runtime(1);
    play_in(runtime.handle().clone().limited(1), scene);
}

/// The awaited job sends what another future, polled by the same thread, receives: neither may wait for the other.
#[derive(Clone)]
struct JoinsASender;

impl Scene for JoinsASender {
    fn play<E: Executor + Clone + 'static>(self, executor: E) {
        let (send, receive) = std::sync::mpsc::channel();
        let inner = executor.submit(move || receive.recv_timeout(PATIENCE).is_ok());
        let (received, of_send) = finish(async { futures::join!(inner, async move { send.send(()) }) });
        assert!(received.unwrap() && of_send.is_ok());
    }
}

#[test]
fn c10_join_of_a_nested_job_and_of_what_it_waits_for_completes() {
    play_everywhere(JoinsASender);
}

/// As above, with threads and permits to spare.
#[test]
fn c10_join_of_a_nested_job_completes_where_threads_are_free() {
    play_in(ThreadPool::new(64), JoinsASender);
    play_in(ThreadPool::new(64).limited(4), JoinsASender);
}

/// A single poll of a job that does not end returns.
#[derive(Clone)]
struct PollsOnce;

impl Scene for PollsOnce {
    fn play<E: Executor + Clone + 'static>(self, executor: E) {
        let gate = Gate::closed();
        let door = gate.clone();
        let mut inner = executor.submit(move || door.pass());
        assert!(poll_once(&mut inner, Waker::noop()).is_pending());
        assert!(poll_once(&mut inner, Waker::noop()).is_pending());
        gate.open();
        finish(inner).unwrap();
    }
}

#[test]
fn c10_a_poll_inside_a_job_returns_before_the_job_ends() {
    play_everywhere(PollsOnce);
}

#[derive(Clone)]
struct TimesOut;

impl Scene for TimesOut {
    fn play<E: Executor + Clone + 'static>(self, executor: E) {
        let gate = Gate::closed();
        let door = gate.clone();
        let mut inner = executor.submit(move || door.pass());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let late = runtime.block_on(async { tokio::time::timeout(SHORT, &mut inner).await });
        assert!(late.is_err(), "the timeout fires while the job runs");
        let first = smol::block_on(select(&mut inner, smol::Timer::after(SHORT)));
        assert!(matches!(first, Either::Right(_)), "that of another runtime, too");
        drop(first);
        gate.open();
        finish(inner).unwrap();
    }
}

#[test]
fn c10_a_timeout_around_a_nested_job_fires() {
    play_everywhere(TimesOut);
}

#[derive(Clone)]
struct Selects;

impl Scene for Selects {
    fn play<E: Executor + Clone + 'static>(self, executor: E) {
        let (gate, runtime) = (Gate::closed(), tokio::runtime::Builder::new_current_thread().build().unwrap());
        let door = gate.clone();
        let mut inner = executor.submit(move || door.pass());
        let first = runtime.block_on(async {
            tokio::select! {
                biased;
                _ = &mut inner => "the job",
                () = std::future::ready(()) => "the other",
            }
        });
        assert_eq!(first, "the other");
        gate.open();
        assert!(futures::executor::block_on(inner).is_ok());
    }
}

#[test]
fn c10_select_takes_what_is_ready_beside_a_nested_job() {
    play_everywhere(Selects);
}

/// `join_all` polls all of a few futures each time, and of more than 30 those alone that were woken.
#[derive(Clone)]
struct JoinsAll(usize);

impl Scene for JoinsAll {
    fn play<E: Executor + Clone + 'static>(self, executor: E) {
        let jobs = (0..self.0).map(|n| executor.submit(move || n));
        let results: Vec<usize> = finish(join_all(jobs)).into_iter().map(Result::unwrap).collect();
        assert_eq!(results, (0..self.0).collect::<Vec<_>>());
        let by_pollster = pollster::block_on(join_all((0..self.0).map(|n| executor.submit(move || n))));
        assert!(by_pollster.into_iter().all(|result| result.is_ok()));
    }
}

#[test]
fn c10_join_all_of_a_few_nested_jobs_completes() {
    play_everywhere(JoinsAll(5));
}

#[test]
fn c10_join_all_of_many_nested_jobs_completes() {
    play_everywhere(JoinsAll(100));
}

/// Jobs that a job awaits together begin in the order in which they were submitted, before a job that is not awaited.
#[derive(Clone)]
struct AwaitsInOrder;

impl Scene for AwaitsInOrder {
    fn play<E: Executor + Clone + 'static>(self, executor: E) {
        let begun = Arc::new(Mutex::new(Vec::new()));
        let submit = |n| {
            let begun = Arc::clone(&begun);
            executor.submit(move || begun.lock().unwrap().push(n))
        };
        let not_awaited = submit(0);
        finish(join_all([1, 2, 3, 4, 5].map(submit))).into_iter().for_each(Result::unwrap);
        drop(not_awaited);
        assert_eq!(*begun.lock().unwrap(), [1, 2, 3, 4, 5]);
    }
}

#[test]
fn c10_jobs_that_are_awaited_together_begin_in_order() {
    // One place: the job that is not awaited cannot begin while the first job waits.
    play_in(ThreadPool::new(1), AwaitsInOrder);
    play_in(ThreadPool::new(1).limited(1), AwaitsInOrder);
    play_in(ThreadPool::new(4).limited(1), AwaitsInOrder);
    play_in(ThreadPool::new(1).limited(1).limited(1), AwaitsInOrder);
}

/// All of them at once: as many threads wait as there are, each for jobs that wait for each other's turn.
#[test]
fn c10_fan_outs_on_all_threads_complete() {
    const PARENTS: usize = 32;
    const CHILDREN: usize = 40;
    fn fan_outs<E: Executor + Clone + 'static>(executor: E) {
        let sum = within(PATIENCE, move || {
            let parent = |_| {
                let of_job = executor.clone();
                executor.submit(move || {
                    let children = (0..CHILDREN).map(|n| of_job.submit(move || n));
                    finish(join_all(children)).into_iter().map(Result::unwrap).sum::<usize>()
                })
            };
            let parents: Vec<_> = (0..PARENTS).map(parent).collect();
            parents.into_iter().map(|parent| finish(parent).unwrap()).sum::<usize>()
        });
        assert_eq!(sum, PARENTS * (CHILDREN - 1) * CHILDREN / 2);
    }
    fan_outs(ThreadPool::new(4));
    fan_outs(ThreadPool::new(4).limited(2));
    fan_outs(ThreadPool::new(4).limited(3).limited(2));
}

/// The job that is awaited runs already when it is first polled here: it was first awaited by another job, which has ended.
#[derive(Clone)]
struct AwaitsARunningJob;

impl Scene for AwaitsARunningJob {
    fn play<E: Executor + Clone + 'static>(self, executor: E) {
        let gate = Gate::closed();
        let (of_first, door) = (executor.clone(), gate.clone());
        let first = executor.submit(move || {
            let (of_job, of_running) = (of_first.clone(), door.clone());
            let mut running = of_first.submit(move || {
                of_running.pass();
                finish(of_job.submit(|| 7)).unwrap()
            });
            assert!(poll_once(&mut running, Waker::noop()).is_pending());
            door.wait_for(1);
            running
        });
        let mut running = finish(first).unwrap();
        assert!(poll_once(&mut running, Waker::noop()).is_pending());
        // Only now does it await a queued job, for which there has to be one more thread.
        gate.open();
        assert_eq!(finish(running).unwrap(), 7);
    }
}

#[test]
fn c10_a_job_that_awaits_a_running_job_which_awaits_a_queued_one_completes() {
    play_everywhere(AwaitsARunningJob);
}

/// A job that blocks on a job that blocks on a job...
fn deep<E: Executor + Clone + 'static>(executor: &E, depth: u32) -> u32 {
    if depth == 0 {
        return 0;
    }
    let inner = executor.clone();
    1 + finish(executor.submit(move || deep(&inner, depth - 1))).unwrap()
}

#[test]
fn c10_a_chain_of_forty_jobs_on_one_thread_completes() {
    let pool = ThreadPool::new(1);
    assert_eq!(within(PATIENCE, move || deep(&pool, 40)), 40);
    let view = ThreadPool::new(1).limited(1).limited(1);
    assert_eq!(within(PATIENCE, move || deep(&view, 40)), 40);
}

/// The job ahead of the awaited one needs a lock that the waiting job holds: the awaited one has to pass it.
#[test]
fn c10_a_queued_job_that_needs_a_lock_of_the_waiting_one_holds_nothing_up() {
    fn scene<E: Executor + Clone + 'static>(executor: E) {
        within(PATIENCE, move || {
            let (of_job, lock) = (executor.clone(), Arc::new(Mutex::new(())));
            let outer = executor.submit(move || {
                let held = lock.lock().unwrap();
                let of_ahead = Arc::clone(&lock);
                let ahead = of_job.submit(move || drop(of_ahead.lock().unwrap()));
                finish(of_job.submit(|| ())).unwrap();
                drop(held);
                ahead
            });
            finish(finish(outer).unwrap()).unwrap();
        });
    }
    scene(ThreadPool::new(1));
    scene(ThreadPool::new(1).limited(1));
    scene(ThreadPool::new(2).limited(1));
}

/// The destructor of a thread-local of the thread that ran the awaited job takes its time: the result does not wait for it.
#[test]
fn c10_a_nested_result_does_not_wait_for_the_locals_of_another_thread() {
    struct Slow(Gate);
    impl Drop for Slow {
        fn drop(&mut self) {
            self.0.pass();
        }
    }
    thread_local!(static LOCAL: std::cell::RefCell<Option<Slow>> = const { std::cell::RefCell::new(None) });
    fn scene<E: Executor + Clone + 'static>(executor: E) {
        let gate = Gate::closed();
        let (of_job, door) = (executor.clone(), gate.clone());
        within(PATIENCE, move || {
            let outer = executor.submit(move || {
                finish(of_job.submit(move || LOCAL.set(Some(Slow(door))))).unwrap();
            });
            finish(outer).unwrap();
        });
        gate.open();
    }
    scene(ThreadPool::builder().max_threads(1).keep_alive(Duration::ZERO).build());
    scene(ThreadPool::builder().max_threads(1).keep_alive(Duration::ZERO).build().limited(1));
}

/// The hook runs where a thread begins, and not inside of a job that another thread runs.
#[test]
fn c10_a_compensating_thread_runs_its_start_hook_outside_of_the_waiting_job() {
    thread_local!(static IN_JOB: std::cell::Cell<bool> = const { std::cell::Cell::new(false) });
    let (seen, hooks) = std::sync::mpsc::channel();
    let pool = ThreadPool::builder().max_threads(1).on_thread_start(move || seen.send(IN_JOB.get()).unwrap()).build();
    let of_job = pool.clone();
    let outer = pool.submit(move || {
        IN_JOB.set(true);
        finish(of_job.submit(|| IN_JOB.get())).unwrap()
    });
    assert!(!finish(outer).unwrap(), "the nested job has a thread of its own");
    drop(pool);
    assert_eq!(hooks.iter().collect::<Vec<_>>(), [false, false]);
}

/// Jobs of a view with one place, some of which wait for others: besides the waiting ones, one runs at a time.
#[test]
fn c10_a_view_with_one_place_runs_one_job_beside_those_that_wait() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[derive(Clone, Default)]
    struct Running(Arc<AtomicUsize>);
    impl Running {
        fn enter(&self) {
            assert_eq!(self.0.fetch_add(1, Ordering::SeqCst), 0, "two run at once");
        }
        fn leave(&self) {
            std::thread::yield_now();
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    fn step(view: &Limited<ThreadPool>, running: &Running, depth: usize) {
        running.enter();
        running.leave();
        if depth > 0 {
            let (of_job, counted) = (view.clone(), running.clone());
            finish(view.submit(move || step(&of_job, &counted, depth - 1))).unwrap();
        }
        running.enter();
        running.leave();
    }
    within(PATIENCE, || {
        let (view, running) = (ThreadPool::new(4).limited(1), Running::default());
        let jobs: Vec<_> = (0..200)
            .map(|n| {
                let (of_job, counted) = (view.clone(), running.clone());
                view.submit(move || step(&of_job, &counted, n % 4))
            })
            .collect();
        for job in jobs {
            finish(job).unwrap();
        }
    });
}

/// While a job and the one that it awaits share a place, however long that takes, all other places are used.
#[test]
fn c10_a_long_awaited_job_takes_only_the_place_of_the_waiting_one() {
    fn scene<E: Executor + Clone + 'static>(executor: E, places: usize) {
        // As many jobs as there are places, of which the first then waits for a job that takes long.
        let (others, long) = (Occupied::new(&executor, places - 1), Gate::closed());
        let (of_job, door) = (executor.clone(), long.clone());
        let outer = executor.submit(move || finish(of_job.submit(move || door.pass())).unwrap());
        long.wait_for(1);
        // The others end one by one, and as many come in their stead.
        others.release();
        let again = Occupied::new(&executor, places - 1);
        let more = executor.submit(|| ());
        again.release();
        finish(more).unwrap();
        assert!(!outer.is_finished());
        long.open();
        finish(outer).unwrap();
        // In the end there are as many as before.
        let all = Occupied::new(&executor, places);
        let one_more = executor.submit(|| ());
        for _ in 0..1_000 {
            assert!(!one_more.is_finished());
            std::thread::yield_now();
        }
        all.release();
        finish(one_more).unwrap();
    }
    for places in 2..=4 {
        within(PATIENCE, move || scene(ThreadPool::new(8).limited(places), places));
        within(PATIENCE, move || scene(ThreadPool::new(places), places));
    }
}
