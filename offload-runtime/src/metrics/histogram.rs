//! Durations by how often they occurred.
//!
//! The buckets are those of the `histogram` crate (its `AtomicHistogram` where jobs run): 16 to each doubling, so that a figure is off by
//! 6.25% at most, from a nanosecond to 4.8 hours. A longer time counts as that.

use std::fmt;
use std::time::Duration;

use histogram::{AtomicHistogram, Config};

/// 16 buckets to each doubling.
const GROUPING_POWER: u8 = 4;
/// 2 to the 44th nanoseconds are 4.8 hours.
const MAX_VALUE_POWER: u8 = 44;
const LONGEST: u64 = (1 << MAX_VALUE_POWER) - 1;

fn config() -> Config {
    Config::new(GROUPING_POWER, MAX_VALUE_POWER).expect("4 < 44 <= 64, which is what `Config::new` asks for")
}

/// The side that is written to, by any thread.
pub(super) struct Recorder(AtomicHistogram);

impl Recorder {
    pub(super) fn new() -> Self {
        Self(AtomicHistogram::with_config(&config()))
    }

    /// Records that so many `jobs` took so many nanoseconds.
    #[inline]
    pub(super) fn record(&self, nanoseconds: u64, jobs: u64) {
        // Never out of range.
        let _ = self.0.add(nanoseconds.min(LONGEST), jobs);
    }
}

/// How long something took, by how often: the wait times or the run times of jobs.
///
/// A figure is read from buckets, of which there are 16 to each doubling: it is at most 6.25% above the true one. Times beyond 4.8 hours
/// count as 4.8 hours.
///
/// # Examples
/// ```
/// use offload_runtime::{ExecutorExt, ThreadPool};
///
/// let pool = ThreadPool::new(1);
/// assert_eq!(pool.metrics().run().quantile(0.5), None); // nothing has run
/// pollster::block_on(pool.submit(|| ())).unwrap();
/// let metrics = pool.metrics();
/// assert_eq!(metrics.run().count(), 1);
/// println!("half of them in {:?}, all in {:?}", metrics.run().quantile(0.5), metrics.run().max());
/// assert!(metrics.run().mean() <= metrics.run().max());
/// for (at_most, jobs) in metrics.run().buckets() {
///     println!("{jobs} took {at_most:?} at most");
/// }
/// ```
#[derive(Clone)]
pub struct Histogram(histogram::Histogram);

impl Histogram {
    pub(super) fn new() -> Self {
        Self(histogram::Histogram::with_config(&config()))
    }

    pub(super) fn add(&mut self, recorder: &Recorder) {
        self.add_all(&Self(recorder.0.load()));
    }

    pub(super) fn add_all(&mut self, other: &Self) {
        for (here, there) in self.0.as_mut_slice().iter_mut().zip(other.0.as_slice()) {
            *here += there;
        }
    }

    /// How many were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.as_slice().iter().sum()
    }

    /// What the share `q` of them stayed at or below: 0.5 for the median, 0.99 for the 99th percentile.
    ///
    /// `None` if nothing was counted.
    ///
    /// # Panics
    /// If `q` is not between 0 and 1.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<Duration> {
        assert!((0.0..=1.0).contains(&q), "`Histogram::quantile`: {q} is not between 0 and 1");
        let bucket = self.0.quantile_bucket(q).expect("`q` was checked")?;
        Some(Duration::from_nanos(bucket.end()))
    }

    /// The mean, with each time taken as the middle of its bucket. `None` if nothing was counted.
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        let count = self.count();
        let middle = |bucket: histogram::Bucket| u128::from(bucket.start()).midpoint(u128::from(bucket.end()));
        let sum: u128 = self.0.iter().map(|bucket| u128::from(bucket.count()) * middle(bucket)).sum();
        let mean = sum.checked_div(u128::from(count))?;
        Some(Duration::from_nanos(u64::try_from(mean).unwrap_or(u64::MAX)))
    }

    /// The longest, as the end of its bucket. `None` if nothing was counted.
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        self.quantile(1.0)
    }

    /// The buckets that are not empty, from the shortest: the longest time that belongs to it, and how many it counts.
    ///
    /// For code that publishes the distribution.
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> {
        let filled = self.0.iter().filter(|bucket| bucket.count() > 0);
        filled.map(|bucket| (Duration::from_nanos(bucket.end()), bucket.count()))
    }
}

/// `12 of 3.4ms, 5.6ms, 7.8ms`: the count, the median, the 99th percentile, the longest.
impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.count())?;
        let quantiles = [0.5, 0.99, 1.0].map(|q| self.quantile(q));
        if let [Some(median), Some(p99), Some(max)] = quantiles {
            write!(f, " of {median:.1?}, {p99:.1?}, {max:.1?}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(times: &[u64]) -> Histogram {
        let recorder = Recorder::new();
        for time in times {
            recorder.record(*time, 1);
        }
        let mut histogram = Histogram::new();
        histogram.add(&recorder);
        histogram
    }

    #[test]
    fn a_quantile_is_at_most_a_sixteenth_too_long() {
        let times: Vec<u64> = (1..=1000).map(|i| i * 1_000).collect();
        let histogram = of(&times);
        for (q, exact) in [(0.5, 500_000), (0.99, 990_000), (1.0, 1_000_000), (0.0, 1_000)] {
            let nanoseconds = u64::try_from(histogram.quantile(q).unwrap().as_nanos()).unwrap();
            assert!((exact..=exact + exact / 16).contains(&nanoseconds), "{q}: {nanoseconds} for {exact}");
        }
        let mean = histogram.mean().unwrap().as_nanos();
        assert!((470_000..=530_000).contains(&mean), "{mean}");
        assert_eq!(histogram.buckets().map(|(_, count)| count).sum::<u64>(), 1000);
    }

    #[test]
    fn nothing_has_no_figures() {
        let histogram = of(&[]);
        assert_eq!((histogram.count(), histogram.max(), histogram.mean()), (0, None, None));
        assert_eq!(format!("{histogram:?}"), "0");
    }

    #[test]
    fn what_is_too_long_counts_as_the_longest() {
        assert_eq!(of(&[u64::MAX]).max(), Some(Duration::from_nanos(LONGEST)));
    }

    #[test]
    fn recorders_are_added_up() {
        let recorder = Recorder::new();
        for _ in 0..16 {
            recorder.record(10, 1);
        }
        let mut histogram = Histogram::new();
        histogram.add(&recorder);
        histogram.add(&recorder);
        assert_eq!((histogram.count(), histogram.max()), (32, Some(Duration::from_nanos(10))));
        assert_eq!(format!("{histogram:?}"), "32 of 10.0ns, 10.0ns, 10.0ns");
    }
}
