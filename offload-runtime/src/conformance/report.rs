//! How the checks went.

use std::fmt;

/// How the checks of a [`Conformance`](super::Conformance) went.
///
/// # Examples
/// See [the module](super).
#[derive(Clone, Debug, Default)]
pub struct Report {
    passed: Vec<&'static str>,
    skipped: Vec<&'static str>,
    failures: Vec<Failure>,
}

/// A check that failed.
///
/// # Examples
/// See [the module](super).
#[derive(Clone, Debug)]
pub struct Failure {
    check: &'static str,
    reason: String,
}

impl Report {
    /// The checks that passed, by name.
    pub fn passed(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.passed.iter().copied()
    }

    /// The checks that need a promise which was not made, by name.
    pub fn not_applicable(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.skipped.iter().copied()
    }

    /// The checks that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Failure> + '_ {
        self.failures.iter()
    }

    pub(super) fn ran(&mut self, check: &'static str, result: Result<(), String>) {
        match result {
            Ok(()) => self.passed.push(check),
            Err(reason) => self.failures.push(Failure { check, reason }),
        }
    }

    pub(super) fn skipped(&mut self, check: &'static str) {
        self.skipped.push(check);
    }
}

impl Failure {
    /// The name of the check.
    #[must_use]
    pub fn check(&self) -> &'static str {
        self.check
    }

    /// What was wrong.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (passed, skipped) = (self.passed.len(), self.skipped.len());
        write!(f, "{passed} checks passed, {} failed, {skipped} do not apply", self.failures.len())?;
        for failure in &self.failures {
            write!(f, "\n  {}: {}", failure.check, failure.reason)?;
        }
        Ok(())
    }
}
