//! How long the oldest job of a queue has waited.

use std::ptr::NonNull;
use std::time::Duration;

use super::{Guard, Owner};
use crate::clock::{Moment, Stamp};

/// Jobs that are looked at, at most. Where short jobs are timed by samples, one in 16 has a stamp.
const LOOKED_AT: usize = 64;

impl<P: Owner> Guard<'_, P> {
    /// The longest wait among the first jobs, as far as they are timed. `None` if none is.
    pub(crate) fn oldest_wait(&mut self) -> Option<Duration> {
        self.drain_inbox();
        let now = Moment::now();
        let mut longest = None;
        let mut next = self.locked.list.first;
        for _ in 0..LOOKED_AT {
            let Some(header) = NonNull::new(next) else { break };
            // SAFETY: it is in the list, so its cell is there.
            let cell = unsafe { header.as_ref() };
            let stamp = cell.state.stamp();
            // One that is claimed is being cancelled.
            if cell.state.waits().is_some() && stamp != Stamp::NONE {
                longest = longest.max(Some(stamp.waited(now)));
            }
            // SAFETY: under the lock the links of a listed job are the list's (I5).
            next = cell.a.with(|a| unsafe { *a }).cast();
        }
        longest.map(Duration::from_nanos)
    }
}
