//! Of which jobs it is noted when they come: of each, or of one in [`Stamp::SAMPLE`].
//!
//! A look at the clock takes 30 nanoseconds, as long as all else that a submit does to a thread that looks for work, and whoever submits is held up
//! for it (an event loop, mostly). So it is looked for each job only while few wait, and few come.
//!
//! Where many wait, how long they run is noted of one in as many, too, if they are short. Where they come one soon after the other it is noted of
//! each: that takes no time of the submitter's, and one that is long among them is seen.

use crate::clock::Stamp;

/// From so many waiting jobs on, one of [`Stamp::SAMPLE`] is stamped.
pub(crate) const DEEP: usize = 16;

/// If so many jobs come in [`SOON`], they come soon after one another: ten microseconds.
const ROW: u32 = 32;

/// In nanoseconds. They do so until one of the stamped, of which there is one in [`Stamp::SAMPLE`], comes later than that after the last.
const SOON: u64 = 320_000;

/// What is noted of jobs that come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clocking {
    /// When each comes.
    Each,
    /// When one in many comes, but of each how long it runs.
    Waits,
    /// Of one in many both.
    Both,
    /// Nothing.
    Off,
}

/// What a queue knows of it, under its lock.
pub(crate) struct Sampling {
    timing: bool,
    /// Many wait.
    deep: bool,
    /// Many come.
    dense: bool,
    /// The stamp that the row began with; or the last one, once many come.
    since: Stamp,
    /// How many have come in the row.
    row: u32,
}

impl Sampling {
    pub(crate) fn new(timing: bool) -> Self {
        Self { timing, deep: false, dense: false, since: Stamp::NONE, row: 0 }
    }

    #[inline]
    pub(crate) fn clocking(&self) -> Clocking {
        match self {
            Self { timing: false, .. } => Clocking::Off,
            Self { deep: true, .. } => Clocking::Both,
            Self { dense: true, .. } => Clocking::Waits,
            _ => Clocking::Each,
        }
    }

    /// So many wait, one or some more than before. Returns whether it changes anything, as those below do.
    #[inline]
    pub(crate) fn grown(&mut self, len: usize) -> bool {
        let changes = len >= DEEP && !self.deep;
        self.deep |= changes;
        changes
    }

    /// So many wait, one less than before.
    #[inline]
    pub(crate) fn shrunk(&mut self, len: usize) -> bool {
        // Well below where it began, so that it does not change with each job.
        let changes = self.deep && (len == DEEP / 2 || len == 0);
        self.deep ^= changes;
        changes
    }

    /// A job is taken that came with this stamp.
    #[inline]
    pub(crate) fn taken(&mut self, stamp: Stamp) -> bool {
        stamp.is_clocked() && self.came_at(stamp)
    }

    #[inline]
    fn came_at(&mut self, stamp: Stamp) -> bool {
        self.row += 1;
        if !self.dense && self.row < ROW {
            return false;
        }
        let was = self.dense;
        self.dense = self.since.is_clocked() && self.since.nanoseconds_to_stamp(stamp) <= SOON;
        (self.since, self.row) = (stamp, 0);
        self.dense != was
    }

    /// Nobody is there any more to take jobs: whatever came before, the next is one by itself.
    pub(crate) fn quiet(&mut self) -> bool {
        let was = self.dense;
        (self.dense, self.since, self.row) = (false, Stamp::NONE, 0);
        was
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;

    /// Takes `jobs` that came `gap` nanoseconds after one another.
    fn take(sampling: &mut Sampling, at: &mut Moment, jobs: u32, gap: u64) {
        for _ in 0..jobs {
            *at = at.later(gap);
            sampling.taken(Stamp::alone(*at));
        }
    }

    #[test]
    fn where_jobs_come_soon_after_one_another_one_in_many_is_clocked() {
        for (gap, expected) in [(100, Clocking::Waits), (9_900, Clocking::Waits), (10_100, Clocking::Each)] {
            let (mut sampling, mut at) = (Sampling::new(true), Moment::now());
            take(&mut sampling, &mut at, 2 * ROW - 1, gap);
            assert_eq!(sampling.clocking(), Clocking::Each, "too early to tell");
            take(&mut sampling, &mut at, 1, gap);
            assert_eq!(sampling.clocking(), expected, "{gap}");
        }
    }

    #[test]
    fn one_that_comes_late_is_by_itself_and_so_is_what_follows() {
        let (mut sampling, mut at) = (Sampling::new(true), Moment::now());
        take(&mut sampling, &mut at, 2 * ROW, 100);
        for stamp in [Stamp::NONE, Stamp::RUN_ALONE] {
            sampling.taken(stamp);
        }
        take(&mut sampling, &mut at, 3, SOON - 64);
        assert_eq!(sampling.clocking(), Clocking::Waits);
        take(&mut sampling, &mut at, 1, SOON + 64);
        assert_eq!(sampling.clocking(), Clocking::Each);
        take(&mut sampling, &mut at, ROW - 1, 100);
        assert_eq!(sampling.clocking(), Clocking::Each);
        take(&mut sampling, &mut at, 1, 100);
        assert_eq!(sampling.clocking(), Clocking::Waits);
        sampling.quiet();
        take(&mut sampling, &mut at, 2 * ROW - 1, 100);
        assert_eq!(sampling.clocking(), Clocking::Each, "it went on as before");
    }

    #[test]
    fn where_many_wait_runs_are_sampled_too() {
        let (mut sampling, mut at) = (Sampling::new(true), Moment::now());
        for dense in [false, true] {
            let few = if dense { Clocking::Waits } else { Clocking::Each };
            for (len, expected) in [(DEEP - 1, few), (DEEP, Clocking::Both), (1, Clocking::Both)] {
                sampling.grown(len);
                assert_eq!(sampling.clocking(), expected, "{len}");
            }
            for (len, expected) in [(DEEP, Clocking::Both), (DEEP / 2 + 1, Clocking::Both), (DEEP / 2, few)] {
                sampling.shrunk(len);
                assert_eq!(sampling.clocking(), expected, "{len} left");
            }
            sampling.grown(DEEP);
            sampling.shrunk(0);
            assert_eq!(sampling.clocking(), few, "all at once");
            take(&mut sampling, &mut at, 2 * ROW, 100);
        }
        assert_eq!(Sampling::new(false).clocking(), Clocking::Off);
    }
}
