//! The breaker: workers that die at their start, one after the other, are not started again and again.

use std::time::{Duration, Instant};

use crate::error::Error;

/// So many failed starts in a row open it.
pub(super) const FAILURES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Closed: any number of workers may start. Open: none, until the pause is over. Then one may, and its fate decides.
pub(super) struct Breaker {
    /// In a row.
    failures: u32,
    pause: Duration,
    open_until: Option<Instant>,
    /// Why the last start failed.
    why: Option<Error>,
}

impl Breaker {
    pub(super) fn new() -> Self {
        Self { failures: 0, pause: FIRST_PAUSE, open_until: None, why: None }
    }

    /// How many workers may be starting at once.
    pub(super) fn allows(&self, now: Instant) -> usize {
        match self.open_until {
            None => usize::MAX,
            Some(until) if until <= now => 1,
            Some(_) => 0,
        }
    }

    /// The last failure, while no worker may start.
    pub(super) fn refusal(&self, now: Instant) -> Option<Error> {
        if self.allows(now) > 0 { None } else { self.why.as_ref().map(Error::duplicate) }
    }

    /// When a worker may start again.
    pub(super) fn until(&self) -> Option<Instant> {
        self.open_until
    }

    pub(super) fn succeeded(&mut self) {
        *self = Self::new();
    }

    pub(super) fn failed(&mut self, why: Error, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        self.why = Some(why);
        if self.failures >= FAILURES {
            self.open_until = Some(now + self.pause);
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_in_a_row_open_it_for_a_pause_that_doubles() {
        let mut breaker = Breaker::new();
        let mut now = Instant::now();
        for _ in 1..FAILURES {
            breaker.failed(Error::TimedOut, now);
            assert_eq!(breaker.allows(now), usize::MAX);
        }
        for pause in [100, 200, 400, 800] {
            breaker.failed(Error::TimedOut, now);
            assert!(matches!(breaker.refusal(now), Some(Error::TimedOut)));
            now += Duration::from_millis(pause - 1);
            assert_eq!(breaker.allows(now), 0);
            now += Duration::from_millis(1);
            assert_eq!(breaker.allows(now), 1, "one worker tries");
            assert!(breaker.refusal(now).is_none());
        }
        for _ in 0..20 {
            breaker.failed(Error::TimedOut, now);
        }
        assert_eq!(breaker.until(), Some(now + LONGEST_PAUSE));
        breaker.succeeded();
        assert_eq!(breaker.allows(now), usize::MAX);
        breaker.failed(Error::TimedOut, now);
        assert_eq!(breaker.allows(now), usize::MAX, "it counts anew");
    }
}
