//! The executor's side of a job: [`Job`], and [`Claimed`] once a thread has claimed it.

use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use super::cell::{self, Awaiter, End, Header};
use super::context;
use super::origin::Origin;
use super::shown::Shown;
use super::state::{Claim, Frees};
use crate::clock::{Moment, Stamp};
use crate::error::Error;
use crate::site::Site;
use crate::sync::Arc;
use crate::unwind::discard;

/// One submitted call, on its way to the thread that runs it.
///
/// It is what an [`Executor`](crate::Executor) is given: one word wide, `Send`, and independent of the types of the call.
/// Whatever an executor does with it, the call runs at most once and its handle resolves exactly once.
///
/// **Dropping** a job that has not run refuses it as [`Error::Lost`].
///
/// # Examples
/// An executor of your own, with a thread per job:
/// ```
/// use offload_runtime::{Executor, ExecutorExt, Job};
///
/// struct ThreadPerJob;
/// impl Executor for ThreadPerJob {
///     fn execute(&self, job: Job) {
///         std::thread::spawn(|| job.run());
///     }
/// }
/// assert_eq!(pollster::block_on(ThreadPerJob.submit(|| 6 * 7)).unwrap(), 42);
/// ```
#[must_use = "dropping a job refuses it as `Error::Lost`: run it, refuse it, or pass it on"]
pub struct Job {
    /// A cell of which this is the executor's side: it holds the `JOB` bit.
    header: NonNull<Header>,
}

// SAFETY: closure and output are `Send` (`Work`), and what both sides touch goes through the state word.
unsafe impl Send for Job {}
// SAFETY: `&Job` gives no more than reads of the state word and of the `Sync` origin.
unsafe impl Sync for Job {}

impl Job {
    /// # Safety
    /// The cell has a `JOB` bit, which is given to the new value.
    pub(super) unsafe fn from_header(header: NonNull<Header>) -> Self {
        Self { header }
    }

    /// Runs the call on this thread, stores what it returns and wakes the task that awaits it.
    ///
    /// Does nothing if the job was cancelled before. The thread may be blocked for as long as the call takes.
    ///
    /// # Panics
    /// Never: a panic of the call is resumed where the handle is awaited; one of a waker or of a destructor is caught here.
    ///
    /// # Examples
    /// See [`Job`].
    pub fn run(self) {
        if let Some(claimed) = self.claim() {
            claimed.run();
        }
    }

    /// As `run`, inside the job that this thread runs, if it runs one: while it runs, the cancellation of that job reaches it.
    pub(crate) fn run_inside(self) {
        let Some(outer) = context::current(|outer| outer.hooks()) else { return self.run() };
        let Some(claimed) = self.claim() else { return };
        let shown = Arc::new(Shown::new());
        // SAFETY: the JOB bit is held until the result is noted, and the job is hidden there.
        unsafe { shown.show(claimed.header, None) };
        let of_callback = Arc::clone(&shown);
        let callback = outer.add(Box::new(move || _ = of_callback.cancel(Shown::FIRST)));
        drop(claimed.run_noting(|_| shown.restore(None)));
        if let Some(callback) = callback {
            outer.remove(callback);
        }
    }

    /// Refuses the call: drops what it captured, then resolves the handle to `why`.
    ///
    /// # Panics
    /// Never.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{Error, Executor, ExecutorExt, Job};
    ///
    /// struct Closed;
    /// impl Executor for Closed {
    ///     fn execute(&self, job: Job) {
    ///         job.refuse(Error::ShutDown);
    ///     }
    /// }
    /// let refused = pollster::block_on(Closed.submit(|| ()));
    /// assert!(matches!(refused, Err(Error::ShutDown)));
    /// ```
    pub fn refuse(self, why: Error) {
        match self.claim() {
            Some(claimed) => claimed.refuse(why),
            // The error may hold values of the user.
            None => discard(why),
        }
    }

    /// Whether the handle was dropped or cancelled, so that running the job would do nothing.
    ///
    /// An executor may drop such a job, but need not ask: [`run`](Self::run) does.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{Executor, ExecutorExt, Job};
    /// use std::sync::Mutex;
    ///
    /// #[derive(Default)]
    /// struct Later(Mutex<Vec<Job>>);
    /// impl Executor for Later {
    ///     fn execute(&self, job: Job) {
    ///         self.0.lock().unwrap().push(job);
    ///     }
    /// }
    /// let later = Later::default();
    /// drop(later.submit(|| unreachable!()));
    /// assert!(later.0.lock().unwrap()[0].is_cancelled());
    /// ```
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cell().state.is_cancelled()
    }

    /// Where in the source the job comes from.
    ///
    /// # Examples
    /// See [`Site`].
    #[must_use]
    pub fn site(&self) -> Site {
        self.cell().origin.site()
    }

    pub(crate) fn origin(&self) -> Origin {
        self.cell().origin
    }

    /// Says that the job continues what its executor has accepted before: a closed or full one accepts it, too.
    pub(crate) fn owed(self) -> Self {
        self.cell().state.set_owed();
        self
    }

    /// As said by [`owed`](Self::owed).
    #[inline]
    pub(crate) fn is_owed(&self) -> bool {
        self.cell().state.is_owed()
    }

    #[inline]
    pub(super) fn cell(&self) -> &Header {
        // SAFETY: the JOB bit keeps the cell.
        unsafe { self.header.as_ref() }
    }

    /// Takes the job for this thread. `None`: it was cancelled.
    fn claim(self) -> Option<Claimed> {
        match self.cell().state.claim() {
            Claim::Won { linked, .. } => {
                debug_assert!(!linked, "a linked job is its queue's");
                Some(Claimed { header: ManuallyDrop::new(self).header })
            }
            // Dropping it gives up the JOB bit.
            Claim::Lost { .. } => None,
        }
    }

    /// Marks the job as part of a queue, and gives that the `JOB` bit. `Err`: it was cancelled.
    #[inline]
    pub(super) fn link(self, stamp: Stamp) -> Result<NonNull<Header>, Self> {
        if self.cell().state.link(stamp) { Ok(ManuallyDrop::new(self).header) } else { Err(self) }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        match self.cell().state.claim() {
            // SAFETY: claimed by the line above, never linked (a linked job is no `Job`), and this is its JOB bit, which
            // is not used after.
            Claim::Won { .. } => unsafe { Claimed::from_header(self.header) }.refuse(Error::Lost),
            Claim::Lost { .. } => {
                if self.cell().state.release_job() == Frees::Caller {
                    // SAFETY: this was the last side, and the side that claimed the job has moved the closure out.
                    unsafe { cell::deallocate(self.header) };
                }
            }
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("site", &self.site()).field("is_cancelled", &self.is_cancelled()).finish()
    }
}

/// A job that this thread has claimed, to run or to refuse it.
#[must_use]
pub(crate) struct Claimed {
    /// A claimed cell, not linked, of which this holds the `JOB` bit.
    header: NonNull<Header>,
}

// SAFETY: as for `Job`.
unsafe impl Send for Claimed {}

impl Claimed {
    /// # Safety
    /// The caller claimed the job, unlinked it if it was linked, and gives its `JOB` bit away.
    #[inline]
    pub(super) unsafe fn from_header(header: NonNull<Header>) -> Self {
        Self { header }
    }

    /// Gives the `JOB` bit to the caller.
    #[inline]
    pub(super) fn into_header(self) -> NonNull<Header> {
        ManuallyDrop::new(self).header
    }

    #[inline]
    fn cell(&self) -> &Header {
        // SAFETY: the JOB bit keeps the cell.
        unsafe { self.header.as_ref() }
    }

    pub(crate) fn origin(&self) -> Origin {
        self.cell().origin
    }

    /// As [`Job::is_owed`].
    #[inline]
    pub(crate) fn is_owed(&self) -> bool {
        self.cell().state.is_owed()
    }

    /// Whether a running job awaited this one while it was queued.
    pub(crate) fn is_awaited(&self) -> bool {
        self.cell().state.is_awaited()
    }

    /// As [`Job::run`].
    #[inline]
    pub(crate) fn run(self) {
        drop(self.run_noting(|_| ()));
    }

    /// As [`Job::run`], with a call of `note`, which must not panic, before the result can be seen. Returns the awaiter.
    #[inline]
    pub(crate) fn run_noting(self, note: impl FnOnce(End<'_>)) -> Awaiter {
        let header = self.into_header();
        // SAFETY: claimed and not linked, and run once; the JOB bit is this call's until the result is published.
        let body = || unsafe { cell::run_body(header) };
        // SAFETY: the JOB bit is this call's until after the frame is left.
        let result = unsafe { context::within_job(header, body) };
        // SAFETY: the JOB bit is this call's, and the body has run.
        let is_abandoned = unsafe { cell::end(header) };
        let (outcome, result) = match result {
            Ok(outcome) => (outcome, Ok(())),
            Err(payload) => cell::unwound(payload),
        };
        note(End { outcome, is_abandoned, error: result.as_ref().err() });
        match result {
            // SAFETY: the output is stored; the JOB bit is handed over.
            Ok(()) => unsafe { cell::complete(header) },
            // SAFETY: claimed by a worker, and the closure is consumed; the JOB bit is handed over.
            Err(error) => unsafe { cell::fail(header, error) },
        }
    }

    /// As [`run_noting`](Self::run_noting), with the job in `shown` while it runs.
    #[inline]
    pub(crate) fn run_shown(self, shown: &Shown, since: Option<Moment>, note: impl FnOnce(End<'_>)) -> Awaiter {
        // SAFETY: the JOB bit is held until `note` has returned, and the job is hidden there.
        let outer = unsafe { shown.show(self.header, since) };
        self.run_noting(|end| {
            shown.restore(outer);
            note(end);
        })
    }

    /// As [`Job::refuse`].
    pub(crate) fn refuse(self, why: Error) {
        let header = self.into_header();
        // SAFETY: claimed and not linked; the JOB bit keeps the cell.
        unsafe { cell::refuse_work(header, &why) };
        // SAFETY: claimed by an executor, and the closure is dropped; the JOB bit is handed over.
        drop(unsafe { cell::fail(header, why) });
    }

    /// As `refuse`, with [`Error::Cancelled`].
    ///
    /// # Safety
    /// The caller claimed the job to cancel it.
    pub(super) unsafe fn revoke(self) {
        let header = self.into_header();
        // SAFETY: claimed and not linked; the JOB bit keeps the cell.
        unsafe { cell::refuse_work(header, &Error::Cancelled) };
        // SAFETY: claimed to be cancelled, and the closure is dropped; the JOB bit is handed over.
        drop(unsafe { cell::revoke(header, true) });
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        // No path of the crate drops one.
        // SAFETY: the value is not used after this.
        unsafe { Self::from_header(self.header) }.refuse(Error::Lost);
    }
}
