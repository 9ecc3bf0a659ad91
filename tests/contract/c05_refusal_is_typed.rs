//! C5: refusal is typed: `Error` says why; no job is silently lost, thread-spawn failure included.
//!
//! A thread that the system refuses while others exist is in `tests/faults`, since it takes a process with little memory.

use std::error::Error as _;
use std::{fmt, io};

use offload_runtime::{Error, Executor, ExecutorExt, Job, Limited, ThreadPool};
use tests::support::{Keeping, Occupied, Tokens, eventually, finish, silence, tokio_runtime};

/// More stack than there are addresses: no system has such a thread.
const NO_SUCH_STACK: usize = 1 << 60;

#[test]
fn c05_a_closed_pool_refuses_as_shut_down() {
    let pool = ThreadPool::new(1);
    let tokens = Tokens::new();
    pool.close();
    pool.close(); // again changes nothing
    let token = tokens.token();
    let handle = pool.submit(move || drop(token));
    assert!(handle.is_finished(), "at once");
    assert_eq!(tokens.alive(), 0, "what it captured is gone before its handle knows");
    assert!(matches!(finish(handle), Err(Error::ShutDown)));
}

#[test]
fn c05_a_full_queue_refuses_at_once_and_only_what_is_beyond_it() {
    let pool = ThreadPool::builder().max_threads(2).queue_capacity(3).build();
    let occupied = Occupied::new(&pool, 2);
    let queued: Vec<_> = (0..3).map(|i| pool.submit(move || i)).collect();
    let refused = pool.submit(|| 9);
    assert!(refused.is_finished());
    assert!(matches!(finish(refused), Err(Error::QueueFull)));
    occupied.release();
    assert_eq!(queued.into_iter().map(|handle| finish(handle).unwrap()).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(finish(pool.submit(|| 4)).unwrap(), 4, "there is room again");
}

#[test]
fn c05_a_capacity_of_nothing_still_takes_what_its_threads_can() {
    let pool = ThreadPool::builder().max_threads(2).queue_capacity(0).build();
    let occupied = Occupied::new(&pool, 2);
    assert!(matches!(finish(pool.submit(|| ())), Err(Error::QueueFull)));
    occupied.release();
}

#[test]
fn c05_a_full_view_refuses_and_its_executor_does_not() {
    let pool = ThreadPool::new(2);
    let view = pool.clone().limited(1).queue_capacity(1);
    let occupied = Occupied::new(&view, 1);
    let queued = view.submit(|| 1);
    assert!(matches!(finish(view.submit(|| 2)), Err(Error::QueueFull)));
    assert_eq!(finish(pool.submit(|| 3)).unwrap(), 3);
    occupied.release();
    assert_eq!(finish(queued).unwrap(), 1);
}

#[test]
fn c05_a_thread_that_cannot_be_had_refuses_the_job_that_needs_it() {
    let pool = ThreadPool::builder().stack_size(NO_SUCH_STACK).build();
    let tokens = Tokens::new();
    for _ in 0..3 {
        let token = tokens.token();
        let handle = pool.submit(move || drop(token));
        let error = finish(handle).unwrap_err();
        assert!(matches!(error, Error::Spawn(_)), "{error:?}");
        assert!(error.source().is_some(), "the system's reason is inside");
        assert_eq!(tokens.alive(), 0);
    }
    finish(pool.shutdown()); // no thread is counted that is not there
}

#[test]
fn c05_a_view_passes_its_executors_reason_on() {
    let nowhere = ThreadPool::builder().stack_size(NO_SUCH_STACK).build().limited(2);
    assert!(matches!(finish(nowhere.submit(|| ())), Err(Error::Spawn(_))));
    let closed = ThreadPool::new(1).limited(2);
    closed.executor().close();
    assert!(matches!(finish(closed.submit(|| ())), Err(Error::ShutDown)));
    let full = ThreadPool::builder().max_threads(1).queue_capacity(0).build();
    let occupied = Occupied::new(&full, 1);
    let view = full.clone().limited(1);
    assert!(matches!(finish(view.submit(|| ())), Err(Error::QueueFull)));
    occupied.release();
    eventually("the view recovers with its executor", || finish(view.submit(|| 1)).is_ok());
}

#[test]
fn c05_what_waits_in_a_view_learns_why_its_executor_stops() {
    let pool = ThreadPool::new(1);
    let view = pool.clone().limited(1);
    let occupied = Occupied::new(&pool, 1);
    let waiting: Vec<_> = (0..3).map(|_| view.submit(|| ())).collect();
    drop(pool.shutdown_now());
    for handle in waiting {
        assert!(matches!(finish(handle), Err(Error::ShutDown)));
    }
    occupied.release();
}

#[test]
fn c05_a_job_that_an_executor_drops_is_lost() {
    let executor = Keeping::default();
    let tokens = Tokens::new();
    let token = tokens.token();
    let handle = executor.submit(move || drop(token));
    assert!(!handle.is_finished());
    drop(executor);
    assert_eq!(tokens.alive(), 0);
    assert!(matches!(finish(handle), Err(Error::Lost)));
}

#[test]
fn c05_a_job_that_an_executor_refuses_has_its_reason() {
    struct Refusing;
    impl Executor for Refusing {
        fn execute(&self, job: Job) {
            job.refuse(Error::Spawn(io::Error::other("no room here")));
        }
    }
    let Err(Error::Spawn(reason)) = finish(Refusing.submit(|| ())) else { panic!("another reason") };
    assert_eq!(reason.to_string(), "no room here");
    // A view that has several jobs waiting gives each the reason.
    let Err(Error::Spawn(reason)) = finish(Limited::new(Refusing, 1).submit(|| ())) else { panic!("another reason") };
    assert_eq!(reason.to_string(), "no room here");
}

/// tokio decides what becomes of the jobs that wait: a thread that comes from other work runs them before it looks at the shutdown, others
/// drop them.
/// Each of them resolves, whichever it is; what comes later is lost for certain.
/// The reason may hold a value of the user's, which no caller takes.
#[test]
fn c05_to_refuse_a_cancelled_job_does_not_panic() {
    #[derive(Debug)]
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }
    impl fmt::Display for Panics {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("no thread")
        }
    }
    impl std::error::Error for Panics {}

    silence();
    let executor = Keeping::default();
    drop(executor.submit(|| ()));
    let job = executor.0.lock().unwrap().pop().unwrap();
    job.refuse(Error::Spawn(io::Error::other(Panics)));
}

#[test]
fn c05_a_tokio_runtime_that_is_shut_down_leaves_no_handle_pending() {
    let runtime = tokio_runtime(1);
    let handle_of = runtime.handle().clone();
    let occupied = Occupied::new(&handle_of, 1);
    let tokens = Tokens::new();
    let queued: Vec<_> = (0..3).map(|_| tokens.token()).map(|token| handle_of.submit(move || drop(token))).collect();
    runtime.shutdown_background();
    let token = tokens.token();
    assert!(matches!(finish(handle_of.submit(move || drop(token))), Err(Error::Lost)));
    occupied.release();
    for handle in queued {
        let result = finish(handle);
        assert!(matches!(result, Ok(()) | Err(Error::Lost)), "{result:?}");
    }
    assert_eq!(tokens.alive(), 0);
}

#[test]
#[should_panic(expected = "`ThreadPool::new`: a pool needs at least one thread")]
fn c05_zero_threads_panic_in_new() {
    let _ = ThreadPool::new(0);
}

#[test]
#[should_panic(expected = "`ThreadPoolBuilder::max_threads`: a pool needs at least one thread")]
fn c05_zero_threads_panic_in_the_builder() {
    let _ = ThreadPool::builder().max_threads(0);
}

#[test]
#[should_panic(expected = "`ExecutorExt::limited`: a view needs to run at least one job at once")]
fn c05_zero_places_panic_in_limited() {
    let _ = ThreadPool::new(1).limited(0);
}
