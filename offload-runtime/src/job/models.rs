//! Loom models of the cell: complete, poll, drop, cancel, detach, refuse, hooks, cancellers, in every order.
//!
//! Each model checks that captures and results are dropped exactly once ([`Token`]), that no cell is left
//! ([`assert_no_cell_is_left`]), and that the handle resolves. Run by `ci/loom.sh`, which prints how many interleavings each explored.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use loom::future::block_on;
use loom::thread;

use super::count::assert_no_cell_is_left;
use super::{Job, JobHandle, Origin, Unjudged, current, pair_for};
use crate::cancel::{is_cancelled, on_cancel};
use crate::context::CallerContext;
use crate::error::Error;

/// Explores `model` with at most `preemptions` preemptions (`None`: all interleavings) and prints how many there were.
#[track_caller]
pub(crate) fn explore(name: &str, preemptions: Option<usize>, model: impl Fn() + Sync + Send + 'static) {
    let explored = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&explored);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.max_branches = 20_000;
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

/// How a handle ends.
pub(super) type End = fn(JobHandle<Token>);

pub(super) fn job<F, T>(f: F) -> (Job, JobHandle<T>)
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let origin = Origin::of_caller();
    pair_for(origin, f, Unjudged, CallerContext::of(origin))
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
    explore("complete and poll with two wakers", Some(3), || {
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
    explore("two cancels and complete", Some(2), || {
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
    explore("cancel while the waker is registered", Some(3), || {
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
    explore("cancel and a body that looks", Some(3), || {
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

/// A canceller at work has borrowed the handle's bit: the handle leaves it to the canceller, or the canceller finds the handle gone.
#[test]
fn a_canceller_and_a_handle_that_leaves() {
    let ends: [(&str, End); 3] = [
        ("is dropped", |handle| drop(handle)),
        ("is detached", |handle| handle.detach()),
        ("is cancelled", |handle| handle.cancel()),
    ];
    for (name, end) in ends {
        explore(&format!("a canceller, and a handle that {name}"), Some(2), move || {
            let tokens = Tokens::default();
            let (job, mut handle) = token_job(&tokens);
            let canceller = handle.canceller();
            assert!(poll_once(&tokens, &mut handle).is_pending());
            let worker = thread::spawn(move || job.run());
            let cancels = thread::spawn(move || canceller.cancel());
            end(handle);
            worker.join().unwrap();
            cancels.join().unwrap();
        });
    }
}

#[test]
fn a_canceller_and_a_handle_that_is_awaited() {
    explore("a canceller, and a handle that is awaited", Some(1), || {
        let tokens = Tokens::default();
        let (job, handle) = token_job(&tokens);
        let canceller = handle.canceller();
        let worker = thread::spawn(move || job.run());
        let cancels = thread::spawn(move || canceller.cancel());
        assert!(matches!(block_on(handle), Ok(_) | Err(Error::Cancelled)));
        cancels.join().unwrap();
        worker.join().unwrap();
    });
}

/// Without an executor in the way: every order of the two.
#[test]
fn a_canceller_alone_with_the_handle() {
    let ends: [(&str, End); 3] = [
        ("is dropped", |handle| drop(handle)),
        ("is detached", |handle| handle.detach()),
        ("returns its result", |handle| assert!(block_on(handle).is_ok())),
    ];
    for (name, end) in ends {
        explore(&format!("a canceller of a job that has ended, and a handle that {name}"), None, move || {
            let tokens = Tokens::default();
            let (job, handle) = token_job(&tokens);
            job.run();
            let canceller = handle.canceller();
            let cancels = thread::spawn(move || canceller.cancel());
            end(handle);
            cancels.join().unwrap();
        });
    }
}

#[test]
fn two_cancellers_of_one_job() {
    explore("two cancellers and a handle that is dropped", Some(2), || {
        let tokens = Tokens::default();
        let (job, handle) = token_job(&tokens);
        let cancellers = [handle.canceller(), handle.canceller()];
        let cancel = cancellers.map(|canceller| thread::spawn(move || canceller.cancel()));
        drop(handle);
        for canceller in cancel {
            canceller.join().unwrap();
        }
        assert!(job.is_cancelled());
        job.run();
    });
}

/// The inner job runs until it is cancelled, so the model ends only if it is told.
#[test]
fn cancelling_a_job_reaches_the_job_that_it_awaits() {
    explore("cancel of a job that awaits another", Some(1), || {
        let tokens = Tokens::default();
        let inner_token = tokens.new_one();
        let (outer, handle) = job(move || {
            let (inner, handle) = job(move || {
                let _token = inner_token;
                while !is_cancelled() {
                    thread::yield_now();
                }
            });
            let worker = thread::spawn(move || inner.run());
            let result = block_on(handle);
            worker.join().unwrap();
            result
        });
        let worker = thread::spawn(move || outer.run());
        handle.cancel();
        assert!(matches!(block_on(handle), Ok(Ok(()) | Err(Error::Cancelled)) | Err(Error::Cancelled)));
        worker.join().unwrap();
    });
}

/// The guard waits for a callback that runs on another thread.
#[test]
fn a_callback_has_returned_when_its_guard_is_gone() {
    explore("a guard that is dropped while its callback runs", Some(3), || {
        let inside = Arc::new(AtomicUsize::new(0));
        let (job, handle) = job(move || {
            let running = Arc::clone(&inside);
            let guard = on_cancel(move || {
                running.store(1, Ordering::SeqCst);
                thread::yield_now();
                running.store(0, Ordering::SeqCst);
            });
            drop(guard);
            assert_eq!(inside.load(Ordering::SeqCst), 0, "the callback still runs");
        });
        let worker = thread::spawn(move || job.run());
        handle.cancel();
        assert!(matches!(block_on(handle), Ok(()) | Err(Error::Cancelled)));
        worker.join().unwrap();
    });
}
