//! The executor that has no thread: for tests.

use crate::executor::Executor;
use crate::job::Job;

/// Runs each job where it is submitted, before `submit` returns.
///
/// For tests: jobs run one after the other, on the thread of the caller, in the order of the calls. In a program it would block the
/// async runtime, which this crate exists to avoid. Inside tokio, a body that calls `Handle::block_on` panics, since its thread drives the
/// runtime.
///
/// A job that is run inside another job is a part of that: the cancellation of the outer one reaches it, if it is detached, too.
///
/// # Examples
/// ```
/// use offload_runtime::{ExecutorExt, Inline};
///
/// let here = std::thread::current().id();
/// let handle = Inline.submit(|| std::thread::current().id());
/// assert!(handle.is_finished());
/// assert_eq!(pollster::block_on(handle).unwrap(), here);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Inline;

impl Executor for Inline {
    #[inline]
    fn execute(&self, job: Job) {
        job.run_inside();
    }
}
