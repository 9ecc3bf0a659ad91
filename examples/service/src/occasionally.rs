//! Log lines that each request could cause: [`Occasionally`] allows one a minute.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_secs(60);

/// When a line was written last.
#[derive(Debug)]
pub(crate) struct Occasionally(Mutex<Option<Instant>>);

impl Occasionally {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Returns whether to write the line now. The next minute's calls return `false`.
    pub(crate) fn is_due(&self) -> bool {
        self.is_due_at(Instant::now())
    }

    fn is_due_at(&self, now: Instant) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.is_none_or(|last| now.duration_since(last) >= EVERY);
        if due {
            *last = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_due_once_a_minute() {
        let (line, start) = (Occasionally::new(), Instant::now());
        let at = |seconds| line.is_due_at(start + Duration::from_secs(seconds));
        assert_eq!([0, 1, 59, 60, 61, 119, 120].map(at), [true, false, false, true, false, false, true]);
    }
}
