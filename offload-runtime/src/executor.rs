//! The one trait that every executor implements, and what everyone who has an executor can do with it.

use std::sync::{Arc, LazyLock};

use crate::job::{self, Job, JobHandle, NewJob, Origin, QueueId};
use crate::limited::Limited;

/// Runs jobs.
///
/// An executor is handed jobs and sees to it that each is run, once, on a thread that may block. That is all: results, panics,
/// cancellation and wake-ups are the job's own affair.
///
/// # The contract
/// * It **runs** a job by [`Job::run`], which never unwinds, or **refuses** it by [`Job::refuse`]. A job that it drops
///   resolves as [`Error::Lost`](crate::Error::Lost): nothing is silently lost (C5).
/// * It may refuse for any reason and at any time, at once or later.
/// * `execute` is called from async code and should return at once (C3), without waiting for a job. Whether it runs the job before
///   it returns is its choice: [`Inline`](crate::Inline) does, and is for tests.
/// * It should not call `run` under a lock of its own: the job, and the wakers and destructors it runs, may
///   come back to it (C6).
/// * It may run jobs in any order; [`ThreadPool`](crate::ThreadPool) begins them in the order of their submission.
/// * After its shutdown it refuses.
///
/// # Examples
/// The whole of an executor that gives each job a thread:
/// ```
/// use offload_runtime::{Error, Executor, ExecutorExt, Job};
///
/// struct ThreadPerJob;
///
/// impl Executor for ThreadPerJob {
///     fn execute(&self, job: Job) {
///         // If the thread can't be had, the closure is dropped, and the job with it: `Error::Lost`.
///         let _ = std::thread::Builder::new().spawn(|| job.run());
///     }
/// }
/// assert_eq!(pollster::block_on(ThreadPerJob.submit(|| 6 * 7)).unwrap(), 42);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an executor",
    label = "this has to be something that runs jobs",
    note = "executors are `offload_runtime::ThreadPool`, `Limited` and `Inline`, `tokio::runtime::Handle` (feature `tokio`) and \
            `rayon::ThreadPool` (feature `rayon`), and references, `Arc`s, `Box`es and `LazyLock`s of executors",
    note = "to write one: `impl offload_runtime::Executor for X {{ fn execute(&self, job: Job) {{ run_somewhere(move || job.run()) }} }}`"
)]
pub trait Executor: Send + Sync {
    /// Takes `job` over: runs it once on a thread that may block, or refuses it.
    fn execute(&self, job: Job);

    /// Whether the executor is known to refuse every job from now on, because it was closed or shut down.
    ///
    /// `false` says nothing; an executor that does not know need not implement it. A [`Limited`] view asks, so as not to take jobs
    /// that it could only refuse later.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{Executor, ThreadPool};
    ///
    /// let pool = ThreadPool::new(1);
    /// assert!(!pool.is_closed());
    /// pool.close();
    /// assert!(pool.is_closed());
    /// ```
    fn is_closed(&self) -> bool {
        false
    }

    /// As `execute`, of a job that has just been made, by who submits it.
    #[doc(hidden)]
    #[inline]
    fn execute_new(&self, job: NewJob<'_>) {
        self.execute(job.into_job());
    }

    /// Which queue of this crate the jobs go to, if it is one.
    #[doc(hidden)]
    fn queue_id(&self) -> Option<QueueId> {
        None
    }

    /// What it is called where figures are published.
    #[doc(hidden)]
    fn label(&self) -> Option<String> {
        None
    }
}

/// The methods of something that leads to an executor.
macro_rules! forward {
    () => {
        #[inline]
        fn execute(&self, job: Job) {
            (**self).execute(job);
        }

        #[inline]
        fn execute_new(&self, job: NewJob<'_>) {
            (**self).execute_new(job);
        }

        fn is_closed(&self) -> bool {
            (**self).is_closed()
        }

        fn queue_id(&self) -> Option<QueueId> {
            (**self).queue_id()
        }

        fn label(&self) -> Option<String> {
            (**self).label()
        }
    };
}

impl<E: Executor + ?Sized> Executor for &E {
    forward!();
}

impl<E: Executor + ?Sized> Executor for Arc<E> {
    forward!();
}

impl<E: Executor + ?Sized> Executor for Box<E> {
    forward!();
}

/// For an executor in a `static`, made by its first job.
///
/// # Examples
/// ```
/// use offload_runtime::{ThreadPool, blocking};
/// use std::sync::LazyLock;
///
/// static DISK: LazyLock<ThreadPool> = LazyLock::new(|| ThreadPool::new(2));
///
/// #[blocking(executor = DISK)]
/// fn size(path: &str) -> std::io::Result<u64> {
///     Ok(std::fs::metadata(path)?.len())
/// }
/// assert!(pollster::block_on(size("Cargo.toml")).unwrap() > 0);
/// ```
impl<E: Executor, F: FnOnce() -> E + Send> Executor for LazyLock<E, F> {
    forward!();
}

/// What everyone who has an [`Executor`] can do with it.
///
/// # Examples
/// See [`submit`](Self::submit) and [`limited`](Self::limited).
pub trait ExecutorExt: Executor {
    /// Submits `f` and returns the handle that awaits it.
    ///
    /// The job is enqueued (or refused) before this returns, whether or not the handle is ever polled. To be called back, await
    /// the handle in a task of the async runtime; to let it run unobserved, [`detach`](JobHandle::detach) it.
    ///
    /// # Errors
    /// None here: a refusal is what the handle resolves to.
    ///
    /// # Cancel safety
    /// Dropping the handle cancels the job, see [`JobHandle`].
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
        job::submit(self, Origin::of_caller(), f)
    }

    /// A view of this executor that runs at most `n` of its jobs at once.
    ///
    /// See [`Limited`].
    ///
    /// # Panics
    /// If `n` is zero.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    ///
    /// let pool = ThreadPool::default();
    /// let database = pool.clone().limited(4); // as many as there are connections
    /// assert_eq!(pollster::block_on(database.submit(|| 1)).unwrap(), 1);
    /// ```
    fn limited(self, n: usize) -> Limited<Self>
    where
        Self: Sized + 'static,
    {
        Limited::new(self, n)
    }
}

impl<E: Executor + ?Sized> ExecutorExt for E {}

#[cfg(all(test, not(offload_loom)))]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Runs jobs at once, and counts those that are new.
    #[derive(Default)]
    struct Counts(AtomicUsize);

    impl Executor for Counts {
        fn execute(&self, job: Job) {
            job.run();
        }

        fn execute_new(&self, job: NewJob<'_>) {
            self.0.fetch_add(1, Ordering::Relaxed);
            self.execute(job.into_job());
        }
    }

    /// Whatever leads to an executor, it learns that nobody else knows of the job yet.
    #[test]
    fn a_job_that_is_submitted_is_new() {
        let shared = Arc::new(Counts::default());
        let boxed: Box<dyn Executor> = Box::new(Arc::clone(&shared));
        let lazy = LazyLock::new(|| Arc::clone(&shared));
        let by_reference = &&*shared;
        for job in [by_reference.submit(|| ()), shared.submit(|| ()), boxed.submit(|| ()), lazy.submit(|| ())] {
            pollster::block_on(job).unwrap();
        }
        assert_eq!(shared.0.load(Ordering::Relaxed), 4);
    }
}
