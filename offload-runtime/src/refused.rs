//! A closure that was not accepted, and why.

use std::fmt;

use crate::error::Error;

/// The closure that [`ThreadPool::try_submit`](crate::ThreadPool::try_submit) did not submit, and the reason.
///
/// It converts into that [`Error`], so that `?` works where the closure is not needed.
///
/// # Examples
/// See [`ThreadPool::try_submit`](crate::ThreadPool::try_submit).
pub struct Refused<F> {
    f: F,
    why: Error,
}

impl<F> Refused<F> {
    pub(crate) fn new(f: F, why: Error) -> Self {
        Self { f, why }
    }

    /// Returns the closure, with all that it captured.
    #[must_use]
    pub fn into_inner(self) -> F {
        self.f
    }

    /// Returns why it was refused: [`Error::QueueFull`] or [`Error::ShutDown`].
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.why
    }
}

impl<F> From<Refused<F>> for Error {
    fn from(refused: Refused<F>) -> Self {
        refused.why
    }
}

impl<F> fmt::Display for Refused<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(f)
    }
}

impl<F> fmt::Debug for Refused<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused").field("error", &self.why).finish_non_exhaustive()
    }
}

impl<F> std::error::Error for Refused<F> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.why.source()
    }
}
