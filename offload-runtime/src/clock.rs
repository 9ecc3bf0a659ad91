//! The clock of the metrics: moments of this process, and the stamp that a queued job carries.

use std::num::NonZeroU64;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// What moments count from. Not the pool's own, so that a job may be timed by more than one executor.
static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

/// A moment, in nanoseconds since the process first asked for one. Good for 584 years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(NonZeroU64);

impl Moment {
    #[inline]
    pub(crate) fn now() -> Self {
        let time = EPOCH.elapsed();
        // As a word, without 128-bit arithmetic.
        Self::at(time.as_secs().wrapping_mul(1_000_000_000).wrapping_add(u64::from(time.subsec_nanos())))
    }

    #[inline]
    fn at(nanoseconds: u64) -> Self {
        Self(NonZeroU64::new(nanoseconds).unwrap_or(NonZeroU64::MIN))
    }

    /// The nanoseconds between `earlier` and this.
    #[inline]
    pub(crate) fn since(self, earlier: Self) -> u64 {
        self.0.get().saturating_sub(earlier.0.get())
    }

    /// The moment that much earlier.
    #[cfg(feature = "process")]
    pub(crate) fn before(self, time: Duration) -> Self {
        Self::at(self.0.get().saturating_sub(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)))
    }

    pub(crate) fn elapsed(self) -> Duration {
        Duration::from_nanos(Self::now().since(self))
    }

    #[cfg(test)]
    pub(crate) fn later(self, nanoseconds: u64) -> Self {
        Self::at(self.0.get() + nanoseconds)
    }
}

/// When a job was queued, and how many jobs its times stand for, in [`BITS`](Self::BITS) bits. Zero: the job is not timed.
///
/// The lowest bit says that it stands for [`SAMPLE`](Self::SAMPLE) jobs; the others count units of 64 nanoseconds, modulo 104 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp(u64);

impl Stamp {
    pub(crate) const BITS: u32 = 48;
    pub(crate) const NONE: Self = Self(0);
    /// Of so many jobs one is timed, where jobs are sampled.
    pub(crate) const SAMPLE: u64 = 16;
    const UNIT_BITS: u32 = 6;
    const MASK: u64 = (1 << (Self::BITS - 1)) - 1;

    /// A stamp that stands for one job, or as `is_sample` for [`SAMPLE`](Self::SAMPLE).
    #[inline]
    pub(crate) fn new(moment: Moment, is_sample: bool) -> Self {
        // Once in 104 days a stamp would look like none: it is a unit late.
        let time = ((moment.0.get() >> Self::UNIT_BITS) & Self::MASK).max(1);
        Self(time << 1 | u64::from(is_sample))
    }

    #[inline]
    pub(crate) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    #[inline]
    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    /// The number of jobs that it stands for.
    #[inline]
    pub(crate) fn jobs(self) -> u64 {
        if self.0 & 1 == 0 { 1 } else { Self::SAMPLE }
    }

    /// The nanoseconds from the stamp to `now`.
    #[inline]
    pub(crate) fn waited(self, now: Moment) -> u64 {
        let units = (now.0.get() >> Self::UNIT_BITS).wrapping_sub(self.0 >> 1) & Self::MASK;
        // Two threads may see the clock tick in the other order.
        if units > Self::MASK / 2 { 0 } else { units << Self::UNIT_BITS }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_tells_how_long_ago_it_was_made() {
        let queued = Moment::at(1_000_000);
        let stamp = Stamp::new(queued, false);
        assert!(stamp.bits() < 1 << Stamp::BITS);
        assert_eq!(Stamp::from_bits(stamp.bits()), stamp);
        assert_eq!((stamp.waited(queued.later(640_000)), stamp.jobs()), (640_000, 1));
        let sample = Stamp::new(queued, true);
        assert_eq!((sample.waited(queued), sample.jobs()), (0, Stamp::SAMPLE));
    }

    #[test]
    fn a_stamp_wraps_and_the_clock_may_step_back() {
        let late = Moment::at(((Stamp::MASK + 1) << Stamp::UNIT_BITS) - 64);
        assert_eq!(Stamp::new(late, false).waited(late.later(640)), 640);
        assert_eq!(Stamp::new(Moment::at(6_400), false).waited(Moment::at(640)), 0);
        assert_ne!(Stamp::new(Moment::at((Stamp::MASK + 1) << Stamp::UNIT_BITS), false), Stamp::NONE);
    }

    #[test]
    fn a_moment_is_not_before_an_earlier_one() {
        let now = Moment::now();
        assert!(Moment::now() >= now && now.since(Moment::now()) == 0);
    }
}
