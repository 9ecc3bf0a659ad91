//! What a job knows of the queue that refers to it: the head, by which the queue's own type is found.

use std::ptr::NonNull;

use super::cell::Header;

/// The part of a queue that does not depend on its owner. The first field of the queue, so that a pointer to it is one to the queue.
pub(crate) struct Head {
    /// Unlinks a job that the caller has claimed to cancel. `true`: the job's `JOB` bit is the caller's now; `false`: another thread
    /// is about to put the job into the queue, and the `JOB` bit stays with it.
    ///
    /// Safety: the caller has claimed the job while it was linked in this queue, and keeps the cell.
    pub(super) unlink: unsafe fn(NonNull<Head>, NonNull<Header>) -> bool,
}

/// Whether a thread begins or ends to wait for a queued job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    Begins,
    Ends,
}
