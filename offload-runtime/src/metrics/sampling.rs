//! Of which jobs times are noted: of each, or of one in [`Stamp::SAMPLE`].
//!
//! A look at the clock takes 30 nanoseconds, as long as all else that a submit does to a thread that looks for work, and whoever submits is held up
//! for it (an event loop, mostly); the thread looks twice more. So it is looked for each job only while few wait, and few come. (What runs for long
//! is timed all the same: `notes.rs`.) A thread that submits 64 empty jobs and awaits them needs 0.76 of the time that way, four 0.9 (AMD Zen 4,
//! Linux 6.18).

use crate::clock::Stamp;

/// From so many waiting jobs on, one of [`Stamp::SAMPLE`] is stamped.
pub(crate) const DEEP: usize = 16;

/// If so many jobs come in [`SOON`], they come soon after one another: ten microseconds.
const ROW: u32 = 32;

/// In nanoseconds. They do so until one of the stamped, of which there is one in [`Stamp::SAMPLE`], comes later than that after the last.
const SOON: u64 = 320_000;

/// What a queue knows of it, under its lock.
#[derive(Default)]
pub(crate) struct Sampling {
    /// Many wait.
    deep: bool,
    /// Many come.
    dense: bool,
    /// The stamp that the row began with; or the last one, once many come.
    since: Option<Stamp>,
    /// How many have come in the row.
    row: u32,
}

impl Sampling {
    /// Whether they are noted of each job that comes.
    #[inline]
    pub(crate) fn is_of_each(&self) -> bool {
        !self.deep && !self.dense
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
        stamp != Stamp::NONE && self.came_at(stamp)
    }

    #[inline]
    fn came_at(&mut self, stamp: Stamp) -> bool {
        self.row += 1;
        if !self.dense && self.row < ROW {
            return false;
        }
        let was = self.dense;
        self.dense = self.since.is_some_and(|since| since.nanoseconds_to_stamp(stamp) <= SOON);
        (self.since, self.row) = (Some(stamp), 0);
        self.dense != was
    }

    /// Nobody is there any more to take jobs: whatever came before, the next is one by itself.
    pub(crate) fn quiet(&mut self) -> bool {
        let was = self.dense;
        (self.dense, self.since, self.row) = (false, None, 0);
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
            let before = sampling.is_of_each();
            assert_eq!(sampling.taken(Stamp::new(*at, false)), before != sampling.is_of_each());
        }
    }

    #[test]
    fn where_jobs_come_soon_after_one_another_one_in_many_is_clocked() {
        for (gap, of_each) in [(100, false), (9_900, false), (10_100, true)] {
            let (mut sampling, mut at) = (Sampling::default(), Moment::now());
            take(&mut sampling, &mut at, 2 * ROW - 1, gap);
            assert!(sampling.is_of_each(), "too early to tell");
            take(&mut sampling, &mut at, 1, gap);
            assert_eq!(sampling.is_of_each(), of_each, "{gap}");
        }
    }

    #[test]
    fn one_that_comes_late_is_by_itself_and_so_is_what_follows() {
        let (mut sampling, mut at) = (Sampling::default(), Moment::now());
        take(&mut sampling, &mut at, 2 * ROW, 100);
        assert!(!sampling.taken(Stamp::NONE));
        take(&mut sampling, &mut at, 3, SOON - 64);
        assert!(!sampling.is_of_each());
        take(&mut sampling, &mut at, 1, SOON + 64);
        assert!(sampling.is_of_each());
        take(&mut sampling, &mut at, ROW - 1, 100);
        assert!(sampling.is_of_each());
        take(&mut sampling, &mut at, 1, 100);
        assert!(!sampling.is_of_each());
        assert!(sampling.quiet() && sampling.is_of_each() && !sampling.quiet());
        take(&mut sampling, &mut at, 2 * ROW - 1, 100);
        assert!(sampling.is_of_each(), "it went on as before");
    }

    #[test]
    fn where_many_wait_one_in_many_is_clocked_until_half_of_them_are_gone() {
        let mut sampling = Sampling::default();
        for (len, changes) in [(DEEP - 1, false), (DEEP, true), (DEEP + 1, false), (1, false)] {
            assert_eq!(sampling.grown(len), changes, "{len}");
        }
        for (len, changes) in [(DEEP, false), (DEEP / 2 + 1, false), (DEEP / 2, true), (DEEP / 2 - 1, false)] {
            assert_eq!((sampling.shrunk(len), sampling.is_of_each()), (changes, len <= DEEP / 2), "{len} left");
        }
        assert!(sampling.grown(DEEP) && sampling.shrunk(0), "all at once");
        assert!(sampling.is_of_each());
    }
}
