//! Checks for authors of an [`Executor`]: the suite that the executors of this crate pass.
//!
//! An executor runs each job once, on a thread; the job does the rest. These things can go wrong: a job runs before `execute` has returned, or
//! under a lock that it takes again. It is forgotten in a queue, or lost at shutdown. More jobs run at once than promised. The
//! suite provokes each of these and names it.
//!
//! # Guide
//! 1. Add the crate to `[dev-dependencies]` with the feature `testing`.
//! 2. Say how the executor is made, and what it promises *beyond* the contract: each promise adds checks, and a check that needs one that was not
//!    made does not apply. Nothing is promised by default.
//! 3. Call [`run`](Conformance::run) in a test. It panics with a list of what failed.
//!
//! | promise | what it adds |
//! |---|---|
//! | [`inline`](Conformance::inline) | jobs run where they are submitted, before `submit` returns; replaces all that needs a second thread |
//! | [`parallel(n)`](Conformance::parallel) | `n` jobs that wait for one another all begin |
//! | [`at_most(n)`](Conformance::at_most) | never more than `n` at once; jobs beyond wait, and are cancelled while they wait |
//! | [`in_order`](Conformance::in_order) | with `at_most(1)`: jobs run in the order of their submission |
//! | [`nested`](Conformance::nested) | a job that blocks on jobs of the same executor ends |
//! | [`closed_by(f)`](Conformance::closed_by) | after `f` jobs are refused, and none of those before stays pending |
//!
//! An executor that runs a job twice, or resolves a handle twice, cannot be written: [`Job`](crate::Job) is used up.
//!
//! # Examples
//! A thread per job, which promises two threads and more:
//! ```
//! use offload_runtime::conformance::Conformance;
//! use offload_runtime::{Executor, Job};
//!
//! struct ThreadPerJob;
//! impl Executor for ThreadPerJob {
//!     fn execute(&self, job: Job) {
//!         std::thread::spawn(move || job.run());
//!     }
//! }
//!
//! // #[test]
//! fn thread_per_job_conforms() {
//!     Conformance::of(|| ThreadPerJob).parallel(2).nested().run();
//! }
//! # thread_per_job_conforms();
//! ```
//! One that runs jobs in place, with the promises that this allows:
//! ```
//! use offload_runtime::Inline;
//! use offload_runtime::conformance::Conformance;
//!
//! let report = Conformance::of(|| Inline).inline().at_most(1).in_order().nested().report();
//! assert_eq!(report.failures().count(), 0);
//! println!("{} checks passed, {} do not apply", report.passed().count(), report.not_applicable().count());
//! ```
//! One that keeps its promise badly: it forgets every third job.
//! ```
//! use offload_runtime::conformance::Conformance;
//! use offload_runtime::{Executor, Job};
//! use std::sync::atomic::{AtomicUsize, Ordering};
//! use std::time::Duration;
//!
//! struct Forgetful(AtomicUsize);
//! impl Executor for Forgetful {
//!     fn execute(&self, job: Job) {
//!         match self.0.fetch_add(1, Ordering::Relaxed) % 3 {
//!             2 => std::mem::forget(job),
//!             _ => drop(std::thread::spawn(move || job.run())),
//!         }
//!     }
//! }
//! let suite = Conformance::of(|| Forgetful(AtomicUsize::new(0))).patience(Duration::from_millis(300));
//! let report = suite.report();
//! let failed: Vec<&str> = report.failures().map(|failure| failure.check()).collect();
//! assert!(failed.contains(&"each_job_runs_once"), "{report}");
//! for failure in report.failures() {
//!     println!("{}: {}", failure.check(), failure.reason());
//! }
//! ```

mod checks;
mod places;
mod probe;
mod report;
mod streams;

use std::sync::Arc;
use std::time::Duration;

pub use report::{Failure, Report};

use crate::executor::Executor;
use probe::Subject;

/// How long a check may take before it counts as a hang.
const PATIENCE: Duration = Duration::from_secs(20);

/// The suite for executors of type `E`, and what they promise.
///
/// # Examples
/// See [the module](self).
#[must_use = "a suite does nothing until `run`"]
pub struct Conformance<E> {
    make: Arc<dyn Fn() -> E + Send + Sync>,
    close: Option<Close<E>>,
    promises: Promises,
    patience: Duration,
}

/// How executors are closed.
type Close<E> = Arc<dyn Fn(&E) + Send + Sync>;

/// What an executor promises beyond the contract.
#[derive(Clone, Copy, Debug, Default)]
struct Promises {
    inline: bool,
    parallel: Option<usize>,
    at_most: Option<usize>,
    in_order: bool,
    nested: bool,
}

impl<E: Executor + 'static> Conformance<E> {
    /// The suite for the executors that `make` makes: a new one for each check.
    pub fn of(make: impl Fn() -> E + Send + Sync + 'static) -> Self {
        Self { make: Arc::new(make), close: None, promises: Promises::default(), patience: PATIENCE }
    }

    /// Promises that a job runs where it is submitted, before `submit` returns.
    pub fn inline(mut self) -> Self {
        self.promises.inline = true;
        self
    }

    /// Promises that `n` jobs can run at once, at least.
    pub fn parallel(mut self, n: usize) -> Self {
        self.promises.parallel = Some(n);
        self
    }

    /// Promises that no more than `n` jobs run at once, and that the others wait (they are not refused).
    pub fn at_most(mut self, n: usize) -> Self {
        self.promises.at_most = Some(n);
        self
    }

    /// Promises that jobs run in the order of their submission. Seen only together with [`at_most(1)`](Self::at_most), or
    /// [`inline`](Self::inline): of jobs that run at once no outsider can tell which began first.
    pub fn in_order(mut self) -> Self {
        self.promises.in_order = true;
        self
    }

    /// Promises that a job may block on other jobs of the same executor, however few threads there are.
    pub fn nested(mut self) -> Self {
        self.promises.nested = true;
        self
    }

    /// Promises that `close` makes it refuse what comes later, and leaves nothing pending.
    pub fn closed_by(mut self, close: impl Fn(&E) + Send + Sync + 'static) -> Self {
        self.close = Some(Arc::new(close));
        self
    }

    /// How long a check may take before it counts as a hang. Default: 20 seconds, of which an executor that conforms uses next to nothing.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Runs the checks.
    ///
    /// # Panics
    /// If a check fails, with a list of the failed ones.
    pub fn run(&self) {
        let report = self.report();
        assert!(report.failures().next().is_none(), "{report}");
    }

    /// Runs the checks, and returns how they went.
    #[must_use = "nothing panics here: look at the failures"]
    pub fn report(&self) -> Report {
        let mut report = Report::default();
        for check in checks::ALL.iter().chain(places::ALL).chain(streams::ALL) {
            if !(check.applies)(&self.promises, self.close.is_some()) {
                report.skipped(check.name);
                continue;
            }
            let (make, close) = (Arc::clone(&self.make), self.close.clone());
            let (promises, patience, run) = (self.promises, self.patience, check.run);
            let result = probe::within(patience, move || {
                let executor = Arc::new(make());
                let to_close = Arc::clone(&executor);
                let close = Box::new(move || close.iter().for_each(|close| close(&to_close)));
                run(&Subject::new(executor, close, promises, patience))
            });
            report.ran(check.name, result);
        }
        report
    }
}

impl<E> std::fmt::Debug for Conformance<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conformance")
            .field("promises", &self.promises)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

/// One check: its name, the executors that it concerns, and what it does.
struct Check {
    name: &'static str,
    /// Whether it applies to an executor with these promises, which has or has not a way to be closed.
    applies: fn(&Promises, bool) -> bool,
    run: fn(&Subject) -> Result<(), String>,
}
