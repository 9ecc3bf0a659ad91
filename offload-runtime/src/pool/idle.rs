//! Waiting until a pool has nothing to do, without closing it.
//!
//! Jobs are taken, begin and end under the lock, or come to it when they have ended: so each critical section that finds nothing queued and no job
//! running wakes the waiting futures (`Owner::settle`).

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::shutdown::is_worker_of;
use super::state::Pool;
use crate::job::Queue;
use crate::sync::Arc;

/// Resolves when nothing is queued and no job runs.
pub(super) struct Idle {
    queue: Arc<Queue<Pool>>,
    /// The number under which its waker is registered.
    number: u64,
}

impl Idle {
    pub(super) fn of(queue: &Arc<Queue<Pool>>) -> Self {
        let number = queue.lock().idlers.number();
        Self { queue: Arc::clone(queue), number }
    }
}

impl Future for Idle {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let new = cx.waker().clone();
        let mut state = self.queue.lock();
        let own = usize::from(is_worker_of(&state));
        let is_idle = !state.has_next() && state.running() <= own;
        state.idles_inside |= own > 0 && !is_idle;
        let unused = if is_idle { Some(new) } else { state.idlers.register(self.number, new) };
        // In this order: the waker is user code.
        drop((state, unused));
        if is_idle { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        let waker = state.idlers.remove(self.number);
        // In this order: the waker is user code.
        drop((state, waker));
    }
}
