//! Bad input, by name: each is answered by an error or a panic that says what is wrong.
//!
//! One more, the system refusing a thread while others exist, takes a process that is short of memory: `tests/faults/spawn.rs`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

use offload_runtime::{Error, Executor, ExecutorExt, Inline, Job, Limited, ThreadPool};
use tests::support::{Keeping, Occupied, finish, panic_message, poll_once, silence};

#[test]
fn zero_and_nonsense_are_panics_that_name_the_method() {
    assert!(panic_message(|| ThreadPool::new(0)).starts_with("`ThreadPool::new`: "));
    assert!(panic_message(|| ThreadPool::builder().max_threads(0)).starts_with("`ThreadPoolBuilder::max_threads`: "));
    assert!(panic_message(|| Inline.limited(0)).starts_with("`ExecutorExt::limited`: "));
    assert!(panic_message(|| Limited::new(Inline, 0)).starts_with("`Limited::new`: "));
    assert!(panic_message(|| Limited::builder(Inline).limit(0)).starts_with("`LimitedBuilder::limit`: "));
    let pool = ThreadPool::new(1);
    assert!(panic_message(|| pool.set_max_threads(0)).starts_with("`ThreadPool::set_max_threads`: "));
    assert!(panic_message(|| pool.limited(1).set_limit(0)).starts_with("`Limited::set_limit`: "));
    let zero_byte = panic_message(|| ThreadPool::builder().thread_name("a\0b"));
    assert!(zero_byte.starts_with("`ThreadPoolBuilder::thread_name`: "));
    let view = Inline.limited(1);
    let clone = view.clone();
    assert!(panic_message(|| view.queue_capacity(1)).starts_with("`Limited::queue_capacity` "));
    drop(clone);
    let mut handle = Inline.submit(|| 1);
    assert!(poll_once(&mut handle, Waker::noop()).is_ready());
    let polled_again = panic_message(|| poll_once(&mut handle, Waker::noop()));
    assert_eq!(polled_again, "`JobHandle` polled after it returned its result");
}

#[test]
fn without_any_thread_a_refused_thread_is_error_spawn() {
    let pool = ThreadPool::builder().stack_size(1 << 60).build();
    let error = finish(pool.submit(|| ())).unwrap_err();
    assert!(matches!(error, Error::Spawn(_)), "{error:?}");
    assert_eq!(error.to_string(), "no thread or process could be started for the job");
    // Every one of several that came together is refused, none is left behind.
    let handles: Vec<_> = (0..10).map(|_| pool.submit(|| ())).collect();
    assert!(handles.into_iter().all(|handle| matches!(finish(handle), Err(Error::Spawn(_)))));
}

#[test]
fn submitting_after_close_is_error_shut_down() {
    let pool = ThreadPool::new(1);
    pool.close();
    assert!(matches!(finish(pool.submit(|| ())), Err(Error::ShutDown)));
}

#[test]
fn a_full_queue_is_error_queue_full_at_once() {
    let pool = ThreadPool::builder().max_threads(1).queue_capacity(0).build();
    let occupied = Occupied::new(&pool, 1);
    let refused = pool.submit(|| ());
    assert!(refused.is_finished());
    assert!(matches!(finish(refused), Err(Error::QueueFull)));
    occupied.release();
}

/// Drops what it is given.
struct Dropping;

impl Executor for Dropping {
    fn execute(&self, job: Job) {
        drop(job);
    }
}

#[test]
fn a_job_that_a_foreign_executor_drops_is_error_lost() {
    assert!(matches!(finish(Dropping.submit(|| ())), Err(Error::Lost)));
    let executor = Keeping::default();
    let handle = executor.submit(|| ());
    let _ = catch_unwind(AssertUnwindSafe(move || {
        let _executor = executor;
        std::panic::resume_unwind(Box::new(()));
    }));
    assert!(matches!(finish(handle), Err(Error::Lost)), "also where its executor unwinds");
}

/// Panics when it is dropped.
struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        panic!("on purpose, in `drop`");
    }
}

#[test]
fn a_captured_value_whose_drop_panics_kills_no_worker() {
    silence();
    let pool = ThreadPool::new(1);
    // Dropped by the body: that is a panic of the job.
    let value = PanicsOnDrop;
    assert!(matches!(finish(pool.submit(move || drop(value))), Err(Error::Panicked(_))));
    // Dropped by the thread that cancels or refuses: the panic goes no further.
    let occupied = Occupied::new(&pool, 1);
    let value = PanicsOnDrop;
    let cancelled = pool.submit(move || drop(value));
    cancelled.cancel();
    assert!(matches!(finish(cancelled), Err(Error::Cancelled)));
    let value = PanicsOnDrop;
    drop(pool.submit(move || drop(value)));
    occupied.release();
    assert_eq!(finish(pool.submit(|| 1)).unwrap(), 1);
    pool.close();
    let value = PanicsOnDrop;
    assert!(matches!(finish(pool.submit(move || drop(value))), Err(Error::ShutDown)));
}

#[test]
fn an_unawaited_result_whose_drop_panics_kills_no_worker() {
    silence();
    let pool = ThreadPool::new(1);
    let home = finish(pool.submit(|| std::thread::current().id())).unwrap();
    pool.submit(|| PanicsOnDrop).detach();
    // A panic whose payload panics in turn.
    pool.submit(|| std::panic::panic_any(PanicsOnDrop)).detach();
    assert_eq!(finish(pool.submit(|| std::thread::current().id())).unwrap(), home, "the same thread");
    let handle = pool.submit(|| PanicsOnDrop);
    tests::support::eventually("the job ends", || handle.is_finished());
    drop(handle); // on this thread, which does not panic
}
