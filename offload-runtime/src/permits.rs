//! The places of a bounded executor: each accepted job holds one from its submission until it ends, is cancelled or is refused.
//!
//! Callers that wait for a place stand in a line, which a lock guards. While there is a line, places that are given back go to its first, so that
//! no later submission takes them. Without a line, places are taken and given back by one atomic operation, and the lock is not touched.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Weak;
use std::task::{Poll, Waker};

use crate::sync::{self, Arc, AtomicIsize, Mutex, Ordering};

#[cfg(all(test, offload_loom))]
mod models;

/// One free place, in the word.
const PLACE: isize = 2;

/// The bit of the word that is set while there is a line.
const LINE: isize = 1;

/// The places of an executor, and the line of callers that wait for one.
#[derive(Debug)]
pub struct Permits {
    /// `PLACE` times the number of free places, which is below zero after the executor was made smaller; and `LINE`.
    ///
    /// `LINE` changes under the lock only. With it set, places are given back under the lock.
    word: AtomicIsize,
    line: Mutex<Line>,
}

#[derive(Debug, Default)]
struct Line {
    /// The number of the next ticket.
    next: u64,
    /// The callers in line, by their tickets.
    waiting: BTreeMap<u64, Waker>,
    /// The tickets that have a place, and do not know it yet.
    granted: BTreeSet<u64>,
    /// The executor takes no more jobs.
    closed: bool,
}

/// Whether a place was to be had.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Acquired {
    Place,
    /// There will be none: the executor was closed.
    Closed,
}

fn count(places: usize) -> isize {
    // More than the half of memory holds.
    isize::try_from(places).unwrap_or(isize::MAX).min(isize::MAX / (2 * PLACE)) * PLACE
}

impl Permits {
    pub(crate) fn new(places: usize) -> Self {
        Self { word: AtomicIsize::new(count(places)), line: Mutex::default() }
    }

    /// Takes a place, if one is free and no caller waits for it.
    pub(crate) fn try_acquire(&self) -> bool {
        let take = |word: isize| (word >= PLACE && word & LINE == 0).then(|| word - PLACE);
        // ORDERING: Acquire pairs with the Release of `release`: the job that had the place has ended. A failure reads nothing.
        self.word.fetch_update(Ordering::Acquire, Ordering::Relaxed, take).is_ok()
    }

    /// Takes a place, or stands in line for one. `ticket`: the caller's, once it stands in line; it is used up by the answer.
    pub(crate) fn poll_acquire(&self, ticket: &mut Option<u64>, waker: &Waker) -> Poll<Acquired> {
        if ticket.is_none() && self.try_acquire() {
            return Poll::Ready(Acquired::Place);
        }
        // Wakers are user code: they are cloned and dropped without the lock.
        let waker = waker.clone();
        let mut line = sync::lock(&self.line);
        let acquired = if ticket.is_some_and(|number| line.granted.remove(&number)) {
            Acquired::Place
        } else if line.closed {
            Acquired::Closed
        } else if ticket.is_none() && self.take_or_begin_line() {
            Acquired::Place
        } else {
            let number = *ticket.get_or_insert(line.next);
            line.next = line.next.max(number + 1);
            let before = line.waiting.insert(number, waker);
            drop((line, before));
            return Poll::Pending;
        };
        *ticket = None;
        drop((line, waker));
        Poll::Ready(acquired)
    }

    /// Takes a place as `try_acquire` does, or sets `LINE`, under the lock: a place that is given back later comes to the line.
    fn take_or_begin_line(&self) -> bool {
        let is_free = |word: isize| word >= PLACE && word & LINE == 0;
        let next = |word: isize| Some(if is_free(word) { word - PLACE } else { word | LINE });
        // ORDERING: Acquire as in `try_acquire`. The line itself is ordered by the lock.
        self.word.fetch_update(Ordering::Acquire, Ordering::Acquire, next).is_ok_and(is_free)
    }

    /// The caller with that ticket no longer waits. Returns the wakers to call.
    pub(crate) fn leave(&self, ticket: u64) -> Vec<Waker> {
        let mut line = sync::lock(&self.line);
        let own = line.waiting.remove(&ticket);
        // The place that it has not seen goes to the next.
        let places = usize::from(line.granted.remove(&ticket));
        let wakers = self.give_to(&mut line, count(places));
        // The caller's own waker is dropped without the lock.
        drop((line, own));
        wakers
    }

    /// Gives a place back, before the job's result is published: a caller that has awaited a job finds its place free. Returns the wakers
    /// to call, afterwards and without a lock.
    #[must_use]
    pub(crate) fn release(&self) -> Vec<Waker> {
        let give = |word: isize| (word & LINE == 0).then_some(word + PLACE);
        // ORDERING: Release, see `try_acquire`. A failure reads nothing.
        match self.word.fetch_update(Ordering::Release, Ordering::Relaxed, give) {
            Ok(_) => Vec::new(),
            Err(_) => self.change(PLACE),
        }
    }

    /// The executor is given another number of places. Returns the wakers to call.
    #[must_use]
    pub(crate) fn resize(&self, before: usize, after: usize) -> Vec<Waker> {
        self.change(count(after) - count(before))
    }

    #[cold]
    fn change(&self, difference: isize) -> Vec<Waker> {
        self.give_to(&mut sync::lock(&self.line), difference)
    }

    /// Changes the number of free places, and gives what is free to the first in line. Returns the wakers to call.
    fn give_to(&self, line: &mut Line, difference: isize) -> Vec<Waker> {
        // ORDERING: AcqRel: what ended before a place was given back is passed on with it, by the lock, to its next holder.
        self.word.fetch_add(difference, Ordering::AcqRel);
        let take = |word: isize| (word >= PLACE).then(|| word - PLACE);
        let mut wakers = Vec::new();
        while !line.waiting.is_empty()
            // ORDERING: Acquire, as in `try_acquire`.
            && self.word.fetch_update(Ordering::Acquire, Ordering::Relaxed, take).is_ok()
        {
            if let Some((ticket, waker)) = line.waiting.pop_first() {
                line.granted.insert(ticket);
                wakers.push(waker);
            }
        }
        if line.waiting.is_empty() {
            // ORDERING: Release: what was given back above may be taken without the lock from here on.
            self.word.fetch_and(!LINE, Ordering::Release);
        }
        wakers
    }

    /// The executor takes no more jobs. Returns all that wait, to be woken.
    fn close(&self) -> Vec<Waker> {
        let mut line = sync::lock(&self.line);
        line.closed = true;
        let waiting = std::mem::take(&mut line.waiting);
        let none = self.give_to(&mut line, 0);
        debug_assert!(none.is_empty(), "nothing is left to be given a place");
        drop(line);
        waiting.into_values().collect()
    }
}

/// The lines that end when an executor is closed: its own, and those of its views.
#[derive(Debug, Default)]
pub(crate) struct Lines(Mutex<Registered>);

#[derive(Debug, Default)]
struct Registered {
    closed: bool,
    lines: Vec<Weak<Permits>>,
}

impl Lines {
    pub(crate) fn add(&self, permits: &Arc<Permits>) {
        let mut registered = sync::lock(&self.0);
        if registered.closed {
            drop(registered);
            // It is new: no caller waits.
            drop(permits.close());
            return;
        }
        if registered.lines.len() == registered.lines.capacity() {
            // Costs no more than the growing of the vector that it avoids.
            registered.lines.retain(|permits| permits.strong_count() > 0);
        }
        registered.lines.push(Arc::downgrade(permits));
    }

    /// Closes all. Returns the wakers to call.
    #[must_use]
    pub(crate) fn close(&self) -> Vec<Waker> {
        let mut registered = sync::lock(&self.0);
        registered.closed = true;
        let lines = std::mem::take(&mut registered.lines);
        drop(registered);
        lines.iter().filter_map(Weak::upgrade).flat_map(|permits| permits.close()).collect()
    }
}
