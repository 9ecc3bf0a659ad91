//! The job that a thread runs, as other threads see it.
//!
//! A cell may be freed as soon as its result is published. So the thread takes its job out of the lock before it publishes, and others read
//! the cell under the lock only.

use std::ptr::NonNull;
use std::time::Duration;

use super::cell::{self, Header};
use super::origin::Origin;
use super::state::Request;
use crate::clock::Moment;
use crate::sync::{self, Mutex};
use crate::unwind::discard;

/// The innermost job that one thread runs.
#[derive(Debug)]
pub(crate) struct Shown(Mutex<Slot>);

#[derive(Debug)]
struct Slot {
    running: Option<Running>,
    /// The number of the job that was shown last.
    last: u64,
}

/// A job that is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running {
    /// Its `JOB` bit is held by the thread that shows it.
    job: NonNull<Header>,
    /// When it began; or, where that is unknown, when it was first seen.
    since: Option<Moment>,
    /// The number of the job among all jobs that this thread has shown: the cell of another may be at the same address.
    number: u64,
    /// Whether [`Shown::overdue`] has returned it.
    is_reported: bool,
}

// SAFETY: what is read of the cell, its state word and its origin, may be read by any thread.
unsafe impl Send for Running {}

/// What another thread has seen of a running job.
pub(crate) struct Sight {
    pub(crate) origin: Origin,
    pub(crate) is_cancelled: bool,
    pub(crate) since: Moment,
    /// By which [`Shown::cancel`] knows the job again.
    pub(crate) number: u64,
}

impl Running {
    /// Called under the lock of the slot that it is in.
    fn see(&mut self) -> Sight {
        // SAFETY: its thread holds the JOB bit until `restore` returns, which waits for the lock.
        let cell = unsafe { self.job.as_ref() };
        #[cfg(all(test, offload_loom))]
        cell.b.with(|_| ());
        let since = *self.since.get_or_insert_with(Moment::now);
        Sight { origin: cell.origin, is_cancelled: cell.state.is_cancelled(), since, number: self.number }
    }
}

impl Shown {
    /// The number of the job that is shown first.
    pub(super) const FIRST: u64 = 1;

    pub(crate) fn new() -> Self {
        Self(Mutex::new(Slot { running: None, last: 0 }))
    }

    /// Shows `job` instead of what is shown, which is returned.
    ///
    /// # Safety
    /// The caller holds the job's `JOB` bit until it has called [`restore`](Self::restore).
    pub(super) unsafe fn show(&self, job: NonNull<Header>, since: Option<Moment>) -> Option<Running> {
        let mut slot = sync::lock(&self.0);
        slot.last += 1;
        let number = slot.last;
        slot.running.replace(Running { job, since, number, is_reported: false })
    }

    /// Shows `outer` again. When this returns, no thread reads the cell of the job that was shown.
    pub(super) fn restore(&self, outer: Option<Running>) {
        sync::lock(&self.0).running = outer;
    }

    pub(crate) fn see(&self) -> Option<Sight> {
        sync::lock(&self.0).running.as_mut().map(Running::see)
    }

    /// The job, if it has been running for `time` and was not returned before; else for how long there will be none.
    pub(crate) fn overdue(&self, time: Duration) -> Result<Sight, Duration> {
        let mut slot = sync::lock(&self.0);
        let running = slot.running.as_mut().filter(|running| !running.is_reported).ok_or(time)?;
        let sight = running.see();
        match time.saturating_sub(sight.since.elapsed()) {
            Duration::ZERO => {
                running.is_reported = true;
                Ok(sight)
            }
            left => Err(left),
        }
    }

    /// Requests the cancellation of the job of that `number`, if it is still shown. Runs its hooks.
    pub(crate) fn cancel(&self, number: u64) -> bool {
        let slot = sync::lock(&self.0);
        let Some(running) = slot.running.filter(|running| running.number == number) else { return false };
        // SAFETY: its thread holds the JOB bit until `restore` returns, which waits for the lock.
        let cell = unsafe { running.job.as_ref() };
        let hooks = match cell.state.request_cancel() {
            Request::Noted => None,
            // SAFETY: HOOKS was seen set, with Acquire; the cell is kept as above.
            Request::RunHooks => Some(unsafe { cell::shared_hooks(running.job) }),
        };
        drop(slot);
        // User code.
        if let Some(hooks) = hooks {
            hooks.run();
            discard(hooks);
        }
        true
    }
}
