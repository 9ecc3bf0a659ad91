//! Without the feature `metrics`: nothing is published, and nothing is left of the code that would.

use super::Refusal;
use super::tally::Tally;
use crate::job::{Origin, Ran};
use crate::sync::Arc;

/// Whether tickets tell anybody anything.
pub(crate) const ANNOUNCED: bool = false;

pub(super) struct Published;

impl Published {
    pub(super) fn new(_label: &Arc<str>) -> Self {
        Self
    }

    #[inline]
    #[expect(clippy::unused_self, reason = "the signature of `publish.rs`")]
    pub(super) fn began(&self, _origin: Origin, _waited: Option<(u64, u64)>) {}

    #[inline]
    #[expect(clippy::unused_self, reason = "the signature of `publish.rs`")]
    pub(super) fn ended(&self, _origin: Origin, _ran: Ran, _took: Option<(u64, u64)>) {}
}

pub(super) enum Event {
    Submitted,
    Cancelled {
        #[expect(unused, reason = "told by `publish.rs`")]
        queued: bool,
    },
    Refused {
        #[expect(unused, reason = "told by `publish.rs`")]
        why: Refusal,
        #[expect(unused, reason = "told by `publish.rs`")]
        queued: bool,
    },
}

#[must_use = "it is to be announced, after unlocking"]
pub(crate) struct Ticket;

impl Ticket {
    #[inline]
    pub(super) fn new(_tally: &Arc<Tally>, _event: Event) -> Self {
        Self
    }

    #[inline]
    #[expect(clippy::unused_self, reason = "the signature of `publish.rs`")]
    pub(crate) fn announce(self) {}
}

/// The gauge of a pool's threads.
pub(crate) struct Threads;

impl Threads {
    pub(crate) fn new(_label: &Arc<str>) -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "the signature of `publish.rs`")]
    pub(crate) fn one_more(&self) {}

    #[expect(clippy::unused_self, reason = "the signature of `publish.rs`")]
    pub(crate) fn one_less(&self) {}
}
