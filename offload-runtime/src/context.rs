//! What follows a job from its submitter to its worker: the tracing span, the subscriber, and the tokio runtime of the caller.
//!
//! Taken when the job is submitted, current while it runs. Without the features that need it, it is nothing.

use crate::error::Error;
use crate::job::{Judge, Origin, Work, Wrap};
use crate::trace::Trace;
use crate::unwind::discard;

/// A closure with the context of its submitter. `Err`: its body could not begin.
struct Call<F, J> {
    f: F,
    #[expect(dead_code, reason = "only its type is used")]
    judge: J,
    runtime: Runtime,
    trace: Trace,
}

/// The context of the thread that submits a job.
pub(crate) struct CallerContext {
    runtime: Runtime,
    trace: Trace,
}

impl CallerContext {
    #[inline]
    pub(crate) fn of(origin: Origin) -> Self {
        Self::entering(true, origin)
    }

    /// `runtime`: whether the caller's runtime goes with the job, see [`Executor::enters_runtime`](crate::Executor).
    #[inline]
    pub(crate) fn entering(runtime: bool, origin: Origin) -> Self {
        let runtime = if runtime { Runtime::of_caller() } else { Runtime::default() };
        Self { runtime, trace: Trace::of_caller(origin) }
    }

    #[cfg(all(feature = "process", feature = "tracing"))]
    pub(crate) fn trace(&self) -> &Trace {
        &self.trace
    }

    /// No job is made of it, for the reason `why`.
    pub(crate) fn refuse(self, why: &Error) {
        let Self { runtime, trace } = self;
        discard(runtime);
        trace.refuse(why);
    }
}

impl Wrap for CallerContext {
    #[inline]
    fn wrap<F, T>(self, f: F, judge: impl Judge<T>) -> impl Work<Output = T>
    where
        F: FnOnce() -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        Call { f, judge, runtime: self.runtime, trace: self.trace }
    }
}

impl<F, T, J> Work for Call<F, J>
where
    F: FnOnce() -> Result<T, Error> + Send + 'static,
    T: Send + 'static,
    J: Judge<T>,
{
    type Output = T;

    #[inline]
    fn run(self) -> Result<T, Error> {
        let Self { f, runtime, trace, judge: _ } = self;
        runtime.run(|| trace.run(f))
    }

    #[inline]
    fn is_err(output: &T) -> bool {
        J::is_err(output)
    }

    fn refuse(self, why: &Error) {
        let Self { f, runtime, trace, judge: _ } = self;
        // What was captured first, though it may panic: the span ends after what belongs to it.
        discard((f, runtime));
        trace.refuse(why);
    }
}

/// The caller's tokio runtime, or none.
#[derive(Default)]
struct Runtime {
    #[cfg(feature = "tokio")]
    tokio: Option<tokio::runtime::Handle>,
}

impl Runtime {
    #[inline]
    fn of_caller() -> Self {
        Self {
            #[cfg(feature = "tokio")]
            tokio: tokio::runtime::Handle::try_current().ok(),
        }
    }

    /// Runs `f` with the runtime current, if there is one.
    #[cfg_attr(
        not(feature = "tokio"),
        allow(clippy::unused_self, reason = "without features there is nothing to enter")
    )]
    #[inline]
    fn run<T>(self, f: impl FnOnce() -> T) -> T {
        #[cfg(feature = "tokio")]
        if let Some(tokio) = self.tokio {
            let entered = tokio.enter();
            let output = f();
            // A job may have left something in a thread-local that makes this panic: the job has its result all the same.
            discard(entered);
            discard(tokio);
            return output;
        }
        f()
    }
}
