//! What became of the jobs of one site in one queue: counted where they run, without the queue's lock.
//!
//! Noted before a job's result is published, so that who has awaited it finds it counted. Spread over a few shards, so that threads on
//! different cores seldom write to the same line.

use std::num::NonZero;
use std::sync::{LazyLock, OnceLock};
use std::thread::available_parallelism;

use super::Figures;
use super::histogram::Recorder;
use super::publish::Published;
use crate::clock::{Moment, Stamp};
use crate::job::{Origin, Ran};
use crate::sync::{Arc, Counter};

/// So many at most: beyond it, memory grows and nothing is gained. A power of two.
const SHARDS: usize = 8;

/// The jobs of one site in one queue.
pub(crate) struct Tally {
    origin: Origin,
    timing: bool,
    shards: [Shard; SHARDS],
    pub(super) published: Published,
}

/// Two cache lines, as processors fetch them in pairs.
#[repr(align(128))]
#[derive(Default)]
struct Shard {
    completed: Counter,
    panicked: Counter,
    cancelled: Counter,
    /// Made by the first time that is noted.
    wait: OnceLock<Recorder>,
    run: OnceLock<Recorder>,
}

impl Tally {
    pub(super) fn new(origin: Origin, timing: bool, label: &Arc<str>) -> Arc<Self> {
        Arc::new(Self { origin, timing, shards: Default::default(), published: Published::new(label) })
    }

    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }

    /// A job begins. Returns when, if times are kept.
    #[inline]
    pub(crate) fn began(&self, thread: usize, stamp: Stamp) -> Option<Moment> {
        let now = self.timing.then(Moment::now);
        let waited = now.and_then(|now| stamp.waited(now));
        if let Some((nanoseconds, jobs)) = waited {
            self.shard(thread).wait.get_or_init(Recorder::new).record(nanoseconds, jobs);
        }
        self.published.began(self.origin, waited);
        now
    }

    /// A job begins, one of many.
    #[inline]
    pub(super) fn began_untimed(&self) {
        self.published.began(self.origin, None);
    }

    /// A job has ended, and nobody knows yet. It took so many nanoseconds, and stands for so many `jobs` in that.
    #[inline]
    pub(crate) fn ended(&self, thread: usize, ran: Ran, took: u64, jobs: u64) {
        self.shard(thread).run.get_or_init(Recorder::new).record(took, jobs);
        self.count(thread, ran);
        self.published.ended(self.origin, ran, Some((took, jobs)));
    }

    /// As `ended`, where it is not known how long it took.
    #[inline]
    pub(crate) fn ended_untimed(&self, thread: usize, ran: Ran) {
        self.count(thread, ran);
        self.published.ended(self.origin, ran, None);
    }

    #[inline]
    fn count(&self, thread: usize, ran: Ran) {
        let shard = self.shard(thread);
        let count = match ran {
            Ran::Completed => &shard.completed,
            Ran::Panicked => &shard.panicked,
            Ran::Cancelled => &shard.cancelled,
        };
        count.add_one();
    }

    /// How many have ended. Under the lock under which they are counted as they begin, it never is more than have begun.
    pub(super) fn count_ended(&self, figures: &mut Figures) {
        for shard in &self.shards {
            figures.completed += shard.completed.get();
            figures.panicked += shard.panicked.get();
            figures.cancelled_after_start += shard.cancelled.get();
        }
    }

    /// The times. They may be ahead of the counts by what has been going on since.
    pub(super) fn add_times(&self, figures: &mut Figures) {
        for shard in &self.shards {
            if let Some(wait) = shard.wait.get() {
                figures.wait.add(wait);
            }
            if let Some(run) = shard.run.get() {
                figures.run.add(run);
            }
        }
    }

    #[inline]
    fn shard(&self, thread: usize) -> &Shard {
        &self.shards[thread % SHARDS]
    }
}

/// The shard of this thread: they are dealt out in turn, as many as there are cores.
pub(crate) fn this_thread() -> usize {
    static CORES: LazyLock<usize> = LazyLock::new(|| available_parallelism().map_or(1, NonZero::get));
    static NEXT: Counter = Counter::new();
    std::thread_local! {
        static NUMBER: usize = usize::try_from(NEXT.add_one()).unwrap_or(0);
    }
    // A thread whose locals are gone is nobody's busiest.
    NUMBER.try_with(|number| *number % *CORES).unwrap_or(0)
}
