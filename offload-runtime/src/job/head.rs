//! What a job knows of the queue that refers to it: the head, by which the queue's typed operations are found.

use std::ptr::NonNull;

use super::cell::Header;
use crate::hooks::Stop;

/// The part of a queue that does not depend on its owner. The first field of the queue, so that a pointer to it is one to the queue.
pub(crate) struct Head {
    pub(super) operations: &'static Operations,
    /// Cancels all running jobs of this queue.
    pub(crate) stop: Stop,
}

/// The operations of a queue, by the pointer to its head. For each of them the queue is alive when it is called.
pub(super) struct Operations {
    /// Unlinks a job that the caller has claimed to cancel. `true`: the job's `JOB` bit is the caller's now; `false`: another thread
    /// is about to put the job into the queue, and the `JOB` bit stays with it.
    ///
    /// Safety: the caller has claimed the job while it was linked in this queue, and keeps the cell.
    pub(super) unlink: unsafe fn(NonNull<Head>, NonNull<Header>) -> bool,
    /// One more, or one less, of the threads that serve this queue waits for a queued job.
    pub(super) wait: unsafe fn(NonNull<Head>, Wait),
    /// As [`Owner::is_alone`](super::Owner::is_alone).
    pub(super) is_alone: unsafe fn(NonNull<Head>) -> bool,
}

/// Whether a thread begins or ends to wait for a queued job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    Begins,
    Ends,
}
