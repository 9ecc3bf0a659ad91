//! C10: on which thread an awaited job runs: in a view of a foreign executor, and in a pool
//! that has threads to spare; and what those threads leave behind.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};

use offload_runtime::{Executor, ExecutorExt, Job, Limited, ThreadPool, is_cancelled, on_cancel};
use tests::support::{Gate, Occupied, PATIENCE, eventually, finish, rayon_pool, tokio_runtime, within};

/// A job that blocks on a job that blocks on a job, all of one view.
fn deep<E>(view: &Limited<E>, depth: u32) -> u32
where
    E: Executor + 'static,
{
    if depth == 0 {
        return 0;
    }
    let inner = view.clone();
    1 + finish(view.submit(move || deep(&inner, depth - 1))).unwrap()
}

fn ten_deep_in_a_view<E: Executor + 'static>(view: Limited<E>) {
    assert_eq!(within(PATIENCE, move || deep(&view, 10)), 10);
}

#[test]
fn c10_a_view_of_rayon() {
    ten_deep_in_a_view(Arc::new(rayon_pool(1)).limited(1));
    ten_deep_in_a_view(Arc::new(rayon_pool(2)).limited(2));
}

#[test]
fn c10_a_view_of_tokio() {
    let runtime = tokio_runtime(1);
    ten_deep_in_a_view(runtime.handle().clone().limited(1));
}

/// An executor that gives each job a thread of its own, with or without a name.
struct ThreadPerJob(Option<&'static str>);

impl Executor for ThreadPerJob {
    fn execute(&self, job: Job) {
        let builder = std::thread::Builder::new();
        let builder = match self.0 {
            Some(name) => builder.name(name.to_owned()),
            None => builder,
        };
        drop(builder.spawn(|| job.run()).expect("a thread"));
    }
}

/// The thread that stands in for one that waits bears its name.
#[test]
fn c10_a_view_of_an_executor_of_ones_own() {
    for (name, expected) in [(Some("own"), "own"), (None, "offload")] {
        ten_deep_in_a_view(Limited::new(ThreadPerJob(name), 1));
        let view = Limited::new(ThreadPerJob(name), 1);
        let of_job = view.clone();
        let outer =
            view.submit(move || finish(of_job.submit(|| std::thread::current().name().map(str::to_owned))).unwrap());
        assert_eq!(finish(outer).unwrap().as_deref(), Some(expected));
    }
}

/// Where a job waits for one of another executor, that one's thread runs it, whatever its own is.
#[test]
fn c10_a_job_that_waits_for_another_executor_leaves_its_job_alone() {
    let (pool, other) =
        (ThreadPool::builder().thread_name("one").build(), ThreadPool::builder().thread_name("two").build());
    let of_job = other.clone();
    let outer =
        pool.submit(move || finish(of_job.submit(|| std::thread::current().name().map(str::to_owned))).unwrap());
    assert_eq!(finish(outer).unwrap().as_deref(), Some("two-0"));
}

fn name_of_this_thread() -> String {
    std::thread::current().name().expect("threads of a pool have names").to_owned()
}

/// A pool of three threads, of which only the first gets as far as its jobs until the door is open, and after that the third.
fn whose_second_thread_is_slow(gate: &Gate) -> ThreadPool {
    let door = gate.clone();
    let start = move || {
        if name_of_this_thread() == "offload-1" {
            door.pass();
        }
    };
    ThreadPool::builder().max_threads(3).on_thread_start(start).build()
}

/// The thread that was called for a job is slow to come. A job that waits for it does not stand aside for it: it calls another, since
/// the pool may have more.
#[test]
fn c10_a_job_that_is_waited_for_takes_a_thread_of_its_own_if_there_may_be_one() {
    let gate = Gate::closed();
    let pool = whose_second_thread_is_slow(&gate);
    let of_job = pool.clone();
    let outer = pool.submit(move || (name_of_this_thread(), finish(of_job.submit(name_of_this_thread)).unwrap()));
    assert_eq!(finish(outer).unwrap(), ("offload-0".to_owned(), "offload-2".to_owned()));
    gate.open();
}

/// In a view with one place the awaited job runs beside the one that waits, on a free thread of the pool.
#[test]
fn c10_an_awaited_job_of_a_view_runs_on_a_free_thread_of_the_pool() {
    let pool = ThreadPool::new(3);
    let view = pool.limited(1);
    let of_job = view.clone();
    let outer = view.submit(move || (name_of_this_thread(), finish(of_job.submit(name_of_this_thread)).unwrap()));
    let (outer, inner) = finish(outer).unwrap();
    assert_eq!(outer, "offload-0");
    // The second, or a third that was started while the second was in its hook.
    assert!(inner == "offload-1" || inner == "offload-2", "{inner}");
}

/// A thread that sleeps is woken for it, though one was called before and is on its way; or one that looks for work takes it.
#[test]
fn c10_a_job_that_is_waited_for_gets_a_thread_that_is_free() {
    let pool = ThreadPool::builder().max_threads(3).min_threads(3).build();
    for _ in 0..50 {
        Occupied::new(&pool, 3).release();
        // Then all sleep, or look for work before.
        eventually("all are free", || format!("{pool:?}").contains("running: 0"));
        let of_job = pool.clone();
        let outer = pool.submit(move || (name_of_this_thread(), finish(of_job.submit(name_of_this_thread)).unwrap()));
        let (outer, inner) = finish(outer).unwrap();
        assert_ne!(outer, inner, "a thread stood in, though others were free");
    }
    let figures = pool.metrics();
    assert_eq!(figures.completed(), figures.submitted(), "each is counted, on whichever thread it ran");
}

/// Destructors of the locals of a thread that stood in for another run outside its jobs.
#[test]
fn c02_destructors_of_a_threads_locals_are_in_no_job() {
    struct Asks(RefCell<Option<Sender<(bool, bool)>>>);
    impl Drop for Asks {
        fn drop(&mut self) {
            let ran = Arc::new(AtomicBool::new(false));
            let hook = Arc::clone(&ran);
            drop(on_cancel(move || hook.store(true, Ordering::SeqCst)));
            if let Some(answer) = self.0.take() {
                answer.send((is_cancelled(), ran.load(Ordering::SeqCst))).unwrap();
            }
        }
    }
    thread_local!(static LOCAL: Asks = const { Asks(RefCell::new(None)) });
    let pool = ThreadPool::new(1);
    let gate = Gate::closed();
    let (of_job, door, (answer, answers)) = (pool.clone(), gate.clone(), mpsc::channel());
    let outer = pool.submit(move || {
        let inner = of_job.submit(move || LOCAL.with(|local| *local.0.borrow_mut() = Some(answer)));
        finish(inner).unwrap();
        door.pass();
        is_cancelled()
    });
    gate.wait_for(1);
    outer.cancel();
    gate.open();
    assert!(finish(outer).unwrap(), "the job itself is cancelled");
    drop(pool); // its threads end
    assert_eq!(answers.recv_timeout(PATIENCE), Ok((false, false)));
}
