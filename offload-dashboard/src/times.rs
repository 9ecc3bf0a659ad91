//! Times of the last minutes: differences of histograms, of which only the buckets that are not empty are kept.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use offload_runtime::Histogram;
use serde::Serialize;

/// Histograms are kept this often.
const EVERY: Duration = Duration::from_secs(5);
/// Five minutes.
const KEPT: usize = 60;
/// One minute.
const MINUTE: usize = 12;

/// The buckets of a histogram, from the shortest: the longest time in it, and how many it counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Times(Vec<(Duration, u64)>);

impl Times {
    pub(crate) fn of(histogram: &Histogram) -> Self {
        Self(histogram.buckets().collect())
    }

    /// What was counted since `earlier`, a reading of the same histogram.
    fn since(&self, earlier: &Self) -> Self {
        let mut before = earlier.0.iter().peekable();
        let left = self.0.iter().filter_map(|(time, count)| {
            while before.next_if(|(known, _)| known < time).is_some() {}
            let known = before.next_if(|(known, _)| known == time).map_or(0, |(_, count)| *count);
            let left = count.saturating_sub(known);
            (left > 0).then_some((*time, left))
        });
        Self(left.collect())
    }

    fn quantiles(&self) -> Quantiles {
        let count: u64 = self.0.iter().map(|(_, count)| count).sum();
        let at = |percent: u64| {
            // The place of the wanted one, counted from 1 and rounded up.
            let place = (count * percent).div_ceil(100).max(1);
            let mut seen = 0;
            let bucket = self.0.iter().find(|(_, count)| {
                seen += count;
                seen >= place
            });
            bucket.map(|(time, _)| milliseconds(*time))
        };
        Quantiles { count, p50: at(50), p90: at(90), p99: at(99), max: at(100) }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
struct Quantiles {
    count: u64,
    p50: Option<f64>,
    p90: Option<f64>,
    p99: Option<f64>,
    max: Option<f64>,
}

/// The quantiles of the last minute, of the last five, and of all.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Windows {
    m1: Quantiles,
    m5: Quantiles,
    all: Quantiles,
}

/// A method of an executor: the executor's index, and the site.
pub(crate) type Key = (usize, String);

/// The wait and the run times of all methods at one moment.
type Kept = HashMap<Key, [Times; 2]>;

/// The histograms of the last five minutes.
#[derive(Debug, Default)]
pub(crate) struct History {
    kept: VecDeque<Kept>,
    /// When the last was kept.
    last: Option<Duration>,
}

impl History {
    /// The quantiles of the wait and the run times of a method, which are `now`.
    pub(crate) fn windows(&self, key: &Key, now: &[Times; 2]) -> [Windows; 2] {
        let minute =
            self.kept.len().checked_sub(MINUTE).map_or_else(|| self.kept.front(), |index| self.kept.get(index));
        [0, 1].map(|kind| {
            let all = &now[kind];
            // A method that came later had counted nothing then.
            let since = |kept: Option<&Kept>| {
                let earlier = kept.and_then(|kept| kept.get(key)).map(|times| &times[kind]);
                earlier.map_or_else(|| all.quantiles(), |earlier| all.since(earlier).quantiles())
            };
            Windows { m1: since(minute), m5: since(self.kept.front()), all: all.quantiles() }
        })
    }

    /// Keeps what was read at `now`, if it is time.
    pub(crate) fn keep(&mut self, now: Duration, read: impl Iterator<Item = (Key, [Times; 2])>) {
        if self.last.is_none_or(|last| now >= last + EVERY) {
            self.last = Some(now);
            self.kept.push_back(read.collect());
            if self.kept.len() > KEPT {
                self.kept.pop_front();
            }
        }
    }
}

/// To a tenth of a microsecond: what lies below is noise, and digits to send.
pub(crate) fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e7).round() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(buckets: &[(u64, u64)]) -> Times {
        Times(buckets.iter().map(|(ms, count)| (Duration::from_millis(*ms), *count)).collect())
    }

    #[test]
    fn a_difference_has_what_came_since() {
        let (earlier, later) = (times(&[(1, 10), (5, 2)]), times(&[(1, 10), (2, 3), (5, 4), (9, 1)]));
        assert_eq!(later.since(&earlier), times(&[(2, 3), (5, 2), (9, 1)]));
        assert_eq!(later.since(&later), times(&[]));
        assert_eq!(later.since(&times(&[])), later);
    }

    #[test]
    fn quantiles_are_those_of_the_counts() {
        let quantiles = times(&[(1, 50), (2, 40), (3, 9), (4, 1)]).quantiles();
        let read = [quantiles.p50, quantiles.p90, quantiles.p99, quantiles.max].map(Option::unwrap);
        assert_eq!((quantiles.count, read), (100, [1.0, 2.0, 3.0, 4.0]));
        assert_eq!(times(&[]).quantiles(), Quantiles::default());
        assert_eq!(times(&[(7, 1)]).quantiles().p50, Some(7.0));
    }

    #[test]
    fn a_window_forgets_what_is_older() {
        let mut history = History::default();
        let key = (0, "find".to_owned());
        // It has run so often for 1 ms, and then for 9 ms.
        let mut read = |second: u64, short, long| {
            let now = [Times::default(), times(&[(1, short), (9, long)])];
            let [_, run] = history.windows(&key, &now);
            history.keep(Duration::from_secs(second), std::iter::once((key.clone(), now)));
            [run.m1, run.m5, run.all].map(|quantiles| (quantiles.count, quantiles.p50))
        };
        assert_eq!(read(0, 10, 0), [(10, Some(1.0)); 3]);
        for second in (5..=100).step_by(5) {
            read(second, 10, 0);
        }
        // Nothing for 100 seconds; then 5 long ones.
        assert_eq!(read(105, 10, 5), [(5, Some(9.0)), (5, Some(9.0)), (15, Some(1.0))]);
        for second in (110..=180).step_by(5) {
            read(second, 10, 5);
        }
        assert_eq!(read(185, 10, 5), [(0, None), (5, Some(9.0)), (15, Some(1.0))]);
        for second in (190..=500).step_by(5) {
            read(second, 10, 5);
        }
        assert_eq!(read(505, 10, 5), [(0, None), (0, None), (15, Some(1.0))]);
        assert_eq!(history.kept.len(), KEPT);
    }
}
