//! What a queue knows of its jobs, site by site, under its lock: how many came, began, or never will.
//!
//! The lock is the one that is taken anyway; together with the [`Tally`] of each site (which is written without it) it makes a snapshot in
//! which the books balance: `submitted = queued + running + completed + panicked + cancelled + refused`.

use super::publish::{Event, Ticket};
use super::tally::Tally;
use super::{Figures, Refusal, Snapshot};
use crate::clock::{Moment, Stamp};
use crate::error::Error;
use crate::job::Origin;
use crate::sync::Arc;

/// The books of one queue.
pub(crate) struct Ledger {
    entries: Vec<Entry>,
    /// The indices of `entries`, in the order of their origins.
    order: Vec<usize>,
    /// The entry that was looked for last: mostly the one that is looked for next.
    last: usize,
    timing: bool,
    peak_queued: usize,
    /// What the executor is called where its figures are published.
    label: Arc<str>,
}

/// One site.
struct Entry {
    origin: Origin,
    submitted: u64,
    started: u64,
    cancelled: u64,
    refused: [u64; Refusal::COUNT],
    tally: Arc<Tally>,
}

/// The place of a site in its ledger. It stays the same.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place(usize);

impl Place {
    #[inline]
    pub(super) fn index(self) -> usize {
        self.0
    }
}

impl Ledger {
    pub(crate) fn new(timing: bool, label: Arc<str>) -> Self {
        Self { entries: Vec::new(), order: Vec::new(), last: 0, timing, peak_queued: 0, label }
    }

    pub(crate) fn is_timing(&self) -> bool {
        self.timing
    }

    /// The job comes into the queue, as one of `queued`, at `now`, if that is known. Where many wait it is not, and one of many is stamped
    /// here.
    #[inline]
    pub(crate) fn submitted(&mut self, origin: Origin, queued: usize, now: Option<Moment>) -> (Stamp, Ticket) {
        self.peak_queued = self.peak_queued.max(queued);
        let timing = self.timing;
        let entry = self.entry(origin);
        entry.submitted += 1;
        let stamp = match now {
            Some(now) => Stamp::new(now, false),
            None if timing && entry.submitted.is_multiple_of(Stamp::SAMPLE) => Stamp::new(Moment::now(), true),
            None => Stamp::NONE,
        };
        (stamp, Ticket::new(&entry.tally, Event::Submitted))
    }

    /// A job has come into the queue without its lock, which is counted now.
    #[inline]
    pub(crate) fn came(&mut self, origin: Origin) {
        self.entry(origin).submitted += 1;
    }

    /// So many jobs wait now.
    #[inline]
    pub(crate) fn queued(&mut self, queued: usize) {
        self.peak_queued = self.peak_queued.max(queued);
    }

    /// The job will be run.
    #[inline]
    pub(crate) fn started(&mut self, origin: Origin) -> Place {
        self.entry(origin).started += 1;
        Place(self.last)
    }

    /// Where jobs from there are accounted for.
    pub(crate) fn place(&mut self, origin: Origin) -> Place {
        self.entry(origin);
        Place(self.last)
    }

    /// The job was queued, and its handle has taken it back.
    pub(crate) fn cancelled(&mut self, origin: Origin) -> Ticket {
        let entry = self.entry(origin);
        entry.cancelled += 1;
        Ticket::new(&entry.tally, Event::Cancelled { queued: true })
    }

    /// The job has been counted as submitted, and came with nobody left to want it.
    pub(crate) fn came_cancelled(&mut self, origin: Origin) -> Ticket {
        let entry = self.entry(origin);
        entry.cancelled += 1;
        Ticket::new(&entry.tally, Event::Cancelled { queued: false })
    }

    /// The job was queued, and is refused after all.
    pub(crate) fn refused(&mut self, origin: Origin, why: &Error) -> Ticket {
        let (why, entry) = (Refusal::of(why), self.entry(origin));
        entry.refused[why as usize] += 1;
        Ticket::new(&entry.tally, Event::Refused { why, queued: true })
    }

    /// The job is not let in.
    pub(crate) fn turned_away(&mut self, origin: Origin, why: &Error) -> Ticket {
        let (why, entry) = (Refusal::of(why), self.entry(origin));
        entry.submitted += 1;
        entry.refused[why as usize] += 1;
        Ticket::new(&entry.tally, Event::Refused { why, queued: false })
    }

    #[inline]
    pub(crate) fn tally(&self, place: Place) -> &Arc<Tally> {
        &self.entries[place.0].tally
    }

    pub(crate) fn peak_queued(&self) -> usize {
        self.peak_queued
    }

    /// The counts of each site, in the order in which they first came. The times are still to be added ([`Snapshot::finish`]).
    pub(crate) fn snapshot(&self) -> Snapshot {
        let site = |entry: &Entry| {
            let mut figures = Figures { submitted: entry.submitted, refused: entry.refused, ..Figures::default() };
            figures.cancelled_before_start = entry.cancelled;
            entry.tally.count_ended(&mut figures);
            figures.running = entry.started - figures.completed - figures.panicked - figures.cancelled_after_start;
            figures.queued = entry.submitted - entry.started - entry.cancelled - figures.refused_in_all();
            (Arc::clone(&entry.tally), figures)
        };
        Snapshot(self.entries.iter().map(site).collect())
    }

    #[inline]
    fn entry(&mut self, origin: Origin) -> &mut Entry {
        if self.entries.get(self.last).is_none_or(|entry| entry.origin != origin) {
            self.last = self.find(origin);
        }
        &mut self.entries[self.last]
    }

    fn find(&mut self, origin: Origin) -> usize {
        match self.order.binary_search_by_key(&origin, |index| self.entries[*index].origin) {
            Ok(found) => self.order[found],
            Err(place) => self.open(origin, place),
        }
    }

    #[cold]
    fn open(&mut self, origin: Origin, place: usize) -> usize {
        let tally = Tally::new(origin, self.timing, &self.label);
        self.order.insert(place, self.entries.len());
        self.entries.push(Entry {
            origin,
            submitted: 0,
            started: 0,
            cancelled: 0,
            refused: [0; Refusal::COUNT],
            tally,
        });
        self.entries.len() - 1
    }
}
