//! The clock of the figures: moments of this process, and the stamp that a queued job carries.
//!
//! Read as rarely as the figures allow: as a job is queued (`Queue::stamp`), begins and ends (`Notes`); where many short ones wait or come, of one
//! in 16 (`metrics/sampling.rs`).

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
        Self::at(nanoseconds(EPOCH.elapsed()))
    }

    #[inline]
    fn at(nanoseconds: u64) -> Self {
        Self(NonZeroU64::new(nanoseconds).unwrap_or(NonZeroU64::MIN))
    }

    /// How many nanoseconds lie between `earlier` and this.
    #[inline]
    pub(crate) fn since(self, earlier: Self) -> u64 {
        self.0.get().saturating_sub(earlier.0.get())
    }

    pub(crate) fn elapsed(self) -> Duration {
        Duration::from_nanos(Self::now().since(self))
    }

    #[cfg(test)]
    pub(crate) fn later(self, nanoseconds: u64) -> Self {
        Self::at(self.0.get() + nanoseconds)
    }

    /// As a word that is never zero, for an atomic.
    pub(crate) fn to_word(this: Option<Self>) -> u64 {
        this.map_or(0, |moment| moment.0.get())
    }

    pub(crate) fn from_word(word: u64) -> Option<Self> {
        NonZeroU64::new(word).map(Self)
    }
}

/// As a word, without 128-bit arithmetic.
#[inline]
fn nanoseconds(time: Duration) -> u64 {
    time.as_secs().wrapping_mul(1_000_000_000).wrapping_add(u64::from(time.subsec_nanos()))
}

/// When a job was queued, and for how many jobs it stands, in [`BITS`](Self::BITS) bits. Zero: it was not looked.
///
/// The lowest bit says that it stands for [`SAMPLE`](Self::SAMPLE) jobs, the others count units of 64 nanoseconds, modulo 104 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp(u64);

impl Stamp {
    pub(crate) const BITS: u32 = 48;
    pub(crate) const NONE: Self = Self(0);
    /// Of so many jobs one is stamped, where many wait or come.
    pub(crate) const SAMPLE: u64 = 16;
    const UNIT_BITS: u32 = 6;
    const TIME: u64 = (1 << (Self::BITS - 1)) - 1;

    /// A stamp that stands for one job, or as `sampled` for [`SAMPLE`](Self::SAMPLE).
    #[inline]
    pub(crate) fn new(moment: Moment, sampled: bool) -> Self {
        let time = (moment.0.get() >> Self::UNIT_BITS) & Self::TIME;
        // Once in 104 days a stamp of one job would look like none: it is a unit late.
        Self((time.max(1) << 1) | u64::from(sampled))
    }

    #[inline]
    pub(crate) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    #[inline]
    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    /// For how many jobs it stands.
    #[inline]
    pub(crate) fn jobs(self) -> u64 {
        if self.0 & 1 == 0 { 1 } else { Self::SAMPLE }
    }

    /// The nanoseconds from the stamp to `now`, and for how many jobs they stand.
    #[inline]
    pub(crate) fn waited(self, now: Moment) -> Option<(u64, u64)> {
        (self != Self::NONE).then(|| (self.nanoseconds_to(now.0.get() >> Self::UNIT_BITS), self.jobs()))
    }

    /// The nanoseconds to a later stamp.
    #[inline]
    pub(crate) fn nanoseconds_to_stamp(self, later: Self) -> u64 {
        self.nanoseconds_to(later.0 >> 1)
    }

    #[inline]
    fn nanoseconds_to(self, time: u64) -> u64 {
        let units = time.wrapping_sub(self.0 >> 1) & Self::TIME;
        // Two threads may see the clock tick in the other order.
        let units = if units > Self::TIME / 2 { 0 } else { units };
        units << Self::UNIT_BITS
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
        let (waited, weight) = stamp.waited(queued.later(640_000)).unwrap();
        assert_eq!((waited, weight), (640_000, 1));
        assert_eq!(Stamp::new(queued, true).waited(queued), Some((0, Stamp::SAMPLE)));
        assert_eq!(Stamp::NONE.waited(queued), None);
        assert_eq!(stamp.nanoseconds_to_stamp(Stamp::new(queued.later(6_400), true)), 6_400);
        assert_eq!(Stamp::new(queued.later(6_400), true).nanoseconds_to_stamp(stamp), 0);
    }

    #[test]
    fn a_stamp_goes_round_and_a_clock_may_step_back() {
        let late = Moment::at(((Stamp::TIME + 1) << Stamp::UNIT_BITS) - 64);
        let stamp = Stamp::new(late, false);
        assert_eq!(stamp.waited(late.later(640)), Some((640, 1)));
        assert_eq!(Stamp::new(Moment::at(6_400), false).waited(Moment::at(640)), Some((0, 1)));
        // The moment that is all zeros is no `NONE`.
        assert_ne!(Stamp::new(Moment::at((Stamp::TIME + 1) << Stamp::UNIT_BITS), false), Stamp::NONE);
    }

    #[test]
    fn a_moment_is_a_word() {
        let now = Moment::now();
        assert_eq!(Moment::from_word(Moment::to_word(Some(now))), Some(now));
        assert_eq!((Moment::to_word(None), Moment::from_word(0)), (0, None));
        assert!(Moment::now() >= now && now.since(Moment::now()) == 0);
    }
}
