//! When what is sent: an open loop, which does not wait for answers, as the people who use a service don't wait for one another.
//!
//! Arrivals are as random as theirs, and the same for the same seed. Half of the work for the CPU is signing in, half uploads;
//! for each such request there is one that reads. `GET /` is probed at even intervals, apart from all that.

use std::time::Duration;

use fastrand::Rng;

/// Between two probes.
pub(crate) const PROBE_EVERY: Duration = Duration::from_millis(50);

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Endpoint {
    Probe,
    SignIn,
    Upload,
    List,
    Fetch,
    Thumbnail,
}

impl Endpoint {
    pub(crate) const ALL: [Self; 6] =
        [Self::Probe, Self::SignIn, Self::Upload, Self::List, Self::Fetch, Self::Thumbnail];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Probe => "GET /",
            Self::SignIn => "POST /sessions",
            Self::Upload => "POST /pictures",
            Self::List => "GET /pictures",
            Self::Fetch => "GET /pictures/{id}",
            Self::Thumbnail => "GET /pictures/{id}/thumbnail",
        }
    }
}

/// The arrivals of one run, in order: when, from its start, and what.
#[derive(Debug)]
pub(crate) struct Schedule {
    rng: Rng,
    /// Work for the CPU per second.
    rate: f64,
    next_probe: Duration,
    next_work: Duration,
    next_read: Duration,
}

impl Schedule {
    pub(crate) fn new(rate: f64, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let (next_work, next_read) = (pause(&mut rng, rate), pause(&mut rng, rate));
        Self { rng, rate, next_probe: Duration::ZERO, next_work, next_read }
    }
}

/// A pause between two arrivals that know nothing of each other.
fn pause(rng: &mut Rng, rate: f64) -> Duration {
    Duration::from_secs_f64(-(1.0 - rng.f64()).ln() / rate)
}

impl Iterator for Schedule {
    type Item = (Duration, Endpoint);

    /// There is always a next one.
    fn next(&mut self) -> Option<Self::Item> {
        let due = self.next_probe.min(self.next_work).min(self.next_read);
        let endpoint = if due == self.next_probe {
            self.next_probe += PROBE_EVERY;
            Endpoint::Probe
        } else if due == self.next_work {
            self.next_work += pause(&mut self.rng, self.rate);
            if self.rng.bool() { Endpoint::SignIn } else { Endpoint::Upload }
        } else {
            self.next_read += pause(&mut self.rng, self.rate);
            [Endpoint::List, Endpoint::Fetch, Endpoint::Thumbnail][self.rng.usize(..3)]
        };
        Some((due, endpoint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_are_in_order_and_as_many_as_offered() {
        let arrivals: Vec<_> = Schedule::new(200.0, 7).take_while(|(due, _)| *due < Duration::from_secs(50)).collect();
        assert!(arrivals.is_sorted_by_key(|(due, _)| *due));
        let count = |endpoint| arrivals.iter().filter(|(_, each)| *each == endpoint).count();
        assert_eq!(count(Endpoint::Probe), 1000);
        // 10 000 of each kind are expected; 1000 off is ten standard deviations.
        let (work, read) = (count(Endpoint::SignIn) + count(Endpoint::Upload), arrivals.len() - 1000);
        assert!(work.abs_diff(10_000) < 1000 && (read - work).abs_diff(10_000) < 1000, "{work} of {read}");
    }

    #[test]
    fn a_seed_makes_the_same_arrivals() {
        let first = |seed| Schedule::new(50.0, seed).take(100).collect::<Vec<_>>();
        assert_eq!(first(3), first(3));
        assert_ne!(first(3), first(4));
    }
}
