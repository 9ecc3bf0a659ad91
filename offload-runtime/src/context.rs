//! What follows a job from its submitter to its worker: the tracing span, the subscriber, and the tokio runtime of the caller.
//!
//! Taken when the job is submitted, current while it runs. Without the features that need it, it is nothing.

use crate::error::Error;
use crate::job::{Origin, Work, Wrap};
use crate::trace::Trace;
use crate::unwind::discard;

/// A closure with the context of its submitter.
struct Call<F> {
    f: F,
    runtime: Runtime,
    trace: Trace,
}

/// The context of the thread that submits a job.
pub(crate) struct CallerContext(pub(crate) Origin);

impl Wrap for CallerContext {
    #[inline]
    fn wrap<F, T>(self, f: F) -> impl Work<Output = T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Call { f, runtime: Runtime::of_caller(), trace: Trace::of_caller(self.0) }
    }
}

impl<F, T> Work for Call<F>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    type Output = T;

    #[inline]
    fn run(self) -> T {
        let Self { f, runtime, trace } = self;
        let entered = runtime.enter();
        let output = trace.run(f);
        // A job may have left something in a thread-local that makes this panic: the job has its result all the same.
        discard(entered);
        discard(runtime);
        output
    }

    fn refuse(self, why: &Error) {
        let Self { f, runtime, trace } = self;
        // What was captured first, though it may panic: the span ends after what belongs to it.
        discard((f, runtime));
        trace.refuse(why);
    }
}

/// The caller's tokio runtime.
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

    /// Makes the runtime current until the guard is dropped.
    #[cfg_attr(
        not(feature = "tokio"),
        allow(clippy::unused_self, reason = "without features there is nothing to enter")
    )]
    #[inline]
    fn enter(&self) -> Entered<'_> {
        Entered {
            #[cfg(feature = "tokio")]
            _tokio: self.tokio.as_ref().map(tokio::runtime::Handle::enter),
            lifetime: std::marker::PhantomData,
        }
    }
}

/// Ends the context when it is dropped.
struct Entered<'a> {
    #[cfg(feature = "tokio")]
    _tokio: Option<tokio::runtime::EnterGuard<'a>>,
    lifetime: std::marker::PhantomData<&'a Runtime>,
}
