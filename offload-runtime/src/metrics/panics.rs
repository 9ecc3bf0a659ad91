//! The last panics of an executor's jobs, for readers of its metrics: a record of bounded size.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use crate::clock::Moment;
use crate::error::Error;
use crate::job::Origin;
use crate::site::Site;
use crate::sync::{self, Mutex};

/// The most panics that are kept of one executor.
const KEPT: usize = 32;

/// The most bytes that are kept of a message.
const LONGEST_MESSAGE: usize = 500;

/// The last panics of one executor, the oldest first. The lock guards the record alone.
#[derive(Default)]
pub(super) struct Panics(Mutex<VecDeque<Entry>>);

struct Entry {
    origin: Origin,
    message: Option<Box<str>>,
    thread: Option<Box<str>>,
    at: Moment,
}

impl Panics {
    /// A job of `origin` has panicked on this thread.
    pub(super) fn add(&self, origin: Origin, error: Option<&Error>) {
        let message = match error {
            Some(Error::Panicked(panic)) => panic.message().map(|text| shortened(text).into()),
            Some(error) => Some(shortened(&error.to_string()).into()),
            None => None,
        };
        let thread = std::thread::current().name().map(Box::from);
        let entry = Entry { origin, message, thread, at: Moment::now() };
        let mut kept = sync::lock(&self.0);
        let dropped = if kept.len() == KEPT { kept.pop_front() } else { None };
        kept.push_back(entry);
        drop((kept, dropped));
    }

    /// The record, the latest first.
    pub(super) fn read(&self) -> Vec<PanicRecord> {
        let now = SystemTime::now();
        let record = |entry: &Entry| PanicRecord {
            site: entry.origin.site(),
            message: entry.message.as_deref().map(str::to_owned),
            thread_name: entry.thread.as_deref().map(str::to_owned),
            at: now.checked_sub(entry.at.elapsed()).unwrap_or(now),
            age: entry.at.elapsed(),
        };
        sync::lock(&self.0).iter().rev().map(record).collect()
    }
}

/// The beginning of `text`, cut between two characters.
fn shortened(text: &str) -> &str {
    let mut end = text.len().min(LONGEST_MESSAGE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// A panic of a job, as [`PoolMetrics::recent_panics`](crate::PoolMetrics::recent_panics) kept it.
///
/// # Examples
/// ```
/// use offload_runtime::{ExecutorExt, ThreadPool};
/// use std::time::SystemTime;
///
/// # std::panic::set_hook(Box::new(|_| {}));
/// let pool = ThreadPool::builder().thread_name("db").build();
/// assert!(pool.submit(|| panic!("no such user")).wait().is_err());
/// let metrics = pool.metrics();
/// let panic = &metrics.recent_panics()[0];
/// assert_eq!((panic.message(), panic.thread_name()), (Some("no such user"), Some("db-0")));
/// assert!(panic.at() <= SystemTime::now());
/// println!("{} panicked {:?} ago", panic.site(), panic.age());
/// ```
#[derive(Clone, Debug)]
pub struct PanicRecord {
    site: Site,
    message: Option<String>,
    thread_name: Option<String>,
    at: SystemTime,
    age: Duration,
}

impl PanicRecord {
    /// Returns where in the source the job came from.
    #[must_use]
    pub fn site(&self) -> Site {
        self.site
    }

    /// Returns the first 500 bytes of the panic's message. `None` if the payload was not text.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Returns the name of the thread that ran the job, if it has one.
    #[must_use]
    pub fn thread_name(&self) -> Option<&str> {
        self.thread_name.as_deref()
    }

    /// Returns when the job panicked, by the system's clock as it is set now.
    #[must_use]
    pub fn at(&self) -> SystemTime {
        self.at
    }

    /// Returns how long before the reading the job panicked.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.age
    }
}

#[cfg(all(test, not(offload_loom)))]
mod tests {
    use super::*;
    use crate::error::Panic;

    fn panic_of(message: String) -> Error {
        Error::Panicked(Panic::new(Box::new(message)))
    }

    #[test]
    fn the_record_keeps_the_last_panics_and_is_bounded() {
        let panics = Panics::default();
        for i in 0..100 {
            panics.add(Origin::of_caller(), Some(&panic_of(i.to_string())));
        }
        let kept = panics.read();
        assert_eq!((kept.len(), kept[0].message(), kept[KEPT - 1].message()), (KEPT, Some("99"), Some("68")));
    }

    #[test]
    fn a_long_message_is_cut_between_two_characters() {
        let panics = Panics::default();
        panics.add(Origin::of_caller(), Some(&panic_of("\u{e9}".repeat(400))));
        panics.add(Origin::of_caller(), Some(&panic_of(format!("x{}", "\u{e9}".repeat(400)))));
        panics.add(Origin::of_caller(), None);
        let lengths: Vec<_> = panics.read().iter().map(|kept| kept.message().map(str::len)).collect();
        assert_eq!(lengths, [None, Some(499), Some(500)]);
    }
}
