//! The counts of a pool's states: how many were opened, dropped, and could not be opened.

use super::publish::PublishedStates;
use crate::sync::{Arc, Counter};

/// The states of one pool.
pub(crate) struct States {
    opened: Counter,
    dropped: Counter,
    failed: Counter,
    published: PublishedStates,
}

/// What a snapshot of [`States`] says.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StateFigures {
    pub(super) opened: u64,
    pub(super) dropped: u64,
    pub(super) failed: u64,
}

impl States {
    pub(crate) fn new(label: Option<&Arc<str>>) -> Self {
        let published = PublishedStates::new(label);
        Self { opened: Counter::new(), dropped: Counter::new(), failed: Counter::new(), published }
    }

    pub(crate) fn opened(&self) {
        self.opened.add_one();
        self.published.opened();
    }

    pub(crate) fn dropped(&self) {
        self.dropped.add_one();
        self.published.dropped();
    }

    pub(crate) fn failed(&self) {
        self.failed.add_one();
        self.published.failed();
    }

    /// From the later events to the earlier ones: no more are dropped than opened.
    pub(crate) fn read(&self) -> StateFigures {
        let (failed, dropped) = (self.failed.get(), self.dropped.get());
        StateFigures { opened: self.opened.get(), dropped, failed }
    }
}
