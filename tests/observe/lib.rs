//! What the tests of this package share: a record of what a subscriber is told, and a service whose methods are offloaded.
//!
//! A process has one subscriber, which the threads of its pools report to as well. So each test opens a span with a name of its own
//! ([`request`]) and reads what was recorded below that.

mod record;
mod service;

pub use record::{Entry, Kind, Record, UNHEARD};
pub use service::Service;

use tracing::{Span, info_span};

/// The span of a caller, by whose name what happens below it is found.
#[must_use]
pub fn request(id: &str) -> Span {
    info_span!("request", id)
}
