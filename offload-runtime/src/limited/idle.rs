//! Waiting until a view has nothing to do, as `pool/idle.rs` does for a pool: each critical section that finds nothing queued and no job
//! running wakes the waiting futures.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::runner::View;
use crate::executor::Executor;
use crate::job::{self, Guard, Queue};
use crate::sync::Arc;

/// Resolves when nothing is queued in the view and none of its jobs runs.
pub(super) struct Idle<E: Executor + 'static> {
    view: Arc<Queue<View<E>>>,
    /// The number under which its waker is registered.
    number: u64,
}

impl<E: Executor + 'static> Idle<E> {
    pub(super) fn of(view: &Arc<Queue<View<E>>>) -> Self {
        let number = view.lock().idlers.number();
        Self { view: Arc::clone(view), number }
    }
}

impl<E: Executor + 'static> Future for Idle<E> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let new = cx.waker().clone();
        // A job of the view that waits does not count itself.
        let own = usize::from(job::serves(Queue::id(&self.view)));
        let mut runners = self.view.lock();
        let is_idle = !runners.has_next() && runners.running <= own;
        runners.idles_inside |= own > 0 && !is_idle;
        let unused = if is_idle { Some(new) } else { runners.idlers.register(self.number, new) };
        // In this order: the waker is user code.
        drop((runners, unused));
        if is_idle { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl<E: Executor + 'static> Drop for Idle<E> {
    fn drop(&mut self) {
        let mut runners = self.view.lock();
        let waker = runners.idlers.remove(self.number);
        // In this order: the waker is user code.
        drop((runners, waker));
    }
}

/// Takes the futures that wait until nothing is queued or runs, if that may be so for one of them.
#[inline]
pub(super) fn take_idlers<E: Executor + 'static>(runners: &mut Guard<'_, View<E>>) -> Vec<Waker> {
    if runners.idlers.is_empty() || runners.has_next() || runners.running > usize::from(runners.idles_inside) {
        return Vec::new();
    }
    runners.idles_inside = false;
    runners.idlers.take()
}
