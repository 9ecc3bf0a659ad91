//! What a pool of processes is doing: the seam to the crate's metrics.
//!
//! Calls are counted by the tallies of their pool's sites, as jobs of a thread pool are. A call that failed because
//! of its worker counts as panicked.

use std::fmt;

use crate::metrics::{SiteMetrics, Sites};
use crate::sync::Arc;

/// Why a worker was replaced, or may have to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Restart {
    /// It died by itself, or was killed from outside.
    Died,
    TimedOut,
    Memory,
    /// Its call was cancelled.
    Cancelled,
    /// It has had its number of calls.
    Calls,
    /// It did not come as far as its first call.
    Start,
}

impl Restart {
    pub(super) const ALL: [Self; 6] =
        [Self::Died, Self::TimedOut, Self::Memory, Self::Cancelled, Self::Calls, Self::Start];

    /// The label `reason` of the counter `offload.pool.restarts`.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Died => "died",
            Self::TimedOut => "timed_out",
            Self::Memory => "memory",
            Self::Cancelled => "cancelled",
            Self::Calls => "calls",
            Self::Start => "start",
        }
    }
}

/// The pool's own numbers, under its lock.
pub(super) struct Books {
    pub(super) sites: Arc<Sites>,
    restarts: [u64; Restart::ALL.len()],
    pub(super) peak_workers: usize,
    pub(super) peak_queued: usize,
}

impl Books {
    pub(super) fn new(sites: &Arc<Sites>) -> Self {
        let restarts = [0; Restart::ALL.len()];
        Self { sites: Arc::clone(sites), restarts, peak_workers: 0, peak_queued: 0 }
    }

    pub(super) fn restarted(&mut self, why: Restart) {
        self.restarts[why as usize] += 1;
    }

    pub(super) fn restarts(&self) -> [u64; Restart::ALL.len()] {
        self.restarts
    }
}

/// What is published about workers, with the feature `metrics`.
#[cfg_attr(not(feature = "metrics"), expect(unused_variables, reason = "nothing is published"))]
pub(super) mod publish {
    use super::Restart;
    use crate::sync::Arc;

    #[cfg(feature = "metrics")]
    fn contained(f: impl FnOnce()) {
        crate::unwind::contain(f);
    }

    /// Counts a restart.
    pub(in super::super) fn restart(pool: &Arc<str>, why: Restart) {
        #[cfg(feature = "metrics")]
        contained(|| {
            metrics::counter!("offload.pool.restarts", "pool" => Arc::clone(pool), "reason" => why.label())
                .increment(1);
        });
    }

    /// How many workers there are.
    pub(in super::super) fn workers(pool: &Arc<str>, count: usize) {
        #[cfg(feature = "metrics")]
        contained(|| {
            #[expect(clippy::cast_precision_loss, reason = "fewer than 2^52 processes")]
            metrics::gauge!("offload.pool.processes", "pool" => Arc::clone(pool)).set(count as f64);
        });
    }

    /// How much memory a worker occupies.
    pub(in super::super) fn resident(pool: &Arc<str>, worker: usize, bytes: u64) {
        #[cfg(feature = "metrics")]
        contained(|| {
            let labels = [("pool", pool.to_string()), ("worker", worker.to_string())];
            #[expect(clippy::cast_precision_loss, reason = "less than 2^52 bytes")]
            metrics::gauge!("offload.process.resident_bytes", &labels).set(bytes as f64);
        });
    }
}

/// What a [`ProcessPool`](super::ProcessPool) is doing, and has done. Made by [`ProcessPool::metrics`](super::ProcessPool::metrics).
///
/// The counts are those of one moment. Its `Display` is a line for a log.
///
/// # Examples
/// See [`ProcessPool::metrics`](super::ProcessPool::metrics).
#[derive(Clone, Debug)]
pub struct ProcessMetrics {
    pub(super) name: Arc<str>,
    pub(super) max_workers: usize,
    pub(super) idle: usize,
    pub(super) peak_workers: usize,
    pub(super) peak_queued: usize,
    pub(super) workers: Vec<WorkerMetrics>,
    pub(super) restarts: [u64; Restart::ALL.len()],
    pub(super) sites: Vec<SiteMetrics>,
}

macro_rules! sums {
    ($($(#[$doc:meta])* $name:ident)*) => {
        impl ProcessMetrics {
            $($(#[$doc])*
            ///
            /// # Examples
            /// See [`ProcessPool::metrics`](super::ProcessPool::metrics).
            #[must_use]
            pub fn $name(&self) -> u64 {
                self.sites.iter().map(SiteMetrics::$name).sum()
            })*
        }
    };
}

sums! {
    /// How many calls were submitted, refused ones included. Like all totals, since the pool was made.
    submitted
    /// How many calls wait for a worker now.
    queued
    /// How many calls are with a worker now.
    running
    /// How many calls came back with a value, also if the handle was gone.
    completed
    /// How many calls panicked, or failed with their worker.
    panicked
    /// How many calls were cancelled.
    cancelled
    /// How many calls were refused, for whatever reason.
    refused
}

impl ProcessMetrics {
    /// What the pool is called.
    ///
    /// # Examples
    /// See [`ProcessPool::metrics`](super::ProcessPool::metrics).
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many workers there may be.
    ///
    /// # Examples
    /// See [`ProcessPool::metrics`](super::ProcessPool::metrics).
    #[must_use]
    pub fn max_workers(&self) -> usize {
        self.max_workers
    }

    /// The workers, including starting and ending ones.
    ///
    /// # Examples
    /// See [`ProcessPool::metrics`](super::ProcessPool::metrics).
    #[must_use]
    pub fn workers(&self) -> &[WorkerMetrics] {
        &self.workers
    }

    /// How many of them wait for a call.
    ///
    /// # Examples
    /// See [`ProcessPool::metrics`](super::ProcessPool::metrics).
    #[must_use]
    pub fn idle(&self) -> usize {
        self.idle
    }

    /// The most workers there were at once.
    ///
    /// # Examples
    /// See [`ProcessPool::metrics`](super::ProcessPool::metrics).
    #[must_use]
    pub fn peak_workers(&self) -> usize {
        self.peak_workers
    }

    /// The most calls that waited at once.
    ///
    /// # Examples
    /// See [`ProcessPool::metrics`](super::ProcessPool::metrics).
    #[must_use]
    pub fn peak_queued(&self) -> usize {
        self.peak_queued
    }

    /// How many workers were lost or replaced, by reason: `died` (by itself, or killed from outside), `timed_out`, `memory`, `cancelled`, `calls`
    /// ([`calls_per_worker`](super::ProcessPoolBuilder::calls_per_worker)), `start` (before its first call).
    ///
    /// # Examples
    /// See [`ProcessPool::metrics`](super::ProcessPool::metrics).
    pub fn restarts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Restart::ALL.into_iter().map(Restart::label).zip(self.restarts)
    }

    /// How many workers were lost or replaced, for whatever reason.
    ///
    /// # Examples
    /// See [`ProcessPool::metrics`](super::ProcessPool::metrics).
    #[must_use]
    pub fn restarted(&self) -> u64 {
        self.restarts.iter().sum()
    }

    /// The figures of each method, in the order in which they first came.
    ///
    /// # Examples
    /// See [`ProcessPool::metrics`](super::ProcessPool::metrics).
    #[must_use]
    pub fn by_site(&self) -> &[SiteMetrics] {
        &self.sites
    }
}

impl fmt::Display for ProcessMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} of {} workers, ", self.name, self.workers.len(), self.max_workers)?;
        write!(f, "{} running, {} queued; {} completed", self.running(), self.queued(), self.completed())?;
        for (reason, count) in self.restarts().filter(|(_, count)| *count > 0) {
            write!(f, ", {count} restarted ({reason})")?;
        }
        Ok(())
    }
}

/// One worker of a pool of processes.
///
/// # Examples
/// See [`ProcessPool::metrics`](super::ProcessPool::metrics).
#[derive(Clone, Debug)]
pub struct WorkerMetrics {
    pub(super) index: usize,
    pub(super) process_id: u32,
    pub(super) calls: u64,
    pub(super) resident: Option<u64>,
}

impl WorkerMetrics {
    /// Its number among the workers, from 0 to [`max_workers`](ProcessMetrics::max_workers) - 1: the label `worker` of what is published. A worker that
    /// replaces one that has gone may have the same.
    ///
    /// # Examples
    /// See [`ProcessPool::metrics`](super::ProcessPool::metrics).
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// Its process id.
    ///
    /// # Examples
    /// See [`ProcessPool::metrics`](super::ProcessPool::metrics).
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.process_id
    }

    /// How many calls it has been given.
    ///
    /// # Examples
    /// See [`ProcessPool::metrics`](super::ProcessPool::metrics).
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// How many bytes of memory it occupies now. `None` where the system does not say.
    ///
    /// # Examples
    /// See [`ProcessPool::metrics`](super::ProcessPool::metrics).
    #[must_use]
    pub fn resident_bytes(&self) -> Option<u64> {
        self.resident
    }
}

/// The resident memory of a process, in bytes.
#[cfg(target_os = "linux")]
pub(super) fn resident(process: u32) -> Option<u64> {
    let statm = std::fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
    let pages: u64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn resident(_: u32) -> Option<u64> {
    None
}
