//! What other threads know of a worker, and which worker this thread is.

use std::cell::RefCell;

use crate::job::Shown;
use crate::sync::{Arc, Condvar, thread_local};
use crate::trace;

/// What other threads know of a worker.
pub(crate) struct Worker {
    pub(crate) name: String,
    /// Where it parks, with the queue's lock.
    pub(super) wake: Condvar,
    /// The job that it runs.
    pub(crate) shown: Shown,
}

thread_local! {
    /// The worker that this thread is.
    static CURRENT: RefCell<Option<Arc<Worker>>> = const { RefCell::new(None) };
}

/// The worker that this thread is.
pub(crate) fn current() -> Option<Arc<Worker>> {
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}

/// Makes this thread a worker of the pool of that name.
pub(super) fn become_worker(pool: &str, name: String) -> Arc<Worker> {
    trace::set_worker(pool, &name);
    let worker = Arc::new(Worker { name, wake: Condvar::new(), shown: Shown::new() });
    CURRENT.with(|current| *current.borrow_mut() = Some(Arc::clone(&worker)));
    worker
}
