//! A job in the trace of its caller, by the feature `tracing`.
//!
//! The job's span is made where it is submitted, as a child of the caller's, and entered where it runs: what the body logs nests under the
//! request. What happens to the job besides returning a value is an event in it.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use tracing::dispatcher::{self, Dispatch};
use tracing::field::Empty;
use tracing::span::Entered;
use tracing::{Level, Span, debug, error, info_span, trace_span, warn};

use crate::error::{Error, Panic};
use crate::job::{CancelUnwind, Origin};
use crate::site::Site;
use crate::sync::Counter;
use crate::unwind::{contain, discard};

thread_local! {
    /// The names of the pool and of the worker that this thread is.
    static WORKER: RefCell<Option<(String, String)>> = const { RefCell::new(None) };
}

/// Says which worker this thread is, for the spans of its jobs.
pub(crate) fn set_worker(pool: &str, thread: &str) {
    WORKER.with(|worker| *worker.borrow_mut() = Some((pool.to_owned(), thread.to_owned())));
}

/// The spans of one job, and the subscriber that knows them.
pub(crate) struct Trace {
    /// The subscriber of the caller: it is current while the job runs, and its spans are entered and closed under it.
    subscriber: Dispatch,
    spans: Option<Spans>,
}

struct Spans {
    /// The caller's span, for the body, where the job's own is filtered out.
    caller: Span,
    job: Span,
    /// What tokio-console shows as a blocking task. Disabled where no subscriber wants it.
    task: Span,
    /// When the job was submitted, if its span is enabled.
    submitted: Option<Instant>,
}

impl Trace {
    #[inline]
    pub(crate) fn of_caller(origin: Origin) -> Self {
        Self { subscriber: dispatcher::get_default(Dispatch::clone), spans: Some(Spans::of_caller(origin)) }
    }

    /// Runs `f` as the body of the job. `Err`: it could not begin.
    pub(crate) fn run<T>(mut self, f: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let result = dispatcher::with_default(&self.subscriber, || match &self.spans {
            Some(spans) => spans.run(f),
            None => Ok(f()),
        });
        self.close();
        result.unwrap_or_else(|payload| resume_unwind(payload))
    }

    #[cfg(feature = "process")]
    pub(crate) fn has_subscriber(&self) -> bool {
        !self.subscriber.is::<tracing::subscriber::NoSubscriber>()
    }

    /// The job's span, or the caller's, if that one is filtered out.
    #[cfg(feature = "process")]
    pub(crate) fn innermost(&self) -> &Span {
        static NONE: Span = Span::none();
        self.spans.as_ref().map_or(&NONE, Spans::innermost)
    }

    /// The job's span, if it is enabled.
    #[cfg(feature = "process")]
    pub(crate) fn job(&self) -> Option<&Span> {
        self.spans.as_ref().map(|spans| &spans.job).filter(|job| !job.is_disabled())
    }

    /// The job will not run.
    pub(crate) fn refuse(mut self, why: &Error) {
        dispatcher::with_default(&self.subscriber, || {
            if let Some(spans) = &self.spans {
                contain(|| spans.refuse(why));
            }
        });
        self.close();
    }

    /// Closes the spans under their subscriber. Nothing that it does replaces the result of the job.
    fn close(&mut self) {
        if let Some(Spans { caller, job, task, .. }) = self.spans.take() {
            contain(|| {
                dispatcher::with_default(&self.subscriber, || [job, task, caller].into_iter().for_each(discard));
            });
        }
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        self.close();
    }
}

impl Spans {
    fn of_caller(origin: Origin) -> Self {
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
            trace = Empty,
        );
        let submitted = (!job.is_disabled()).then(Instant::now);
        Self { caller, job, task: task(origin), submitted }
    }

    /// Runs `f` inside the spans, and reports how it ended. A subscriber that panics changes nothing of it.
    fn run<T>(&self, f: impl FnOnce() -> Result<T, Error>) -> std::thread::Result<Result<T, Error>> {
        let Self { caller, job, task, submitted } = self;
        let began = submitted.map(|submitted| {
            contain(|| {
                WORKER.with_borrow(|worker| {
                    if let Some((pool, thread)) = worker {
                        job.record("pool", pool.as_str()).record("thread", thread.as_str());
                    }
                });
                job.record("wait_us", microseconds(submitted.elapsed()));
            });
            Instant::now()
        });
        let result = {
            let [caller, task, job] = [caller, task, job].map(enter);
            let result = catch_unwind(AssertUnwindSafe(f));
            [job, task, caller].into_iter().for_each(discard);
            result
        };
        if let Some(began) = began {
            contain(|| {
                job.record("run_us", microseconds(began.elapsed()));
            });
        }
        let payload = match result {
            Ok(result) => {
                if let Err(why) = &result {
                    contain(|| self.refuse(why));
                }
                return Ok(result);
            }
            Err(payload) => payload,
        };
        if payload.is::<CancelUnwind>() {
            contain(
                || debug!(target: "offload_runtime::job", parent: self.innermost(), "job ended by its cancellation"),
            );
            return Err(payload);
        }
        let panic = Panic::new(payload);
        let message = panic.message().unwrap_or_default();
        contain(|| error!(target: "offload_runtime::job", parent: self.innermost(), panic = message, "job panicked"));
        Err(panic.into_payload())
    }

    fn refuse(&self, why: &Error) {
        if matches!(why, Error::Cancelled) {
            debug!(target: "offload_runtime::job", parent: self.innermost(), "job cancelled before it began");
        } else {
            let reason = String::from(why.duplicate());
            warn!(target: "offload_runtime::job", parent: self.innermost(), %reason, "job refused");
        }
    }

    fn innermost(&self) -> &Span {
        if self.job.is_disabled() { &self.caller } else { &self.job }
    }
}

/// Enters a span, if its subscriber lets it.
fn enter(span: &Span) -> Option<Entered<'_>> {
    let mut entered = None;
    contain(|| entered = Some(span.enter()));
    entered
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
pub(crate) fn slow_job(pool: &str, thread: &str, site: Site, elapsed: Duration, is_cancelled: bool) {
    warn!(
        target: "offload_runtime::job",
        parent: None,
        site = %site,
        pool,
        thread,
        elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        cancelled = is_cancelled,
        code.filepath = site.file(),
        code.lineno = site.line(),
        "job has been running for long",
    );
}
