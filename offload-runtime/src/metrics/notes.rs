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

/// After so many short ones in a row that were timed, the next is expected to be as short.
const STREAK: u32 = 8;

/// Of so many jobs one is looked at, to learn how long those of its site are.
const LOOK: u32 = 8;

/// The same, once that is known: the clock took a tenth of what an empty job takes all in all.
const LOOK_AGAIN: u32 = 32;

/// The tallies that the thread has met, and what it knows of the job that it runs.
pub(crate) struct Notes {
    /// By their places in the ledger.
    known: Vec<Option<Known>>,
    /// The site and the stamp of the job that runs, or ran last.
    job: (Place, Stamp),
    /// When it began, if it is timed.
    since: Option<Moment>,
    /// The same, of one job in [`LOOK`] or [`LOOK_AGAIN`], whether it is timed or not.
    kept_since: Option<Moment>,
    jobs: u32,
    /// The number of this thread.
    thread: usize,
}

struct Known {
    tally: Arc<Tally>,
    /// Whether the last job of the site that was timed was a short one.
    short: bool,
    /// How many jobs in a row kept the thread for a short time, of those that were looked at, as far as it matters.
    streak: u32,
    /// For how long those did, in nanoseconds: a moving average.
    average: u64,
}

impl Notes {
    pub(crate) fn new() -> Self {
        let job = (Place::default(), Stamp::NONE);
        Self { known: Vec::new(), job, since: None, kept_since: None, jobs: 0, thread: tally::this_thread() }
    }

    /// A job begins. Returns when, if it is timed.
    #[inline]
    pub(crate) fn began(&mut self, place: Place, stamp: Stamp) -> Option<Moment> {
        self.job = (place, stamp);
        let Known { tally, short, streak, .. } = known(&mut self.known, place);
        self.since = if stamp == Stamp::NONE && *short {
            tally.began_untimed();
            None
        } else {
            // Not the end of the job before: whoever awaited that one has been woken since.
            tally.began(self.thread, stamp)
        };
        self.jobs = self.jobs.wrapping_add(1);
        let one_in = if *streak < STREAK { LOOK } else { LOOK_AGAIN };
        if self.jobs.is_multiple_of(one_in) {
            self.kept_since = self.since.or_else(|| Some(Moment::now()));
        }
        self.since
    }

    /// The job has ended, and nobody knows yet.
    #[inline]
    pub(crate) fn ended(&mut self, ran: Ran) {
        let (place, stamp) = self.job;
        let known = known(&mut self.known, place);
        let tally = &known.tally;
        let Some(since) = self.since else { return tally.ended_untimed(self.thread, ran) };
        // While the others are not timed, it stands for them.
        let jobs = if known.short { stamp.jobs() } else { 1 };
        let took = Moment::now().since(since);
        tally.ended(self.thread, ran, took, jobs);
        known.short = took <= SHORT;
    }

    /// The thread has come back from the job, which was awaited perhaps and has woken somebody.
    #[inline]
    pub(crate) fn came_back(&mut self) {
        let Some(since) = self.kept_since.take() else { return };
        let kept = Moment::now().since(since);
        let known = known(&mut self.known, self.job.0);
        if kept <= 10 * SHORT {
            known.streak = (known.streak + 1).min(STREAK);
            known.average = (known.average * 31 + kept.min(SHORT)) / 32;
        } else {
            known.streak = 0;
        }
    }

    /// To be called with the lock, before a job of that site begins. Returns for how long it will keep the thread, in nanoseconds, if those
    /// of the site have been short for long enough to tell.
    #[inline]
    pub(crate) fn meet(&mut self, ledger: &Ledger, place: Place) -> Option<u64> {
        if self.known.get(place.index()).is_none_or(Option::is_none) {
            self.meet_first(ledger, place);
        }
        self.expects(place)
    }

    /// For how long a job of that site will keep the thread, as `meet` says, without meeting it.
    #[inline]
    pub(crate) fn expects(&self, place: Place) -> Option<u64> {
        #[cfg(all(test, offload_loom))]
        if crate::job::models::are_jobs_short() {
            return Some(0);
        }
        match self.known.get(place.index()) {
            Some(Some(Known { streak: STREAK, average, .. })) => Some(*average),
            _ => None,
        }
    }

    #[cold]
    fn meet_first(&mut self, ledger: &Ledger, place: Place) {
        if self.known.len() <= place.index() {
            self.known.resize_with(place.index() + 1, || None);
        }
        self.known[place.index()] =
            Some(Known { tally: Arc::clone(ledger.tally(place)), short: false, streak: 0, average: 0 });
    }
}

#[inline]
fn known(known: &mut [Option<Known>], place: Place) -> &mut Known {
    known[place.index()].as_mut().expect("`meet` was called for it")
}

#[cfg(all(test, not(offload_loom)))]
mod tests {
    use super::*;
    use crate::job::Origin;

    #[test]
    fn fewer_jobs_are_looked_at_once_they_are_known_to_be_short() {
        let mut ledger = Ledger::new(true, "".into());
        let mut notes = Notes::new();
        for (streak, looks) in [(0, 16), (STREAK - 1, 16), (STREAK, 4)] {
            let looked = (0..128).filter(|_| {
                let place = ledger.started(Origin::of_caller());
                let _ = notes.meet(&ledger, place);
                // Whatever the clock has said before.
                known(&mut notes.known, place).streak = streak;
                notes.began(place, Stamp::NONE);
                let looks = notes.kept_since.is_some();
                notes.ended(Ran::Completed);
                notes.came_back();
                looks
            });
            assert_eq!(looked.count(), looks, "{streak}");
        }
    }
}
