//! What is counted, for each endpoint: how requests ended and how long they took.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::client::{Ending, PATIENCE};

/// How the requests to one endpoint ended.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) served: u64,
    pub(crate) refused: u64,
    pub(crate) gave_up: u64,
    /// Other statuses.
    pub(crate) others: BTreeMap<u16, u64>,
    /// Without an answer that makes sense, and why the last of them was.
    pub(crate) broken: u64,
    pub(crate) why_broken: Option<String>,
    /// Not sent, as too many were under way.
    pub(crate) unsent: u64,
    /// The times until requests were served, or their clients gave up.
    pub(crate) waited: Times,
    /// The times until requests were refused.
    pub(crate) refusals: Times,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            served: 0,
            refused: 0,
            gave_up: 0,
            others: BTreeMap::new(),
            broken: 0,
            why_broken: None,
            unsent: 0,
            waited: Times::new(),
            refusals: Times::new(),
        }
    }

    pub(crate) fn count<T>(&mut self, ending: &Ending<T>, took: Duration) {
        match ending {
            Ending::Served(_) => {
                self.served += 1;
                self.waited.record(took);
            }
            Ending::Refused => {
                self.refused += 1;
                self.refusals.record(took);
            }
            Ending::GaveUp => {
                self.gave_up += 1;
                self.waited.record(took);
            }
            Ending::Status(status) => *self.others.entry(status.as_u16()).or_default() += 1,
            Ending::Broken(why) => {
                self.broken += 1;
                self.why_broken = Some(why.clone());
            }
        }
    }

    pub(crate) fn sent(&self) -> u64 {
        self.served + self.refused + self.gave_up + self.broken + self.others.values().sum::<u64>()
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.served += other.served;
        self.refused += other.refused;
        self.gave_up += other.gave_up;
        self.broken += other.broken;
        self.unsent += other.unsent;
        self.why_broken = self.why_broken.take().or_else(|| other.why_broken.clone());
        for (status, count) in &other.others {
            *self.others.entry(*status).or_default() += count;
        }
        self.waited.add(&other.waited);
        self.refusals.add(&other.refusals);
    }
}

/// Times, to three digits.
#[derive(Clone, Debug)]
pub(crate) struct Times(Histogram<u64>);

impl Times {
    fn new() -> Self {
        // Microseconds. Clients give up before the longest time that fits; a longer time counts as that.
        let most = 2 * u64::try_from(PATIENCE.as_micros()).expect("seconds");
        Self(Histogram::new_with_bounds(1, most, 3).expect("the bounds are in order, and three digits are allowed"))
    }

    fn record(&mut self, took: Duration) {
        self.0.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    fn add(&mut self, other: &Self) {
        self.0.add(&other.0).expect("all have the same bounds");
    }

    /// `None` if there are no times.
    pub(crate) fn quantile(&self, quantile: f64) -> Option<Duration> {
        (!self.0.is_empty()).then(|| Duration::from_micros(self.0.value_at_quantile(quantile)))
    }

    pub(crate) fn max(&self) -> Option<Duration> {
        (!self.0.is_empty()).then(|| Duration::from_micros(self.0.max()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_what_was_served_and_of_what_gave_up() {
        let mut tally = Tally::new();
        for millisecond in 1..=99 {
            tally.count(&Ending::Served(()), Duration::from_millis(millisecond));
        }
        tally.count(&Ending::<()>::GaveUp, PATIENCE);
        tally.count(&Ending::<()>::Refused, Duration::from_millis(2));
        assert_eq!((tally.served, tally.gave_up, tally.refused, tally.sent()), (99, 1, 1, 101));
        let near =
            |time: Option<Duration>, ms: u64| time.unwrap().as_millis().abs_diff(ms.into()) <= u128::from(ms / 500);
        assert!(near(tally.waited.quantile(0.5), 50), "{:?}", tally.waited.quantile(0.5));
        assert!(near(tally.waited.max(), 10_000));
        assert!(near(tally.refusals.max(), 2));
        let mut sum = Tally::new();
        assert_eq!(sum.waited.quantile(0.5), None);
        sum.add(&tally);
        sum.add(&tally);
        assert_eq!((sum.sent(), sum.waited.max()), (202, tally.waited.max()));
    }
}
