//! [`Meter`]: counts the calls of a remote executor as a pool counts its jobs.

use std::fmt;

use super::call::Call;
use super::codec::Failure;
use crate::clock::{Moment, Stamp};
use crate::error::{Error, Panic};
use crate::job::{End, Outcome};
use crate::metrics::{RemoteMetrics, Sites, Tally};
use crate::sync::Arc;

/// Counts and times the calls of a remote executor, for executors that are written outside this crate.
///
/// With the feature `metrics` the figures are published [under the names of all pools](crate#names-of-the-metrics): `pool` is the meter's name,
/// `method` the call's.
///
/// # Examples
/// ```
/// use offload_runtime::Error;
/// use offload_runtime::remote::{Call, Format, Meter, RemoteExecutor, RemoteMetrics};
///
/// struct Fake {
///     meter: Meter,
/// }
///
/// impl RemoteExecutor for Fake {
///     fn format(&self) -> Format {
///         Format::Json
///     }
///
///     fn execute(&self, call: Call) {
///         let mut call = self.meter.submit(call);
///         if call.call().payload().len() > 1000 {
///             return call.refuse(Error::QueueFull);
///         }
///         call.begin();
///         call.complete(Ok(b"42".to_vec()));
///     }
/// }
///
/// let fake = Fake { meter: Meter::new("fake") };
/// let metrics: RemoteMetrics = fake.meter.metrics();
/// assert_eq!((metrics.name(), metrics.submitted(), metrics.running()), ("fake", 0, 0));
/// println!("{metrics} {fake:?}", fake = fake.meter);
/// for site in metrics.by_site() {
///     println!("{site}");
/// }
/// assert!(metrics.recent_panics().is_empty());
/// ```
pub struct Meter {
    name: Arc<str>,
    sites: Sites,
}

impl Meter {
    /// Makes a meter that has counted nothing. `name` is the label `pool` of what is published.
    ///
    /// # Examples
    /// See [`Meter`].
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        let name: Arc<str> = name.into().into();
        Self { sites: Sites::new(true, Some(&name)), name }
    }

    /// Counts `call` as submitted, and returns it as one whose beginning and end are counted.
    ///
    /// # Examples
    /// See [`Meter`].
    pub fn submit(&self, call: Call) -> MeteredCall {
        let tally = Arc::clone(self.sites.tally(call.origin()));
        tally.submitted();
        let stamp = tally.stamp();
        MeteredCall { call: Some(call), tally, stamp, begun: None }
    }

    /// What was counted.
    ///
    /// # Examples
    /// See [`Meter`].
    #[must_use]
    pub fn metrics(&self) -> RemoteMetrics {
        let (figures, sites) = self.sites.read();
        RemoteMetrics { name: Arc::clone(&self.name), figures, sites, panics: self.sites.recent_panics() }
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A [`Call`] that its [`Meter`] counts: as queued, as running after [`begin`](Self::begin), and once by how it ends.
///
/// Its end is counted before the handle resolves. **Dropping** it counts, and refuses the call as [`Error::Lost`]; or counts it as cancelled, if it was.
///
/// # Examples
/// See [`Meter`].
#[must_use = "dropping a call refuses it as `Error::Lost`: complete it, refuse it, or pass it on"]
pub struct MeteredCall {
    /// `None` once it has ended.
    call: Option<Call>,
    tally: Arc<Tally>,
    stamp: Stamp,
    begun: Option<Begun>,
}

/// A call that runs.
struct Begun {
    /// `None`: it is not timed.
    since: Option<Moment>,
}

impl MeteredCall {
    /// The call.
    ///
    /// # Panics
    /// Never.
    ///
    /// # Examples
    /// See [`Meter`].
    pub fn call(&self) -> &Call {
        self.call.as_ref().expect("each end of a call consumes it")
    }

    /// Counts the call as running. A second time changes nothing.
    ///
    /// # Examples
    /// See [`Meter`].
    pub fn begin(&mut self) {
        if self.begun.is_none() {
            self.begun = Some(Begun { since: self.tally.started(self.stamp) });
        }
    }

    /// Counts the end and completes the call, as [`Call::complete`]. One that has not begun begins with it.
    ///
    /// # Panics
    /// Never.
    ///
    /// # Examples
    /// See [`Meter`].
    pub fn complete(mut self, result: Result<Vec<u8>, Failure>) {
        self.begin();
        let (outcome, error) = outcome_of(&result);
        if let Some(call) = self.end(outcome, error.as_ref()) {
            call.complete(result);
        }
    }

    /// Counts the end and refuses the call, as [`Call::refuse`]. One that has begun counts as panicked; and as cancelled, if it was, or that is
    /// the reason.
    ///
    /// # Panics
    /// Never.
    ///
    /// # Examples
    /// See [`Meter`].
    pub fn refuse(mut self, why: Error) {
        if let Some(call) = self.end_without_reply(&why) {
            call.refuse(why);
        }
    }

    fn end_without_reply(&mut self, why: &Error) -> Option<Call> {
        if matches!(why, Error::Cancelled) || self.call.as_ref().is_some_and(Call::is_cancelled) {
            self.end(Outcome::Cancelled, None)
        } else {
            self.end(Outcome::Panicked, Some(why))
        }
    }

    /// Counts the end, unless that has been done, and gives the call back.
    fn end(&mut self, outcome: Outcome, error: Option<&Error>) -> Option<Call> {
        let call = self.call.take()?;
        let is_abandoned = call.is_cancelled();
        match (&self.begun, error) {
            (Some(Begun { since }), _) => self.tally.ended(End { outcome, is_abandoned, error }, self.stamp, *since),
            (None, Some(why)) => self.tally.refused(why),
            (None, None) => self.tally.cancelled(),
        }
        Some(call)
    }
}

impl Drop for MeteredCall {
    fn drop(&mut self) {
        // Without its job the call says `Error::Lost` by itself.
        drop(self.end_without_reply(&Error::Lost));
    }
}

impl fmt::Debug for MeteredCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MeteredCall")
            .field("call", &self.call)
            .field("has_begun", &self.begun.is_some())
            .finish_non_exhaustive()
    }
}

/// How a reply counts, and why it counts as panicked.
pub(crate) fn outcome_of(result: &Result<Vec<u8>, Failure>) -> (Outcome, Option<Error>) {
    match result {
        Ok(_) => (Outcome::Completed, None),
        Err(Failure::Cancelled) => (Outcome::Cancelled, None),
        Err(Failure::Panicked(message)) => {
            (Outcome::Panicked, Some(Error::Panicked(Panic::new(Box::new(message.clone())))))
        }
        Err(failure) => (Outcome::Panicked, Some(Error::Codec(failure.to_string()))),
    }
}
