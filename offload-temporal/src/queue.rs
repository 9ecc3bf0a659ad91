//! The calls of one task queue, as the caller's side knows them: their figures, and which of them the server has.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use offload_runtime::Site;
use offload_runtime::remote::{Meter, MeteredCall};

/// What the calls of one connection to one task queue share.
pub(crate) struct Queue {
    pub(crate) meter: Meter,
    stored: Mutex<Stored>,
}

/// The calls that the server has, by numbers in the order of their acknowledgement.
#[derive(Default)]
struct Stored {
    last: u64,
    calls: BTreeMap<u64, Entry>,
}

struct Entry {
    site: Site,
    id: String,
    since: Instant,
    is_cancelled: bool,
}

/// An entry of [`Stored`], for as long as this lives.
pub(crate) struct Shown {
    queue: Arc<Queue>,
    number: u64,
}

impl Queue {
    pub(crate) fn new(task_queue: &str) -> Arc<Self> {
        // Not the queue's name alone, as that is the name of a worker's threads, which count the same calls.
        Arc::new(Self { meter: Meter::new(format!("temporal.{task_queue}")), stored: Mutex::default() })
    }

    /// The server has acknowledged the call.
    pub(crate) fn begin(self: &Arc<Self>, call: &mut MeteredCall, id: &str) -> Shown {
        call.begin();
        let entry = Entry { site: call.call().site(), id: id.to_owned(), since: Instant::now(), is_cancelled: false };
        let mut stored = self.lock();
        stored.last += 1;
        let number = stored.last;
        stored.calls.insert(number, entry);
        Shown { queue: Arc::clone(self), number }
    }

    pub(crate) fn running(&self) -> Vec<RunningCall> {
        let shown = |entry: &Entry| RunningCall {
            site: entry.site,
            id: entry.id.clone(),
            elapsed: entry.since.elapsed(),
            is_cancelled: entry.is_cancelled,
        };
        self.lock().calls.values().map(shown).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Stored> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shown {
    /// Its handle is gone, and the server is being asked to cancel it.
    pub(crate) fn cancelled(&self) {
        if let Some(entry) = self.queue.lock().calls.get_mut(&self.number) {
            entry.is_cancelled = true;
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.queue.lock().calls.remove(&self.number);
    }
}

/// A call that the server has, as [`Temporal::running_jobs`](crate::Temporal::running_jobs) saw it.
///
/// # Examples
/// See [`Temporal::running_jobs`](crate::Temporal::running_jobs).
#[derive(Clone, Debug)]
pub struct RunningCall {
    site: Site,
    id: String,
    elapsed: Duration,
    is_cancelled: bool,
}

impl RunningCall {
    /// Where in the source the call comes from.
    ///
    /// # Examples
    /// See [`Temporal::running_jobs`](crate::Temporal::running_jobs).
    #[must_use]
    pub fn site(&self) -> Site {
        self.site
    }

    /// The id of the call in Temporal: the one it was [given](crate::Temporal::id), or one that was made up.
    ///
    /// # Examples
    /// See [`Temporal::running_jobs`](crate::Temporal::running_jobs).
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How long ago the server has acknowledged it.
    ///
    /// # Examples
    /// See [`Temporal::running_jobs`](crate::Temporal::running_jobs).
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Whether its handle was dropped or cancelled, and the server is being asked to cancel it.
    ///
    /// # Examples
    /// See [`Temporal::running_jobs`](crate::Temporal::running_jobs).
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.is_cancelled
    }
}
