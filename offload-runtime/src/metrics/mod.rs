//! What the executors are doing: counts and times, of a pool or a view, and of each site in it.
//!
//! `sites.rs` the sites of an executor · `tally.rs` the counts of one site · `states.rs` a pool's states · `histogram.rs` times · `panics.rs` the
//! last panics. `readings.rs` what users see of it.
//! `publish.rs` and `gauges.rs` the `metrics` facade, or nothing (`unpublished.rs`).
//!
//! The invariant, for each site and in each reading: `submitted = queued + running + completed + panicked + cancelled + refused`.

#[cfg(feature = "metrics")]
mod gauges;
mod histogram;
mod panics;
#[cfg(feature = "metrics")]
mod publish;
#[cfg(not(feature = "metrics"))]
#[path = "unpublished.rs"]
mod publish;
mod readings;
mod sites;
mod states;
mod tally;

use std::fmt;

#[cfg(feature = "metrics")]
pub(crate) use gauges::{Gauges, publish_view};
pub use histogram::Histogram;
pub use panics::PanicRecord;
#[cfg(not(feature = "metrics"))]
pub(crate) use publish::Gauges;
#[cfg(feature = "remote")]
pub use readings::RemoteMetrics;
pub use readings::{LimitedMetrics, PoolMetrics, SiteMetrics};
pub(crate) use sites::Sites;
pub(crate) use states::{StateFigures, States};
pub(crate) use tally::Tally;

use crate::error::Error;

/// Why a job was refused, as far as the metrics distinguish it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    QueueFull,
    ShutDown,
    Spawn,
    Other,
    /// The job's state could not be opened: the job began, and its body did not.
    State,
}

impl Refusal {
    const COUNT: usize = Self::State as usize + 1;

    fn of(why: &Error) -> Self {
        match why {
            Error::QueueFull => Self::QueueFull,
            Error::ShutDown => Self::ShutDown,
            Error::Spawn(_) => Self::Spawn,
            _ => Self::Other,
        }
    }
}

/// The counts and times of a site, or of all of them together.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    submitted: u64,
    queued: u64,
    running: u64,
    completed: u64,
    /// Of `completed`.
    failed: u64,
    panicked: u64,
    cancelled_before_start: u64,
    cancelled_after_start: u64,
    refused: [u64; Refusal::COUNT],
    /// Jobs that ended, with a value or not, after their caller had left.
    abandoned: u64,
    /// Of streams.
    items: u64,
    wait: Histogram,
    run: Histogram,
    abandoned_run: Histogram,
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            submitted: 0,
            queued: 0,
            running: 0,
            completed: 0,
            failed: 0,
            panicked: 0,
            cancelled_before_start: 0,
            cancelled_after_start: 0,
            refused: [0; Refusal::COUNT],
            wait: Histogram::new(),
            run: Histogram::new(),
            abandoned: 0,
            items: 0,
            abandoned_run: Histogram::new(),
        }
    }
}

impl Figures {
    fn refused_in_all(&self) -> u64 {
        self.refused.iter().sum()
    }

    fn add(&mut self, other: &Self) {
        self.submitted += other.submitted;
        self.queued += other.queued;
        self.running += other.running;
        self.completed += other.completed;
        self.failed += other.failed;
        self.abandoned += other.abandoned;
        self.items += other.items;
        self.panicked += other.panicked;
        self.cancelled_before_start += other.cancelled_before_start;
        self.cancelled_after_start += other.cancelled_after_start;
        for (here, there) in self.refused.iter_mut().zip(other.refused) {
            *here += there;
        }
        self.wait.add_all(&other.wait);
        self.run.add_all(&other.run);
        self.abandoned_run.add_all(&other.abandoned_run);
    }
}

/// The part of the lines that is the same.
impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} running, {} queued; {} completed", self.running, self.queued, self.completed)?;
        let rare = [
            (self.failed, "of them failed"),
            (self.panicked, "panicked"),
            (self.cancelled_before_start + self.cancelled_after_start, "cancelled"),
            (self.refused_in_all(), "refused"),
            (self.abandoned, "abandoned"),
        ];
        for (count, what) in rare.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, ", {count} {what}")?;
        }
        if self.items > 0 {
            write!(f, "; {} items", self.items)?;
        }
        for (times, what) in [(&self.wait, "wait"), (&self.run, "run")] {
            if let (Some(median), Some(p99)) = (times.quantile(0.5), times.quantile(0.99)) {
                write!(f, "; {what} {median:.1?}, p99 {p99:.1?}")?;
            }
        }
        Ok(())
    }
}
