//! What follows a job from its submitter to its worker (C11): the tokio runtime of the caller.
//!
//! Taken when the job is submitted, current while it runs. Without the features that need it, it is nothing.

use crate::job::Work;

/// A closure with the context of its submitter.
pub(crate) struct Call<F> {
    f: F,
    context: Context,
}

impl<F> Call<F> {
    #[inline]
    pub(crate) fn new(f: F) -> Self {
        Self { f, context: Context::of_caller() }
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
        let Self { f, context } = self;
        let _entered = context.enter();
        f()
    }
}

/// The context itself.
struct Context {
    #[cfg(feature = "tokio")]
    tokio: Option<tokio::runtime::Handle>,
}

impl Context {
    #[inline]
    fn of_caller() -> Self {
        Self {
            #[cfg(feature = "tokio")]
            tokio: tokio::runtime::Handle::try_current().ok(),
        }
    }

    /// Makes the context current until the guard is dropped.
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
    lifetime: std::marker::PhantomData<&'a Context>,
}
