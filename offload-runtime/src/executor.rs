//! The one trait that every executor implements.

use std::sync::{Arc, LazyLock};

use crate::context::CallerContext;
use crate::job::{self, Job, JobHandle, Judge, Origin, QueueId};
use crate::permits::Permits;

/// Runs jobs.
///
/// An executor is given jobs and runs each of them, once, on a thread that may block. That is all: results, panics,
/// cancellation and wake-ups are handled by the job itself.
///
/// # The contract
/// * It **runs** a job by [`Job::run`], which never unwinds, or **refuses** it by [`Job::refuse`]. A job that it drops
///   resolves as [`Error::Lost`](crate::Error::Lost): no job is silently lost.
/// * It may refuse for any reason and at any time, at once or later.
/// * `execute` is called from async code and should return at once, without waiting for a job. Whether it runs the job before
///   it returns is its choice: [`Inline`](crate::Inline) does, and is for tests.
/// * It should not call `run` under a lock of its own: the job, and the wakers and destructors it runs, may
///   call the executor again.
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
    note = "executors are `offload_runtime::ThreadPool`, `StatefulPool`, `Limited` and `Inline`, `tokio::runtime::Handle` (feature `tokio`) and \
            `rayon::ThreadPool` (feature `rayon`), and references, `Arc`s, `Box`es and `LazyLock`s of executors",
    note = "to write one: `impl offload_runtime::Executor for X {{ fn execute(&self, job: Job) {{ run_somewhere(move || job.run()) }} }}`"
)]
pub trait Executor: Send + Sync {
    /// Runs `job` once on a thread that may block, or refuses it.
    fn execute(&self, job: Job);

    /// Whether the executor is known to refuse every job from now on, because it was closed or shut down.
    ///
    /// `false` says nothing; an executor that does not know need not implement it. A [`Limited`](crate::Limited) view asks, so as not to
    /// accept jobs that it could only refuse later.
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

    /// The queue of this crate that the jobs go to, if it is one.
    #[doc(hidden)]
    fn queue_id(&self) -> Option<QueueId> {
        None
    }

    /// The name under which its metrics are published.
    #[doc(hidden)]
    fn label(&self) -> Option<String> {
        None
    }

    /// The places of a bounded executor, for which callers may wait.
    #[doc(hidden)]
    fn permits(&self) -> Option<Arc<Permits>> {
        None
    }

    /// As `execute`, of a job that holds one of the `permits`, if there are any, and is not refused as full.
    #[doc(hidden)]
    fn execute_permitted(&self, job: Job) {
        self.execute(job);
    }

    /// Ends the line for these places when the executor is closed.
    #[doc(hidden)]
    fn closes(&self, _permits: &Arc<Permits>) {}

    /// The consumer of a stream from there was handed so many items.
    #[doc(hidden)]
    fn count_items(&self, _of: Origin, _items: usize) {}

    /// Whether its figures go to the recorder of the `metrics` facade.
    #[doc(hidden)]
    fn publishes_metrics(&self) -> bool {
        true
    }

    /// Whether the caller's tokio runtime is current in its jobs. Asked where a job is made.
    #[doc(hidden)]
    fn enters_runtime(&self) -> bool {
        true
    }
}

/// Makes a job of `f`, gives it to `executor` and returns its handle.
#[inline]
pub(crate) fn submit<E, F, T>(executor: &E, origin: Origin, judge: impl Judge<T>, f: F) -> JobHandle<T>
where
    E: Executor + ?Sized,
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let context = CallerContext::entering(executor.enters_runtime(), origin);
    let (job, handle) = job::pair_for(origin, f, judge, context);
    executor.execute(job);
    handle
}

/// The methods of something that leads to an executor.
macro_rules! forward {
    () => {
        #[inline]
        fn execute(&self, job: Job) {
            (**self).execute(job);
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

        fn permits(&self) -> Option<Arc<Permits>> {
            (**self).permits()
        }

        fn execute_permitted(&self, job: Job) {
            (**self).execute_permitted(job);
        }

        fn closes(&self, permits: &Arc<Permits>) {
            (**self).closes(permits);
        }

        fn count_items(&self, of: Origin, items: usize) {
            (**self).count_items(of, items);
        }

        fn publishes_metrics(&self) -> bool {
            (**self).publishes_metrics()
        }

        #[inline]
        fn enters_runtime(&self) -> bool {
            (**self).enters_runtime()
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
