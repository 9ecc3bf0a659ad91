//! The job that a thread runs, as other threads see it.
//!
//! A cell may be freed as soon as its result is published. So the thread takes its job out of the lock before it publishes, and others read
//! the cell under the lock only.

use std::ptr::NonNull;

use super::cell::Header;
use super::origin::Origin;
use crate::clock::Moment;
use crate::sync::{self, Mutex};

/// The innermost job that one thread runs.
#[derive(Debug)]
pub(crate) struct Shown(Mutex<Option<Running>>);

/// A job that is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running {
    /// Its `JOB` bit is held by the thread that shows it.
    job: NonNull<Header>,
    /// When it began; or, where that is unknown, when it was first seen.
    since: Option<Moment>,
}

// SAFETY: what is read of the cell, its state word and its origin, may be read by any thread.
unsafe impl Send for Running {}

/// What another thread has seen of a running job.
pub(crate) struct Sight {
    pub(crate) origin: Origin,
    pub(crate) is_cancelled: bool,
    pub(crate) since: Moment,
}

impl Shown {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Shows `job` instead of what is shown, which is returned.
    ///
    /// # Safety
    /// The caller holds the job's `JOB` bit until it has called [`restore`](Self::restore).
    pub(super) unsafe fn show(&self, job: NonNull<Header>, since: Option<Moment>) -> Option<Running> {
        sync::lock(&self.0).replace(Running { job, since })
    }

    /// Shows `outer` again. When this returns, no thread reads the cell of the job that was shown.
    pub(super) fn restore(&self, outer: Option<Running>) {
        *sync::lock(&self.0) = outer;
    }

    pub(crate) fn see(&self) -> Option<Sight> {
        let mut shown = sync::lock(&self.0);
        let Running { job, since } = shown.as_mut()?;
        // SAFETY: its thread holds the JOB bit until `restore` returns, which waits for the lock.
        let cell = unsafe { job.as_ref() };
        #[cfg(all(test, offload_loom))]
        cell.b.with(|_| ());
        let since = *since.get_or_insert_with(Moment::now);
        Some(Sight { origin: cell.origin, is_cancelled: cell.state.is_cancelled(), since })
    }
}
