//! Loom models of the cell: complete, poll, drop, cancel, detach, refuse, hooks, in every order.
//!
//! Each model checks that what was captured and what was returned is dropped exactly once ([`Token`]), that no cell is left
//! ([`count_cells`]), and that the handle resolves. Run by `ci/loom.sh`, which prints how many interleavings each explored.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use loom::future::block_on;
use loom::thread;

use super::{Job, JobHandle, Origin, cell, current};
use crate::cancel::{is_cancelled, on_cancel};
use crate::context::Call;
use crate::error::Error;

std::thread_local! {
    /// Cells that are allocated. loom runs all threads of a model on the test's own.
    static CELLS: std::cell::Cell<isize> = const { std::cell::Cell::new(0) };
}

std::thread_local! {
    /// Whether each job that is posted is the one of many after which the inbox is looked after.
    static DUE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
    /// Whether jobs are expected to be short, which takes a hundred of them to learn.
    static SHORT: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
    /// Whether callers are expected to be rare, so that nobody looks for work before sleeping.
    static RARE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// In a model chance would have it that no two explorations are alike.
pub(super) fn is_due() -> bool {
    DUE.get()
}

pub(crate) fn are_jobs_short() -> bool {
    SHORT.get()
}

/// Learnt from the clock, which no two explorations would see alike.
pub(crate) fn patience() -> Duration {
    Duration::from_nanos(u64::from(!RARE.get()))
}

/// Sets a flag of the above for as long as it lives.
struct Set(&'static std::thread::LocalKey<std::cell::Cell<bool>>);

impl Set {
    fn new(flag: &'static std::thread::LocalKey<std::cell::Cell<bool>>) -> Self {
        flag.set(true);
        Self(flag)
    }
}

impl Drop for Set {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// Each job that is posted looks after the inbox, from here on.
pub(crate) fn each_is_due() -> impl Drop {
    Set::new(&DUE)
}

/// All jobs are expected to be short, from here on.
pub(crate) fn expect_short_jobs() -> impl Drop {
    Set::new(&SHORT)
}

/// Callers are expected to be rare, from here on.
pub(crate) fn expect_rare_calls() -> impl Drop {
    Set::new(&RARE)
}

/// Notes that `change` cells more are allocated.
pub(super) fn count_cells(change: isize) {
    CELLS.set(CELLS.get() + change);
}

fn assert_no_cell_is_left() {
    assert_eq!(CELLS.get(), 0, "a cell was leaked, or freed twice");
}

/// Explores `model` with at most `preemptions` preemptions (`None`: all interleavings) and prints how many there were.
#[track_caller]
pub(crate) fn explore(name: &str, preemptions: Option<usize>, model: impl Fn() + Sync + Send + 'static) {
    let explored = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&explored);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.check(move || {
        count.fetch_add(1, Ordering::SeqCst);
        // Threads that the model leaves behind end after it: what they left is seen before the next one.
        assert_no_cell_is_left();
        model();
    });
    assert_no_cell_is_left();
    println!("{name}: {} interleavings", explored.load(Ordering::SeqCst));
}

/// Counts how many of its kind are alive; `Tokens` checks that none is in the end.
pub(crate) struct Token(Arc<AtomicIsize>);

#[derive(Default)]
pub(crate) struct Tokens(Arc<AtomicIsize>);

impl Tokens {
    pub(crate) fn new_one(&self) -> Token {
        self.0.fetch_add(1, Ordering::SeqCst);
        Token(Arc::clone(&self.0))
    }

    pub(crate) fn alive(&self) -> isize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Tokens {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.alive(), 0, "a value was leaked, or dropped twice");
        }
    }
}

pub(super) fn job<F, T>(f: F) -> (Job, JobHandle<T>)
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let origin = Origin::of_caller();
    cell::observed(origin, Call::new(origin, f))
}

/// A job that captures a token and returns another.
pub(super) fn token_job(tokens: &Tokens) -> (Job, JobHandle<Token>) {
    let (captured, returned) = (tokens.new_one(), tokens.new_one());
    job(move || {
        drop(captured);
        returned
    })
}

/// Polls once with a waker of which only the cell has a reference.
fn poll_once<T>(tokens: &Tokens, handle: &mut JobHandle<T>) -> Poll<Result<T, Error>> {
    struct Counted(#[expect(dead_code, reason = "counted")] Token);
    impl Wake for Counted {
        fn wake(self: Arc<Self>) {}
    }
    let waker = Waker::from(Arc::new(Counted(tokens.new_one())));
    pin!(handle).poll(&mut Context::from_waker(&waker))
}

#[test]
fn complete_and_poll() {
    explore("complete and poll", None, || {
        let tokens = Tokens::default();
        let (job, handle) = token_job(&tokens);
        let worker = thread::spawn(move || job.run());
        let output = block_on(handle).unwrap();
        assert_eq!(tokens.alive(), 1, "what was captured outlives the await");
        drop(output);
        worker.join().unwrap();
    });
}

#[test]
fn complete_and_poll_with_two_wakers() {
    explore("complete and poll with two wakers", None, || {
        let tokens = Tokens::default();
        let (job, handle) = token_job(&tokens);
        let worker = thread::spawn(move || job.run());
        let mut handle = handle;
        match poll_once(&tokens, &mut handle) {
            Poll::Ready(output) => drop(output.unwrap()),
            Poll::Pending => drop(block_on(handle).unwrap()),
        }
        worker.join().unwrap();
    });
}

#[test]
fn complete_and_drop_of_the_handle() {
    explore("complete and drop", None, || {
        let tokens = Tokens::default();
        let (job, handle) = token_job(&tokens);
        let worker = thread::spawn(move || job.run());
        drop(handle);
        worker.join().unwrap();
    });
}

#[test]
fn complete_and_drop_after_a_poll() {
    explore("complete and drop after a poll", None, || {
        let tokens = Tokens::default();
        let (job, mut handle) = token_job(&tokens);
        let worker = thread::spawn(move || job.run());
        let polled = poll_once(&tokens, &mut handle);
        drop(polled);
        drop(handle);
        worker.join().unwrap();
    });
}

#[test]
fn complete_and_detach() {
    explore("complete and detach", None, || {
        let tokens = Tokens::default();
        let (job, mut handle) = token_job(&tokens);
        let worker = thread::spawn(move || job.run());
        if poll_once(&tokens, &mut handle).is_pending() {
            handle.detach();
        }
        worker.join().unwrap();
    });
}

#[test]
fn complete_and_cancel_then_await() {
    explore("complete and cancel, then await", None, || {
        let tokens = Tokens::default();
        let (job, handle) = token_job(&tokens);
        let worker = thread::spawn(move || job.run());
        handle.cancel();
        match block_on(handle) {
            Ok(output) => drop(output),
            Err(Error::Cancelled) => assert_eq!(tokens.alive(), 0),
            Err(other) => panic!("{other}"),
        }
        worker.join().unwrap();
    });
}

#[test]
fn cancel_and_cancel_and_complete() {
    explore("two cancels and complete", Some(3), || {
        let tokens = Tokens::default();
        let (job, handle) = token_job(&tokens);
        let handle = Arc::new(handle);
        let other = Arc::clone(&handle);
        let worker = thread::spawn(move || job.run());
        let canceller = thread::spawn(move || other.cancel());
        handle.cancel();
        canceller.join().unwrap();
        let handle = Arc::into_inner(handle).unwrap();
        assert!(matches!(block_on(handle), Ok(_) | Err(Error::Cancelled)));
        worker.join().unwrap();
    });
}

#[test]
fn cancel_wakes_an_await_elsewhere() {
    explore("cancel while the waker is registered", None, || {
        let tokens = Tokens::default();
        let (job, mut handle) = token_job(&tokens);
        let worker = thread::spawn(move || job.run());
        let polled = poll_once(&tokens, &mut handle);
        if polled.is_pending() {
            handle.cancel();
            drop(block_on(handle));
        }
        worker.join().unwrap();
    });
}

#[test]
fn lost_and_poll() {
    explore("lost and poll", None, || {
        let tokens = Tokens::default();
        let (job, handle) = token_job(&tokens);
        let worker = thread::spawn(move || drop(job));
        assert!(matches!(block_on(handle), Err(Error::Lost)));
        assert_eq!(tokens.alive(), 0);
        worker.join().unwrap();
    });
}

#[test]
fn refused_and_dropped() {
    explore("refused and dropped", None, || {
        let tokens = Tokens::default();
        let (job, handle) = token_job(&tokens);
        let worker = thread::spawn(move || job.refuse(Error::QueueFull));
        drop(handle);
        worker.join().unwrap();
    });
}

#[test]
fn cancel_reaches_the_body() {
    explore("cancel and a body that looks", None, || {
        let (job, handle) = job(|| (is_cancelled(), current(|_| ()).is_some()));
        let worker = thread::spawn(move || job.run());
        handle.cancel();
        match block_on(handle) {
            Ok((_, inside)) => assert!(inside),
            Err(error) => assert!(matches!(error, Error::Cancelled)),
        }
        worker.join().unwrap();
    });
}

#[test]
fn a_hook_runs_once_or_never() {
    explore("a hook and a cancel", Some(3), || {
        let tokens = Tokens::default();
        let ran = Arc::new(AtomicUsize::new(0));
        let (seen, token) = (Arc::clone(&ran), tokens.new_one());
        let (job, handle) = job(move || {
            let count = Arc::clone(&seen);
            let guard = on_cancel(move || {
                let _token = token;
                count.fetch_add(1, Ordering::SeqCst);
            });
            drop(guard);
            // Whether it ran is decided once the guard is gone.
            seen.load(Ordering::SeqCst)
        });
        let worker = thread::spawn(move || job.run());
        handle.cancel();
        match block_on(handle) {
            Ok(seen) => assert_eq!(seen, ran.load(Ordering::SeqCst)),
            Err(_) => assert_eq!(ran.load(Ordering::SeqCst), 0),
        }
        assert!(ran.load(Ordering::SeqCst) <= 1);
        worker.join().unwrap();
    });
}

#[test]
fn a_hook_that_comes_after_the_cancellation_runs_at_once() {
    explore("a hook after the flag", Some(3), || {
        let ran = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&ran);
        let (job, handle) = job(move || {
            let cancelled = is_cancelled();
            let hook = Arc::clone(&count);
            let guard = on_cancel(move || {
                hook.fetch_add(1, Ordering::SeqCst);
            });
            let after = count.load(Ordering::SeqCst);
            drop(guard);
            assert!(!cancelled || after == 1, "the flag was seen, and the hook did not run");
        });
        let worker = thread::spawn(move || job.run());
        handle.cancel();
        match block_on(handle) {
            Ok(()) | Err(Error::Cancelled) => {}
            Err(other) => panic!("{other}"),
        }
        worker.join().unwrap();
        assert!(ran.load(Ordering::SeqCst) <= 1);
    });
}
