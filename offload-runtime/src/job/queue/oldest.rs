//! How long the oldest job of a queue has waited.

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
        // One that is claimed is being cancelled.
        let waiting = self.locked.lists().take(LOOKED_AT).filter(|cell| cell.state.is_waiting());
        let stamps = waiting.map(|cell| cell.state.stamp()).filter(|stamp| *stamp != Stamp::NONE);
        let longest = stamps.map(|stamp| stamp.waited(now)).max();
        longest.map(Duration::from_nanos)
    }
}
