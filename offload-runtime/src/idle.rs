//! Waiting until a pool or a view has nothing to do, without closing it.
//!
//! Jobs are taken, begin and end under the lock of their queue, or come to it when they have ended. So each critical section that finds nothing queued
//! and no job running wakes the waiting futures ([`Owner::settle`]).

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::job::{self, Guard, Owner, Queue};
use crate::sync::Arc;
use crate::wakers::Wakers;

/// The futures that wait until nothing is queued and no job runs. Guarded by the queue's lock.
#[derive(Default)]
pub(crate) struct Idlers {
    wakers: Wakers,
    /// A job of the queue may be one of them, and does not count itself.
    is_inside: bool,
}

/// What the lock of a queue guards, where callers may wait until it is idle.
pub(crate) trait Busy: Send {
    fn idlers(&mut self) -> &mut Idlers;

    /// How many jobs run.
    fn running(&self) -> usize;
}

impl Idlers {
    /// Takes the wakers of all, if one of them may have nothing to wait for any more.
    #[inline]
    pub(crate) fn take<P: Owner<Guarded: Busy>>(guard: &mut Guard<'_, P>) -> Vec<Waker> {
        let Self { wakers, is_inside } = guard.idlers();
        let own = usize::from(*is_inside);
        if wakers.is_empty() || guard.has_next() || guard.running() > own {
            return Vec::new();
        }
        let idlers = guard.idlers();
        idlers.is_inside = false;
        idlers.wakers.take()
    }
}

/// Resolves when nothing is queued and no job runs.
pub(crate) struct Idle<P: Owner<Guarded: Busy>> {
    queue: Arc<Queue<P>>,
    /// The number under which its waker is registered.
    number: u64,
}

impl<P: Owner<Guarded: Busy>> Idle<P> {
    pub(crate) fn of(queue: &Arc<Queue<P>>) -> Self {
        let number = queue.lock().idlers().wakers.number();
        Self { queue: Arc::clone(queue), number }
    }
}

impl<P: Owner<Guarded: Busy>> Future for Idle<P> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let new = cx.waker().clone();
        // A job that waits does not count itself.
        let own = usize::from(job::serves(Queue::id(&self.queue)));
        let mut guard = self.queue.lock();
        let is_idle = !guard.has_next() && guard.running() <= own;
        let idlers = guard.idlers();
        idlers.is_inside |= own > 0 && !is_idle;
        let unused = if is_idle { Some(new) } else { idlers.wakers.register(self.number, new) };
        // In this order: the waker is user code.
        drop((guard, unused));
        if is_idle { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl<P: Owner<Guarded: Busy>> Drop for Idle<P> {
    fn drop(&mut self) {
        let mut guard = self.queue.lock();
        let waker = guard.idlers().wakers.remove(self.number);
        // In this order: the waker is user code.
        drop((guard, waker));
    }
}
