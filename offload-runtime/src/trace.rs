//! A job in the trace of its caller, by the feature `tracing`.
//!
//! The job's span is made where it is submitted, as a child of the caller's, and entered where it runs: what the body logs nests under the
//! request. What happens to the job besides returning a value is an event in it.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use tracing::field::Empty;
use tracing::{Level, Span, debug, error, info_span, trace_span, warn};

use crate::cancel::CancelUnwind;
use crate::error::{Error, Panic};
use crate::job::Origin;
use crate::pool::{self, RunningJob};
use crate::sync::Counter;

/// The spans of one job.
pub(crate) struct Trace {
    /// The caller's span, for the body, where the job's own is filtered out.
    caller: Span,
    job: Span,
    /// What tokio-console shows as a blocking task. Disabled where nobody asks for it.
    task: Span,
    /// When the job was submitted, if its span is looked at.
    submitted: Option<Instant>,
}

impl Trace {
    #[inline]
    pub(crate) fn of_caller(origin: Origin) -> Self {
        let caller = Span::current();
        if tracing::level_filters::LevelFilter::current() < Level::INFO {
            return Self { caller, job: Span::none(), task: Span::none(), submitted: None };
        }
        let site = origin.site();
        let job = info_span!(
            target: "offload_runtime::job",
            "job",
            otel.name = %site,
            site = %site,
            code.filepath = site.file(),
            code.lineno = site.line(),
            pool = Empty,
            thread = Empty,
            wait_us = Empty,
            run_us = Empty,
        );
        let submitted = (!job.is_disabled()).then(Instant::now);
        Self { caller, job, task: task(origin), submitted }
    }

    /// Runs `f` as the body of the job.
    pub(crate) fn run<T>(self, f: impl FnOnce() -> T) -> T {
        let Self { caller, job, task, submitted } = self;
        if let Some(worker) = submitted.and_then(|_| pool::current_worker()) {
            job.record("pool", &*worker.pool).record("thread", worker.name.as_str());
        }
        let began = submitted.map(|submitted| {
            job.record("wait_us", microseconds(submitted.elapsed()));
            Instant::now()
        });
        let result = {
            let _caller = caller.enter();
            let _task = task.enter();
            let _job = job.enter();
            catch_unwind(AssertUnwindSafe(f))
        };
        if let Some(began) = began {
            job.record("run_us", microseconds(began.elapsed()));
        }
        match result {
            Ok(output) => output,
            Err(payload) if payload.is::<CancelUnwind>() => {
                debug!(target: "offload_runtime::job", parent: innermost(&job, &caller), "job ended by its cancellation");
                resume_unwind(payload)
            }
            Err(payload) => {
                let panic = Panic::new(payload);
                let message = panic.message().unwrap_or_default();
                error!(target: "offload_runtime::job", parent: innermost(&job, &caller), panic = message, "job panicked");
                panic.resume()
            }
        }
    }

    /// The job will not run.
    pub(crate) fn refuse(self, why: &Error) {
        let parent = innermost(&self.job, &self.caller);
        if matches!(why, Error::Cancelled) {
            debug!(target: "offload_runtime::job", parent: parent, "job cancelled before it began");
        } else {
            warn!(target: "offload_runtime::job", parent: parent, reason = %why, "job refused");
        }
    }
}

fn innermost<'a>(job: &'a Span, caller: &'a Span) -> &'a Span {
    if job.is_disabled() { caller } else { job }
}

/// A span as tokio makes one for each of its tasks, of the kind that its console reads.
///
/// A child of the caller's, unlike tokio's: where the job's span is filtered out, it is the innermost one that the body is in.
fn task(origin: Origin) -> Span {
    static NEXT: Counter = Counter::new();
    let site = origin.site();
    trace_span!(
        target: "tokio::task::blocking",
        "runtime.spawn",
        kind = "blocking",
        task.name = %site,
        task.id = NEXT.add_one(),
        loc.file = site.file(),
        loc.line = site.line(),
        loc.col = site.column(),
    )
}

fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// A job has been running for longer than its pool expects of any.
pub(crate) fn slow_job(pool: &str, job: &RunningJob) {
    warn!(
        target: "offload_runtime::job",
        parent: None,
        site = %job.site(),
        pool,
        thread = job.thread_name(),
        elapsed_ms = u64::try_from(job.elapsed().as_millis()).unwrap_or(u64::MAX),
        cancelled = job.is_cancelled(),
        code.filepath = job.site().file(),
        code.lineno = job.site().line(),
        "job has been running for long",
    );
}
