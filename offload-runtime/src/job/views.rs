//! Which queues get their threads from which: asked when a handle is polled inside a job (C10).
//!
//! A job that waits for a job of a view of its own pool would wait for a thread of that pool. Whether it does has to be known before the
//! waiting job is claimed, when its queue may not be followed (I4): so by address, from a table beside the queues.

use std::sync::{Mutex, OnceLock, PoisonError};

/// The address of a queue's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueId(pub(super) usize);

/// A view, and the queue of the executor that it gives its jobs to.
type Entry = (QueueId, QueueId);

// Not of `crate::sync`: a model's locks cannot be static. No model blocks on it, as none is suspended while it is held.
static VIEWS: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

/// Where the view with that id gets its threads, if that is a queue of this crate.
pub(super) fn parent(view: QueueId) -> Option<QueueId> {
    let views = VIEWS.lock().unwrap_or_else(PoisonError::into_inner);
    views.iter().find(|(known, _)| *known == view).map(|(_, parent)| *parent)
}

/// The entry of one view, taken out when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Registration(OnceLock<QueueId>);

impl Registration {
    pub(crate) fn enter(&self, view: QueueId, parent: QueueId) {
        if self.0.set(view).is_ok() {
            VIEWS.lock().unwrap_or_else(PoisonError::into_inner).push((view, parent));
        }
    }

    /// To be called, or dropped, while the view has its address.
    pub(crate) fn leave(&mut self) {
        if let Some(view) = self.0.take() {
            VIEWS.lock().unwrap_or_else(PoisonError::into_inner).retain(|(known, _)| *known != view);
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_left_takes_no_other_out() {
        let (view, parent_of_first, parent_of_second) = (QueueId(1), QueueId(2), QueueId(3));
        let (mut first, second) = (Registration::default(), Registration::default());
        first.enter(view, parent_of_first);
        assert_eq!(parent(view), Some(parent_of_first));
        first.leave();
        second.enter(view, parent_of_second);
        drop(first);
        assert_eq!(parent(view), Some(parent_of_second));
        drop(second);
        assert_eq!(parent(view), None);
    }
}
