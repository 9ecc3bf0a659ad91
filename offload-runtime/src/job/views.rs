//! All queues of the crate by their address, and from which queue a view gets its threads: asked when a handle is polled inside a job.
//!
//! The handle knows the address of the queue that its job is in, and must not follow it: the job may be taken out of the queue, and
//! the queue freed, at any moment. So queues are found by their address, in a table.

use std::collections::HashMap;
use std::ptr::NonNull;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError, Weak};

use super::cell::Header;
use super::head::Wait;
use crate::error::Error;
use crate::hooks::Stop;
use crate::sync::Arc;

/// The address of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct QueueId(pub(super) usize);

impl QueueId {
    pub(super) fn of(queue: &Arc<dyn AnyQueue>) -> Self {
        Self(Arc::as_ptr(queue).addr())
    }
}

/// A queue of whatever type.
pub(crate) trait AnyQueue: Send + Sync {
    /// What cancels all its running jobs.
    fn stop(&self) -> &Stop;

    /// As [`Owner::is_alone`](super::Owner::is_alone).
    fn is_alone(&self) -> bool;

    /// One more, or one less, of the threads that serve this queue waits for a job.
    fn wait(self: Arc<Self>, wait: Wait);

    /// A running job awaits the job: moves it before all jobs that are not awaited, if it is in this queue.
    ///
    /// # Safety
    /// The caller keeps the cell until the call returns.
    unsafe fn promote(self: Arc<Self>, header: NonNull<Header>);

    /// Takes the job out of this queue and refuses it, if it is here.
    ///
    /// # Safety
    /// The caller keeps the cell until the call returns.
    unsafe fn refuse(self: Arc<Self>, header: NonNull<Header>, why: &Error);
}

struct Entry {
    queue: Weak<dyn AnyQueue>,
    parent: Option<QueueId>,
}

// Not of `crate::sync`: a model's locks cannot be static. No model blocks on it, as no thread is suspended while it is held.
static QUEUES: LazyLock<Mutex<HashMap<QueueId, Entry>>> = LazyLock::new(Mutex::default);

fn queues() -> MutexGuard<'static, HashMap<QueueId, Entry>> {
    QUEUES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The queue that gives the view its threads, if it is a view of a pool or of a view.
pub(super) fn parent(view: QueueId) -> Option<QueueId> {
    queues().get(&view)?.parent
}

/// A running job awaits the job: moves it before all jobs that are not awaited, if it is in that queue.
///
/// # Safety
/// The caller keeps the cell until the call returns.
pub(super) unsafe fn promote(queue: QueueId, header: NonNull<Header>) {
    if let Some(queue) = find(queue) {
        // SAFETY: as promised.
        unsafe { queue.promote(header) };
    }
}

/// A running job awaits the job, which cannot run meanwhile: refuses it, if it is in that queue.
///
/// # Safety
/// The caller keeps the cell until the call returns.
pub(super) unsafe fn refuse(queue: QueueId, header: NonNull<Header>, why: &Error) {
    if let Some(queue) = find(queue) {
        // SAFETY: as promised.
        unsafe { queue.refuse(header, why) };
    }
}

fn find(queue: QueueId) -> Option<Arc<dyn AnyQueue>> {
    queues().get(&queue).and_then(|entry| entry.queue.upgrade())
}

/// The entry of one queue. Dropped with the queue, hence before another queue can have its address.
#[derive(Debug)]
pub(crate) struct Registration(QueueId);

impl Registration {
    pub(super) fn new(id: QueueId, queue: Weak<dyn AnyQueue>, parent: Option<QueueId>) -> Self {
        queues().insert(id, Entry { queue, parent });
        Self(id)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        queues().remove(&self.0);
    }
}
