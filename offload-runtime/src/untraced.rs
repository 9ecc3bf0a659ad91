//! Without the feature `tracing`: no span, and nothing is left of the code that would make one.

use std::time::Duration;

use crate::error::Error;
use crate::job::Origin;
use crate::site::Site;

pub(crate) struct Trace;

impl Trace {
    #[inline]
    pub(crate) fn of_caller(_origin: Origin) -> Self {
        Self
    }

    #[inline]
    #[expect(clippy::unused_self, reason = "the signature of `trace.rs`")]
    pub(crate) fn run<T>(self, f: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        f()
    }

    #[inline]
    #[expect(clippy::unused_self, reason = "the signature of `trace.rs`")]
    pub(crate) fn refuse(self, _why: &Error) {}
}

pub(crate) fn set_worker(_pool: &str, _thread: &str) {}

pub(crate) fn slow_job(_pool: &str, _thread: &str, _site: Site, _elapsed: Duration, _is_cancelled: bool) {}
