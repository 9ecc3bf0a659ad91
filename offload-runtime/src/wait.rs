//! Waiting for a future on a thread that may block, by a waker that unparks it; threads that must not wait; and waking waiters.

use std::cell::Cell;
use std::task::{Poll, Wake, Waker};
use std::time::{Duration, Instant};

use crate::sync::{Arc, thread, thread_local};
use crate::unwind::contain;

/// A waker for a thread that waits.
struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls on this thread until there is a result, which it returns, or for `timeout` at most. It polls at least once.
pub(crate) fn block_on<T>(timeout: Option<Duration>, mut poll: impl FnMut(&Waker) -> Poll<T>) -> Option<T> {
    // A time that is out of range does not end.
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        if let Poll::Ready(result) = poll(&waker) {
            return Some(result);
        }
        match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
            None => thread::park(),
            Some(Duration::ZERO) => return None,
            Some(left) => thread::park_timeout(left),
        }
    }
}

thread_local! {
    /// Whether this thread runs a job in the place of the code that awaits it.
    static STANDS_IN: Cell<bool> = const { Cell::new(false) };
}

/// Runs a job in the place of the code that awaits it, on its thread: what this job would wait for comes only when it has ended.
#[cfg(feature = "testing")]
pub(crate) fn standing_in<R>(job: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            let _ = STANDS_IN.try_with(|stands_in| stands_in.set(self.0));
        }
    }
    let _restore = Restore(STANDS_IN.try_with(|stands_in| stands_in.replace(true)).unwrap_or(false));
    job()
}

/// Whether this thread runs a job in the place of the code that awaits it.
pub(crate) fn stands_in() -> bool {
    STANDS_IN.try_with(Cell::get).unwrap_or(false)
}

/// Wakes them. Called without a lock, as wakers are user code.
#[inline]
pub(crate) fn wake(wakers: Vec<Waker>) {
    for waker in wakers {
        contain(|| waker.wake());
    }
}
