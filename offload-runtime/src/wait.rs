//! Waiting for a future on a thread that may block, by a waker that unparks it; and waking waiters.

use std::task::{Poll, Wake, Waker};
use std::time::{Duration, Instant};

use crate::sync::{Arc, thread};
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

/// Wakes them. Called without a lock, as wakers are user code.
#[inline]
pub(crate) fn wake(wakers: Vec<Waker>) {
    for waker in wakers {
        contain(|| waker.wake());
    }
}
