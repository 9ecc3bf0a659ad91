//! Waiting for a job on a thread that may block: as polling does, with a waker that unparks the thread.

use std::time::Duration;

use super::handle::JobHandle;
use crate::error::Error;
use crate::wait::block_on;

impl<T> JobHandle<T> {
    /// Blocks the thread until the job has ended, and returns its result. For callers without async.
    ///
    /// In async code, await the handle instead: this blocks the thread, and with it all tasks of a current-thread runtime. It still returns, unless the
    /// job itself waits for one of these tasks.
    ///
    /// Inside a job it counts as awaiting: a job of the same pool runs meanwhile, even if the pool has one thread
    /// ([nested use](crate::ThreadPool#nested-use)).
    ///
    /// # Panics
    /// If the result was returned before. In an [`on_thread_start`](crate::ThreadPoolBuilder::on_thread_start) hook, if the job is queued in the
    /// hook's own pool.
    ///
    /// # Errors
    /// The [`Error`] that says why the job has no result. A panic of the job is [`Error::Panicked`]: to continue it here, call
    /// [`Panic::resume`](crate::Panic::resume).
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    ///
    /// let pool = ThreadPool::new(2);
    /// let handle = pool.submit(|| 6 * 7);
    /// assert_eq!(handle.wait()?, 42);
    /// # Ok::<(), offload_runtime::Error>(())
    /// ```
    pub fn wait(mut self) -> Result<T, Error> {
        let result = block_on(None, |waker| self.poll_result::<true>(waker, || false));
        result.expect("a wait without a time limit ends with the result")
    }

    /// Blocks the thread until the job has ended, for `timeout` at most. Returns its result, or `None` when the time is over.
    ///
    /// The job is not cancelled, and the handle may be awaited, waited for again, cancelled or dropped. With a `timeout` of zero it looks for the result
    /// and does not wait. As for [`wait`](Self::wait), it is for callers without async, and counts as awaiting inside a job.
    ///
    /// # Panics
    /// As [`wait`](Self::wait). A handle that has returned its result panics.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{Error, ExecutorExt, ThreadPool, is_cancelled};
    /// use std::time::Duration;
    ///
    /// let pool = ThreadPool::new(1);
    /// let mut handle = pool.submit(|| {
    ///     while !is_cancelled() {
    ///         std::thread::yield_now(); // a piece of work
    ///     }
    ///     "gave up"
    /// });
    /// assert!(handle.wait_timeout(Duration::from_millis(1)).is_none());
    /// handle.cancel();
    /// match handle.wait_timeout(Duration::from_secs(60)) {
    ///     Some(Ok(text)) => assert_eq!(text, "gave up"),
    ///     Some(Err(Error::Cancelled)) => {} // before it began
    ///     other => panic!("{other:?}"),
    /// }
    /// ```
    pub fn wait_timeout(&mut self, timeout: Duration) -> Option<Result<T, Error>> {
        let result = block_on(Some(timeout), |waker| self.poll_result::<true>(waker, || false));
        if result.is_none() {
            self.leave_awaiter();
        }
        result
    }
}
