//! Turns blocking methods into async ones: [`#[blocking]`](macro@blocking) runs a method's body on an executor, and callers await it.
//!
//! In async code a call that blocks (a file, a database, a password hash) holds up every task on its thread, so it has to run on
//! another one.
//!
//! ```
//! use offload_runtime::{ThreadPool, blocking};
//! use std::{fs, io, path::Path};
//!
//! #[derive(Clone)]
//! struct Notes {
//!     executor: ThreadPool,
//! }
//!
//! impl Notes {
//!     #[blocking]
//!     fn count_lines(&self, path: &Path) -> io::Result<usize> {
//!         Ok(fs::read_to_string(path)?.lines().count())
//!     }
//! }
//!
//! # pollster::block_on(async {
//! let notes = Notes { executor: ThreadPool::new(4) };
//! println!("{} lines", notes.count_lines("Cargo.toml".as_ref()).await?);
//! # io::Result::Ok(())
//! # }).unwrap();
//! ```
//!
//! See [`blocking`](macro@blocking) for the accepted signatures and for what is moved or cloned. Without the attribute,
//! [`executor.submit(f).await`](ExecutorExt::submit) does the same for a closure. The feature `testing` has an executor that tests step by
//! hand, and a suite of conformance checks for authors of an [`Executor`].
//!
//! The [`guide`] has one chapter for each question.
//!
//! # The parts
//! * a **job** is one submitted call, [`Job`] to the executor that runs it;
//! * a **handle**, [`JobHandle`], is what its submitter awaits;
//! * a **stream**, [`BlockingStream`], awaits the items of a blocking iterator, or of a body that sends them, one by one;
//! * an **executor**, [`Executor`], runs jobs: a [`ThreadPool`], a [`StatefulPool`] whose threads own something, a [`Limited`] view of another
//!   executor, [`Inline`] in tests, tokio's and rayon's threads behind features, or your own;
//! * a **site**, [`Site`], says where in the source a job was submitted.
//!
//! # What holds for every job
//! * **Once.** A job runs at most once, and its handle resolves exactly once: with what the call returned, or with the [`Error`] that
//!   says why there is no result. No job is silently lost.
//! * **Dropping the handle**, or the future of a `#[blocking]` method, cancels the job. If it is queued, it never runs, and what it captured is
//!   dropped at once. If it runs, [`is_cancelled`] turns true in it and its [`on_cancel`] callbacks run; the same holds for the jobs that it awaits. See
//!   [`JobHandle`].
//! * **A panic** is caught on the worker and resumed in the awaiting task, with its payload. The worker keeps running.
//! * **Cancelling** on purpose is [`JobHandle::cancel`]. Inside a job, [`check_cancelled`] ends it if it was cancelled.
//! * **Shutdown** is [`ThreadPool::close`], [`shutdown`](ThreadPool::shutdown) and [`shutdown_now`](ThreadPool::shutdown_now): none of
//!   them waits by itself. The [`Shutdown`] that they return resolves when all work has ended; its `wait_timeout` names what still runs.
//! * **A full pool** refuses at once, with [`Error::QueueFull`], where a
//!   [`queue_capacity`](ThreadPoolBuilder::queue_capacity) is set; otherwise jobs wait in order.
//! * **The async runtime** is never blocked: submitting, polling and dropping take a short lock at most. Any runtime will do: only a
//!   waker is needed.
//! * **Nothing lingers.** When the await returns, no clone of `self`, of the arguments or of the result is left on the worker.
//!
//! # Features
//! None is on by default. A pool may decline what `metrics` and `tokio` add to its jobs: [`publish_metrics`](ThreadPoolBuilder::publish_metrics),
//! [`enter_runtime`](ThreadPoolBuilder::enter_runtime).
//!
//! | Feature | What it adds |
//! |---|---|
//! | `tokio` | [`Executor`] for `tokio::runtime::Handle`; the tokio runtime of the caller is current inside its jobs, on any executor; `ExecutorExt::io` with tokio's traits |
//! | `futures-io` | `ExecutorExt::io`: blocking readers and writers as async ones, with the traits of `futures-io` |
//! | `rayon` | [`Executor`] for `rayon::ThreadPool` |
//! | `metrics` | the metrics of [`ThreadPool::metrics`], [`Limited::metrics`] and remote executors go to the recorder of the `metrics` facade, [by these names](#names-of-the-metrics) |
//! | `tracing` | the caller's span is current inside its jobs; each job has a span, and an event where it does not return a value, of target `offload_runtime::job` |
//! | `testing` | `ManualExecutor`, whose jobs run when a test says so; `conformance`, checks for executors |
//! | `remote` | `remote`: calls whose arguments and results cross as bytes |
//! | `process` | `process::ProcessPool`: remote calls in child processes (Unix) |
//!
//! # Names of the metrics
//! With the feature `metrics`. [The guide](guide::figures#publish) lists all names, kinds and labels. Each name begins with `offload.`, and `.`
//! becomes `_` in Prometheus. `pool` is the [`thread_name`](ThreadPoolBuilder::thread_name), or `name.limited(4)` for a view. `method` is
//! `module::Type::method`, or `file:line:column` where there is no method. Install the recorder before submitting the first job.
//!
//! # Spans and events
//! With the feature `tracing`. The span `job`, of level `INFO`, is a child of the caller's. Its fields are `site`, `code.filepath`,
//! `code.lineno`, `pool` and `thread` (on a [`ThreadPool`]), `wait_us` and `run_us`, the times in microseconds; `otel.name` gives it the
//! method's name in OpenTelemetry. A remote call waits until its result has come, and runs while that is decoded. The span contains four events.
//! *Job refused* is a `WARN`, with the `reason`; *job panicked* is an `ERROR`, with the message as `panic`.
//! *Job cancelled before it began* and *job ended by its cancellation* are of level `DEBUG`. *Job has been running for long*
//! ([`warn_after`](ThreadPoolBuilder::warn_after), `WARN`) is in no span. Where the span `job` is filtered out, the body and the
//! events are in the caller's. A child process writes its own spans; [`process::propagate`](guide::processes#one-trace) sends them the trace, which is then
//! the field `trace` of their spans `job`. A span of target `tokio::task::blocking`, level `TRACE`, is for tokio-console.
//!
//! # Limits
//! A thread cannot be stopped from outside: a job that never checks [`is_cancelled`] runs to its end. A job ends with its process. Each call costs an
//! allocation and two hand-overs between threads: do work that always takes less than 10 microseconds
//! [in place](guide::alternatives#how-short-is-too-short).

// A snippet that is copied compiles without a warning.
#![doc(test(attr(deny(warnings), allow(unused))))]

#[forbid(unsafe_code)]
mod adapters;
#[forbid(unsafe_code)]
mod cancel;
#[forbid(unsafe_code)]
mod clock;
#[cfg(feature = "testing")]
#[forbid(unsafe_code)]
pub mod conformance;
#[forbid(unsafe_code)]
mod context;
#[forbid(unsafe_code)]
mod default;
#[forbid(unsafe_code)]
mod error;
#[forbid(unsafe_code)]
mod executor;
#[forbid(unsafe_code)]
mod ext;
#[forbid(unsafe_code)]
pub mod guide;
#[forbid(unsafe_code)]
mod hooks;
#[forbid(unsafe_code)]
mod idle;
#[cfg(any(feature = "tokio", feature = "futures-io"))]
#[forbid(unsafe_code)]
mod io;
#[allow(unsafe_code, reason = "all of it is here; `job/mod.rs` has its rules")]
mod job;
#[forbid(unsafe_code)]
mod limited;
#[forbid(unsafe_code)]
mod metrics;
#[forbid(unsafe_code)]
mod permit;
#[forbid(unsafe_code)]
mod permits;
#[forbid(unsafe_code)]
mod pool;
#[cfg(all(feature = "process", unix))]
#[forbid(unsafe_code)]
pub mod process;
#[cfg(all(feature = "process", not(unix)))]
compile_error!(
    "the feature `process` of `offload-runtime` needs Unix: sockets pass between the processes, and groups of them are killed"
);
#[forbid(unsafe_code)]
mod refused;
#[cfg(feature = "remote")]
#[forbid(unsafe_code)]
pub mod remote;
#[forbid(unsafe_code)]
mod site;
#[forbid(unsafe_code)]
mod stateful;
#[forbid(unsafe_code)]
mod stream;
#[forbid(unsafe_code)]
mod sync;
#[cfg(feature = "tracing")]
#[forbid(unsafe_code)]
mod trace;
#[cfg(not(feature = "tracing"))]
#[forbid(unsafe_code)]
#[path = "untraced.rs"]
mod trace;
#[forbid(unsafe_code)]
mod unwind;
#[forbid(unsafe_code)]
mod wait;
#[forbid(unsafe_code)]
mod wakers;

#[doc(hidden)]
#[forbid(unsafe_code)]
#[path = "private.rs"]
pub mod __private;

pub use adapters::Inline;
#[cfg(feature = "testing")]
pub use adapters::ManualExecutor;
pub use cancel::{CancelGuard, check_cancelled, is_cancelled, on_cancel};
pub use default::{AlreadySet, default_executor, set_default_executor};
pub use error::{Error, Panic};
pub use executor::Executor;
pub use ext::ExecutorExt;
#[cfg(any(feature = "tokio", feature = "futures-io"))]
pub use io::AsyncIo;
pub use job::{Canceller, Job, JobHandle};
pub use limited::{Limited, LimitedBuilder};
pub use metrics::{Histogram, LimitedMetrics, PanicRecord, PoolMetrics, SiteMetrics};
#[doc(inline)]
pub use offload_macros::blocking;
pub use permit::Permit;
pub use pool::{RunningJob, Shutdown, StillRunning, ThreadPool, ThreadPoolBuilder};
pub use refused::Refused;
pub use site::Site;
pub use stateful::{StatefulExecutor, StatefulPool, StatefulPoolBuilder};
pub use stream::{BlockingStream, Produced, Stopped, Yielder};
