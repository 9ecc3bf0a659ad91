//! Without the feature `metrics`: nothing is published, and nothing is left of the code that would.

use super::Refusal;
use super::tally::Tally;
use crate::job::{End, Origin};
use crate::sync::Arc;

pub(super) struct Published;

impl Published {
    pub(super) fn new(_label: Option<&Arc<str>>, _origin: Origin) -> Self {
        Self
    }

    #[inline]
    #[expect(clippy::unused_self, reason = "the signature of `publish.rs`")]
    pub(super) fn started(&self, _waited: Option<(u64, u64)>) {}

    #[inline]
    #[expect(clippy::unused_self, reason = "the signature of `publish.rs`")]
    pub(super) fn ended(&self, _end: End<'_>, _took: Option<(u64, u64)>) {}
}

#[derive(Clone, Copy)]
pub(super) enum Event {
    Submitted,
    Cancelled,
    Refused(#[expect(unused, reason = "published by `publish.rs`")] Refusal),
    Items(#[expect(unused, reason = "published by `publish.rs`")] u64),
}

impl Event {
    #[inline]
    #[expect(clippy::unused_self, reason = "the signature of `publish.rs`")]
    pub(super) fn publish(self, _tally: &Arc<Tally>) {}
}

/// The gauges of a pool.
pub(crate) struct Gauges;

impl Gauges {
    pub(crate) fn new(_label: Option<&Arc<str>>, _max_threads: usize, _queue_capacity: Option<usize>) -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "the signature of `gauges.rs`")]
    pub(crate) fn one_more(&self) {}

    #[expect(clippy::unused_self, reason = "the signature of `gauges.rs`")]
    pub(crate) fn one_less(&self) {}
}

/// The figures of a pool's states.
pub(super) struct PublishedStates;

impl PublishedStates {
    pub(super) fn new(_label: Option<&Arc<str>>) -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "the signature of `publish.rs`")]
    pub(super) fn opened(&self) {}

    #[expect(clippy::unused_self, reason = "the signature of `publish.rs`")]
    pub(super) fn dropped(&self) {}

    #[expect(clippy::unused_self, reason = "the signature of `publish.rs`")]
    pub(super) fn failed(&self) {}
}
