//! The counts and times of the jobs of one site in one executor, written without a lock.
//!
//! Each event of a job is counted after the one before: submitted, started, ended (or cancelled, or refused, instead of started). A reader
//! goes from the last to the first, so that it finds no more jobs ended than started, and no more started than submitted. An end is
//! counted before the result is published, so that a job that was awaited is counted. Counts are spread over a few shards, so that threads
//! on different cores seldom write to the same line.

use std::cell::Cell;
use std::num::NonZero;
use std::sync::{LazyLock, OnceLock};
use std::thread::available_parallelism;

use super::histogram::Recorder;
use super::panics::Panics;
use super::publish::{Event, Published};
use super::{Figures, Refusal, SiteMetrics};
use crate::clock::{Moment, Stamp};
use crate::error::Error;
use crate::job::{End, Origin, Outcome};
use crate::sync::{Arc, Counter, LooseFlag};

/// The most shards. Beyond it, memory grows and nothing is gained. A power of two.
const SHARDS: usize = 8;

/// The jobs of one site in one executor.
pub(crate) struct Tally {
    origin: Origin,
    /// The position among the sites of the executor.
    number: u64,
    timing: bool,
    /// The executor's record.
    panics: Arc<Panics>,
    /// The number of timed jobs in a row that were [`SHORT`].
    short_in_a_row: Counter,
    /// Whether that is [`STREAK`] or more, so that one in [`Stamp::SAMPLE`] is timed.
    is_short: LooseFlag,
    shards: [Shard; SHARDS],
    pub(super) published: Published,
}

/// Jobs that run for no longer, in nanoseconds, are timed by samples: three readings of the clock and two histograms for each job show in the rows
/// `stat` of `benches`.
const SHORT: u64 = 10_000;

/// So many are timed each, before samples are taken.
const STREAK: u64 = 64;

/// Two cache lines, as processors fetch them in pairs.
#[repr(align(128))]
#[derive(Default)]
struct Shard {
    submitted: Counter,
    started: Counter,
    completed: Counter,
    /// Of `completed`.
    failed: Counter,
    panicked: Counter,
    cancelled_before_start: Counter,
    cancelled_after_start: Counter,
    refused: [Counter; Refusal::COUNT],
    /// Jobs that ended, with a value or not, after their caller had left.
    abandoned: Counter,
    items: Counter,
    /// Made by the first time that is recorded.
    wait: OnceLock<Recorder>,
    run: OnceLock<Recorder>,
    abandoned_run: OnceLock<Recorder>,
}

impl Tally {
    pub(super) fn new(
        origin: Origin,
        number: u64,
        timing: bool,
        label: Option<&Arc<str>>,
        panics: &Arc<Panics>,
    ) -> Arc<Self> {
        let published = Published::new(label, origin);
        let (short_in_a_row, is_short, shards) = (Counter::new(), LooseFlag::new(false), Default::default());
        let panics = Arc::clone(panics);
        Arc::new(Self { origin, number, timing, panics, short_in_a_row, is_short, shards, published })
    }

    pub(super) fn origin(&self) -> Origin {
        self.origin
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// A job is submitted. Counted before it can start.
    #[inline]
    pub(crate) fn submitted(self: &Arc<Self>) {
        self.shard().submitted.add_one();
        Event::Submitted.publish(self);
    }

    /// A submitted job was cancelled before it started.
    pub(crate) fn cancelled(self: &Arc<Self>) {
        self.shard().cancelled_before_start.add_one();
        Event::Cancelled.publish(self);
    }

    /// A submitted job was refused.
    pub(crate) fn refused(self: &Arc<Self>, why: &Error) {
        let why = Refusal::of(why);
        self.shard().refused[why as usize].add_one();
        Event::Refused(why).publish(self);
    }

    /// The consumer of a stream was handed so many items.
    pub(crate) fn items(self: &Arc<Self>, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.shard().items.add(count);
        Event::Items(count).publish(self);
    }

    /// The stamp of a job that is queued now.
    #[inline]
    pub(crate) fn stamp(&self) -> Stamp {
        let is_sample = self.is_short.get();
        if self.timing && (!is_sample || is_next_sample()) { Stamp::new(Moment::now(), is_sample) } else { Stamp::NONE }
    }

    /// A job begins that was queued at `stamp`. Returns when, if it is timed.
    #[inline]
    pub(crate) fn started(&self, stamp: Stamp) -> Option<Moment> {
        self.count_start();
        self.publish_start(stamp)
    }

    /// The first half of `started`, which calls no recorder.
    #[inline]
    pub(crate) fn count_start(&self) {
        self.shard().started.add_one();
    }

    /// The second half of `started`.
    #[inline]
    pub(crate) fn publish_start(&self, stamp: Stamp) -> Option<Moment> {
        let now = (stamp != Stamp::NONE).then(Moment::now);
        let waited = now.map(|now| (stamp.waited(now), stamp.jobs()));
        if let Some((nanoseconds, jobs)) = waited {
            self.shard().wait.get_or_init(Recorder::new).record(nanoseconds, jobs);
        }
        self.published.started(waited);
        now
    }

    /// A job has ended that was queued at `stamp` and began at `since`. Its result is not yet published.
    #[inline]
    pub(crate) fn ended(&self, end: End<'_>, stamp: Stamp, since: Option<Moment>) {
        let shard = self.shard();
        let took = since.map(|since| (Moment::now().since(since), stamp.jobs()));
        if let Some((nanoseconds, jobs)) = took {
            shard.run.get_or_init(Recorder::new).record(nanoseconds, jobs);
            let streak = if nanoseconds <= SHORT { (self.short_in_a_row.get() + 1).min(STREAK) } else { 0 };
            self.short_in_a_row.set(streak);
            self.is_short.set(streak == STREAK);
        }
        if end.outcome == Outcome::Completed && !end.is_abandoned {
            shard.completed.add_one();
        } else {
            self.ended_otherwise(shard, end, took);
        }
        self.published.ended(end, took);
    }

    /// Counts a job that did not just return a value to its caller.
    #[cold]
    fn ended_otherwise(&self, shard: &Shard, end: End<'_>, took: Option<(u64, u64)>) {
        // A count that is a part of another comes after it: a reader goes the other way.
        match end.outcome {
            Outcome::Completed => shard.completed.add_one(),
            Outcome::Failed => {
                shard.completed.add_one();
                shard.failed.add_one()
            }
            Outcome::Panicked => {
                self.panics.add(self.origin, end.error);
                shard.panicked.add_one()
            }
            Outcome::Cancelled => shard.cancelled_after_start.add_one(),
            Outcome::Refused => shard.refused[Refusal::State as usize].add_one(),
        };
        if end.is_abandoned {
            shard.abandoned.add_one();
            if let Some((nanoseconds, jobs)) = took {
                shard.abandoned_run.get_or_init(Recorder::new).record(nanoseconds, jobs);
            }
        }
    }

    /// The counts and times, from the last events to the first.
    pub(super) fn read(&self) -> SiteMetrics {
        let mut figures = Figures::default();
        let sum = |count: fn(&Shard) -> &Counter| self.shards.iter().map(|shard| count(shard).get()).sum::<u64>();
        for shard in &self.shards {
            if let Some(wait) = shard.wait.get() {
                figures.wait.add(wait);
            }
            if let Some(run) = shard.run.get() {
                figures.run.add(run);
            }
            if let Some(run) = shard.abandoned_run.get() {
                figures.abandoned_run.add(run);
            }
        }
        figures.items = sum(|shard| &shard.items);
        figures.abandoned = sum(|shard| &shard.abandoned);
        figures.failed = sum(|shard| &shard.failed);
        figures.completed = sum(|shard| &shard.completed);
        figures.panicked = sum(|shard| &shard.panicked);
        figures.cancelled_after_start = sum(|shard| &shard.cancelled_after_start);
        // Jobs that had begun when they were refused.
        let failed = sum(|shard| &shard.refused[Refusal::State as usize]);
        let started = sum(|shard| &shard.started);
        figures.cancelled_before_start = sum(|shard| &shard.cancelled_before_start);
        for shard in &self.shards {
            for (all, refused) in figures.refused.iter_mut().zip(&shard.refused) {
                *all += refused.get();
            }
        }
        figures.refused[Refusal::State as usize] = 0;
        figures.submitted = sum(|shard| &shard.submitted);
        figures.running = started - figures.completed - figures.panicked - figures.cancelled_after_start - failed;
        figures.queued = figures.submitted - started - figures.cancelled_before_start - figures.refused_in_all();
        figures.refused[Refusal::State as usize] = failed;
        SiteMetrics { site: self.origin.site(), figures }
    }

    #[inline]
    fn shard(&self) -> &Shard {
        &self.shards[this_thread() % SHARDS]
    }
}

/// The number of this thread's shard. They are dealt out in turn, as many as there are cores.
#[inline]
fn this_thread() -> usize {
    static CORES: LazyLock<usize> = LazyLock::new(|| available_parallelism().map_or(1, NonZero::get));
    static NEXT: Counter = Counter::new();
    std::thread_local! {
        static NUMBER: usize = usize::try_from(NEXT.add_one()).unwrap_or(0) % *CORES;
    }
    // A thread whose locals are gone uses the first shard.
    NUMBER.try_with(|number| *number).unwrap_or(0)
}

/// Whether the next of this thread's short jobs is timed: one in [`Stamp::SAMPLE`], at random, so that sites whose jobs come in turns all
/// have their share. From one to the next it is 1 to 31, by a generator of Marsaglia's ("Xorshift RNGs", 2003).
#[inline]
fn is_next_sample() -> bool {
    std::thread_local! {
        static LEFT: Cell<u64> = const { Cell::new(0) };
        static RANDOM: Cell<u32> = const { Cell::new(0x9E37_79B9) };
    }
    let draw = |random: &Cell<u32>| {
        let mut x = random.get();
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        random.set(x);
        u64::from(x) % (2 * Stamp::SAMPLE - 1)
    };
    let count = |left: &Cell<u64>| {
        let is_next = left.get() == 0;
        left.set(if is_next { RANDOM.try_with(draw).unwrap_or(0) } else { left.get() - 1 });
        is_next
    };
    LEFT.try_with(count).unwrap_or(false)
}
