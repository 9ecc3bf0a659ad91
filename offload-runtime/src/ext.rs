//! What users call on an executor.

use crate::context::CallerContext;
use crate::executor::Executor;
#[cfg(any(feature = "tokio", feature = "futures-io"))]
use crate::io::AsyncIo;
use crate::job::{self, JobHandle, Judge, Origin, Unjudged};
use crate::limited::Limited;
use crate::site::Site;

/// The methods of everything that is an [`Executor`].
///
/// # Examples
/// See [`submit`](Self::submit) and [`limited`](Self::limited).
pub trait ExecutorExt: Executor {
    /// Submits `f` and returns the handle that awaits it.
    ///
    /// The job is enqueued (or refused) before this returns, whether or not the handle is ever polled. To be called back, await
    /// the handle in a task of the async runtime; to let it run unobserved, [`detach`](JobHandle::detach) it.
    ///
    /// # Cancel safety
    /// Dropping the handle cancels the job, see [`JobHandle`].
    ///
    /// # Errors
    /// None here: a refusal is what the handle resolves to.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    ///
    /// let pool = ThreadPool::new(4);
    /// let lines = pool.submit(|| std::fs::read_to_string("Cargo.toml").map(|text| text.lines().count()));
    /// assert!(pollster::block_on(lines).unwrap().unwrap() > 1);
    /// ```
    #[track_caller]
    #[inline]
    fn submit<F, T>(&self, f: F) -> JobHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        submit(self, Origin::of_caller(), Unjudged, f)
    }

    /// Returns a view of this executor that runs at most `n` of its jobs at once. The view holds a clone of the executor.
    ///
    /// See [`Limited`], and [`Limited::new`] for an executor that is not `Clone`.
    ///
    /// # Panics
    /// If `n` is zero.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    ///
    /// let pool = ThreadPool::default();
    /// let database = pool.limited(4); // as many as there are connections
    /// assert_eq!(pollster::block_on(database.submit(|| 1)).unwrap(), 1);
    /// ```
    fn limited(&self, n: usize) -> Limited<Self>
    where
        Self: Clone + 'static,
    {
        assert!(n > 0, "`ExecutorExt::limited`: a view needs to run at least one job at once");
        Limited::new(self.clone(), n)
    }

    /// Makes an async reader and writer of a blocking one, whose operations run on this executor.
    ///
    /// See [`AsyncIo`]. Feature `tokio` or `futures-io`.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    /// use std::process::{Command, Stdio};
    /// use tokio::io::AsyncBufReadExt;
    ///
    /// # pollster::block_on(async {
    /// let pool = ThreadPool::new(4);
    /// let mut child = Command::new("echo").arg("one line").stdout(Stdio::piped()).spawn()?;
    /// let output = pool.io(child.stdout.take().expect("it is piped"));
    /// assert_eq!(output.lines().next_line().await?.as_deref(), Some("one line"));
    /// pool.submit(move || child.wait()).await??;
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    #[cfg(any(feature = "tokio", feature = "futures-io"))]
    #[track_caller]
    fn io<T>(&self, io: T) -> AsyncIo<T>
    where
        Self: Clone + Sized + 'static,
        T: Send + 'static,
    {
        AsyncIo::new(Box::new(self.clone()), Origin::of_caller(), io)
    }
}

impl<E: Executor + ?Sized> ExecutorExt for E {}

/// Submits `f` from `site`; `judge` tells which results are errors. Called by generated code.
pub(crate) fn submit_at<E, F, T>(executor: &E, site: &'static Site, judge: impl Judge<T>, f: F) -> JobHandle<T>
where
    E: Executor + ?Sized,
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    submit(executor, Origin::of_site(site), judge, f)
}

/// Submits `f` from `origin`. Called by other parts of the crate for their users.
#[cfg(any(feature = "tokio", feature = "futures-io"))]
pub(crate) fn submit_from<E, F, T>(executor: &E, origin: Origin, f: F) -> JobHandle<T>
where
    E: Executor + ?Sized,
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    submit(executor, origin, Unjudged, f)
}

/// Makes the job, gives it to `executor` and returns its handle.
#[inline]
fn submit<E, F, T>(executor: &E, origin: Origin, judge: impl Judge<T>, f: F) -> JobHandle<T>
where
    E: Executor + ?Sized,
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let (job, handle) = job::pair_for(origin, f, judge, CallerContext::of(origin));
    executor.execute(job);
    handle
}
