//! The clock of the figures: moments of this process, and the stamp that a queued job carries.
//!
//! Read as rarely as the figures allow: as a job is queued (`Queue::stamp`), begins and ends (`Notes`); where many wait or come, of one in 16
//! (`metrics/sampling.rs`).

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

/// When a job was queued, if it was looked, and for how many jobs it stands, in [`BITS`](Self::BITS) bits.
///
/// The lowest bit says that it stands for [`SAMPLE`](Self::SAMPLE) jobs in how long they wait, the next that it stands for itself in how long
/// it runs, as each job then does. The others count units of 64 nanoseconds, modulo 52 days; zero: it was not looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp(u64);

impl Stamp {
    pub(crate) const BITS: u32 = 48;
    /// Nothing was noted as the job came, and others stand for it.
    pub(crate) const NONE: Self = Self(0);
    /// The same, but how long it runs is to be noted.
    pub(crate) const RUN_ALONE: Self = Self(Self::RUN);
    /// Of so many jobs one is stamped, where many wait or come.
    pub(crate) const SAMPLE: u64 = 16;
    const SAMPLED: u64 = 1;
    const RUN: u64 = 2;
    const FLAGS: u32 = 2;
    const UNIT_BITS: u32 = 6;
    const TIME: u64 = (1 << (Self::BITS - Self::FLAGS)) - 1;

    /// The stamp of a job that stands for itself.
    #[inline]
    pub(crate) fn alone(moment: Moment) -> Self {
        Self::at(moment, Self::RUN)
    }

    /// That of one in [`SAMPLE`](Self::SAMPLE). `run_alone`: of the others, too, it is noted how long they run.
    #[inline]
    pub(crate) fn sampled(moment: Moment, run_alone: bool) -> Self {
        Self::at(moment, Self::SAMPLED | if run_alone { Self::RUN } else { 0 })
    }

    #[inline]
    fn at(moment: Moment, flags: u64) -> Self {
        let time = (moment.0.get() >> Self::UNIT_BITS) & Self::TIME;
        // Once in 52 days a stamp would look like none: it is a unit late.
        Self(time.max(1) << Self::FLAGS | flags)
    }

    #[inline]
    pub(crate) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    #[inline]
    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    #[inline]
    fn has(self, flag: u64) -> bool {
        self.0 & flag != 0
    }

    #[inline]
    fn time(self) -> u64 {
        self.0 >> Self::FLAGS
    }

    /// Whether it was looked.
    #[inline]
    pub(crate) fn is_clocked(self) -> bool {
        self.time() != 0
    }

    /// For how many jobs it stands in how long they run; zero: others stand for it.
    #[inline]
    pub(crate) fn runs(self) -> u64 {
        match (self.has(Self::RUN), self.is_clocked()) {
            (true, _) => 1,
            (false, true) => Self::SAMPLE,
            (false, false) => 0,
        }
    }

    /// The nanoseconds from the stamp to `now`, and for how many jobs they stand.
    #[inline]
    pub(crate) fn waited(self, now: Moment) -> Option<(u64, u64)> {
        let jobs = if self.has(Self::SAMPLED) { Self::SAMPLE } else { 1 };
        self.is_clocked().then(|| (self.nanoseconds_to(now.0.get() >> Self::UNIT_BITS & Self::TIME), jobs))
    }

    /// The nanoseconds to a later stamp.
    #[inline]
    pub(crate) fn nanoseconds_to_stamp(self, later: Self) -> u64 {
        self.nanoseconds_to(later.time())
    }

    #[inline]
    fn nanoseconds_to(self, time: u64) -> u64 {
        let units = time.wrapping_sub(self.time()) & Self::TIME;
        // Two threads may see the clock tick in the other order.
        let units = if units > Self::TIME / 2 { 0 } else { units };
        units << Self::UNIT_BITS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_tells_how_long_ago_it_was_made_and_for_whom_it_stands() {
        let queued = Moment::at(1_000_000);
        for (stamp, waits, runs) in [
            (Stamp::alone(queued), 1, 1),
            (Stamp::sampled(queued, true), Stamp::SAMPLE, 1),
            (Stamp::sampled(queued, false), Stamp::SAMPLE, Stamp::SAMPLE),
        ] {
            assert!(stamp.bits() < 1 << Stamp::BITS && stamp.is_clocked());
            assert_eq!(Stamp::from_bits(stamp.bits()), stamp);
            assert_eq!(stamp.waited(queued.later(640_000)).unwrap(), (640_000, waits));
            assert_eq!((stamp.waited(queued), stamp.runs()), (Some((0, waits)), runs));
        }
        for (stamp, runs) in [(Stamp::NONE, 0), (Stamp::RUN_ALONE, 1)] {
            assert_eq!((stamp.waited(queued), stamp.runs(), stamp.is_clocked()), (None, runs, false));
        }
        assert_eq!(Stamp::alone(queued).nanoseconds_to_stamp(Stamp::sampled(queued.later(6_400), true)), 6_400);
    }

    #[test]
    fn a_stamp_goes_round_and_a_clock_may_step_back() {
        let late = Moment::at(((Stamp::TIME + 1) << Stamp::UNIT_BITS) - 64);
        let stamp = Stamp::alone(late);
        assert_eq!(stamp.waited(late.later(640)), Some((640, 1)));
        assert_eq!(stamp.nanoseconds_to_stamp(Stamp::alone(late.later(640))), 640);
        assert_eq!(Stamp::alone(Moment::at(6_400)).waited(Moment::at(640)), Some((0, 1)));
        // The moment that is all zeros is looked at.
        assert!(Stamp::alone(Moment::at((Stamp::TIME + 1) << Stamp::UNIT_BITS)).is_clocked());
    }

    #[test]
    fn a_moment_is_a_word() {
        let now = Moment::now();
        assert_eq!(Moment::from_word(Moment::to_word(Some(now))), Some(now));
        assert_eq!((Moment::to_word(None), Moment::from_word(0)), (0, None));
        assert!(Moment::now() >= now && now.since(Moment::now()) == 0);
    }
}
