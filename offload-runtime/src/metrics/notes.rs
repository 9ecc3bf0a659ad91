//! What a thread that runs the jobs of one queue remembers from one to the next, and which of them it times.
//!
//! A look at the clock costs as much as everything else that is noted of a job. So a job that came while many waited, and was not stamped
//! ([`Ledger::submitted`]), is timed only if the last one of its site that was took longer than [`SHORT`]; those that are stand for the others.

use super::ledger::{Ledger, Place};
use super::tally::{self, Tally};
use crate::clock::{Moment, Stamp};
use crate::job::Ran;
use crate::sync::Arc;

/// Jobs that take no longer are not timed one by one, in nanoseconds. A hundred times what it costs.
const SHORT: u64 = 10_000;

/// The tallies that the thread has met, and what it knows of the job that it runs.
pub(crate) struct Notes {
    /// By their places in the ledger.
    known: Vec<Option<Known>>,
    /// The site and the stamp of the job that runs, or ran last.
    job: (Place, Stamp),
    /// When it began, if it is timed.
    since: Option<Moment>,
    /// The number of this thread.
    thread: usize,
}

struct Known {
    tally: Arc<Tally>,
    /// Whether the last job of the site that was timed was a short one.
    short: bool,
}

impl Notes {
    pub(crate) fn new() -> Self {
        let job = (Place::default(), Stamp::NONE);
        Self { known: Vec::new(), job, since: None, thread: tally::this_thread() }
    }

    /// A job begins. Returns when, if it is timed.
    #[inline]
    pub(crate) fn began(&mut self, place: Place, stamp: Stamp) -> Option<Moment> {
        self.job = (place, stamp);
        let Known { tally, short } = known(&mut self.known, place);
        self.since = if stamp == Stamp::NONE && *short {
            tally.began_untimed();
            None
        } else {
            // Not the end of the job before: whoever awaited that one has been woken since.
            tally.began(self.thread, stamp)
        };
        self.since
    }

    /// The job has ended, and nobody knows yet.
    #[inline]
    pub(crate) fn ended(&mut self, ran: Ran) {
        let (place, stamp) = self.job;
        let Known { tally, short } = known(&mut self.known, place);
        let Some(since) = self.since else { return tally.ended_untimed(self.thread, ran) };
        // While the others are not timed, it stands for them.
        let jobs = if *short { stamp.jobs() } else { 1 };
        let took = Moment::now().since(since);
        tally.ended(self.thread, ran, took, jobs);
        *short = took <= SHORT;
    }

    /// To be called with the lock, before a job of that site begins.
    #[inline]
    pub(crate) fn meet(&mut self, ledger: &Ledger, place: Place) {
        if self.known.get(place.index()).is_none_or(Option::is_none) {
            self.meet_first(ledger, place);
        }
    }

    #[cold]
    fn meet_first(&mut self, ledger: &Ledger, place: Place) {
        if self.known.len() <= place.index() {
            self.known.resize_with(place.index() + 1, || None);
        }
        self.known[place.index()] = Some(Known { tally: Arc::clone(ledger.tally(place)), short: false });
    }
}

#[inline]
fn known(known: &mut [Option<Known>], place: Place) -> &mut Known {
    known[place.index()].as_mut().expect("`meet` was called for it")
}
