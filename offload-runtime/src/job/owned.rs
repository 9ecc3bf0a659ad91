//! The executor's side of a job: [`Job`], and [`Claimed`] once it has been decided that this thread has it.

use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::task::Waker;

use super::cell::{self, Header, Work, contain, discard};
use super::handle::JobHandle;
use super::origin::Origin;
use super::shown::Shown;
use super::state::{Claim, Left, Link};
use crate::clock::{Moment, Stamp};
use crate::error::Error;
use crate::metrics::{Place, Tally, this_thread};
use crate::site::Site;
use crate::sync::Arc;

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
    /// The cell has a `JOB` bit that nobody else stands for.
    pub(super) unsafe fn from_header(header: NonNull<Header>) -> Self {
        Self { header }
    }

    /// A job of the crate's own that nobody awaits.
    pub(crate) fn unobserved<W: Work<Output = ()>>(origin: Origin, work: W) -> Self {
        cell::unobserved(origin, work)
    }

    /// Runs the call on this thread, stores what it returns and wakes who awaits it.
    ///
    /// Does nothing if the job was cancelled before. The thread may be blocked for as long as the call takes.
    ///
    /// # Panics
    /// Never: a panic of the call goes to its handle (C4), one of a waker or of a destructor is caught here.
    ///
    /// # Examples
    /// See [`Job`].
    pub fn run(self) {
        if let Some(claimed) = self.claim() {
            claimed.run();
        }
    }

    /// Says no: the handle resolves to `why`, and what the call had captured is dropped before that.
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
            // What is inside may be the user's.
            None => discard(why),
        }
    }

    /// Whether the handle was dropped or cancelled, so that running the job would do nothing.
    ///
    /// An executor may drop such a job, but need not look: [`run`](Self::run) does.
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

    /// As [`Work::OWED`].
    pub(crate) fn is_owed(&self) -> bool {
        self.cell().is_owed()
    }

    fn cell(&self) -> &Header {
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
            Claim::Lost => None,
        }
    }

    /// Marks the job as part of a queue, and gives that the `JOB` bit. `Err`: it was cancelled.
    #[inline]
    pub(super) fn link(self, stamp: Stamp) -> Result<NonNull<Header>, Self> {
        match self.cell().state.link(stamp) {
            Link::Linked => Ok(ManuallyDrop::new(self).header),
            Link::AlreadyClaimed => Err(self),
        }
    }

    pub(super) fn header(&self) -> NonNull<Header> {
        self.header
    }
}

/// A job whose handle nobody has yet: it is borrowed for `'a`, by whoever submits the job.
///
/// So a queue of this crate takes it without regard to who might cancel it meanwhile.
#[doc(hidden)]
#[derive(Debug)]
pub struct NewJob<'a> {
    job: Job,
    handle: PhantomData<&'a mut ()>,
}

impl<'a> NewJob<'a> {
    /// # Safety
    /// The handle is that of the job, and has been known to nobody but the caller.
    pub(super) unsafe fn of<T>(job: Job, _handle: &'a mut JobHandle<T>) -> Self {
        Self { job, handle: PhantomData }
    }

    /// The job as any other.
    pub fn into_job(self) -> Job {
        self.job
    }

    /// As [`Job::link`], which would not fail.
    #[inline]
    pub(super) fn link(self, stamp: Stamp) -> NonNull<Header> {
        // Nobody else knows of it: the handle is borrowed.
        self.job.cell().state.link_new(stamp);
        ManuallyDrop::new(self.job).header
    }

    pub(super) fn header(&self) -> NonNull<Header> {
        self.job.header
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        match self.cell().state.claim() {
            // SAFETY: claimed by the line above, never linked (a linked job is no `Job`), and this is its JOB bit, which
            // is not used after.
            Claim::Won { .. } => unsafe { Claimed::from_header(self.header) }.refuse(Error::Lost),
            Claim::Lost => {
                if self.cell().state.release_job() == Left::Nobody {
                    // SAFETY: this was the last side, and who claimed the job has moved the closure out.
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

/// Who awaits a job that has ended, if anybody does: woken when this is dropped, at once or a little later, but not under a lock (C6).
#[must_use = "who awaits the job is woken by dropping this"]
pub(crate) struct Awaiter(Option<Waker>);

impl Awaiter {
    pub(crate) const fn nobody() -> Self {
        Self(None)
    }

    pub(crate) const fn of(waker: Waker) -> Self {
        Self(Some(waker))
    }

    pub(crate) const fn is_nobody(&self) -> bool {
        self.0.is_none()
    }
}

impl Drop for Awaiter {
    #[inline]
    fn drop(&mut self) {
        if let Some(waker) = self.0.take() {
            contain(|| waker.wake());
        }
    }
}

/// How a job's run ended.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ran {
    Completed,
    Panicked,
    /// The body ended itself by `check_cancelled`.
    Cancelled,
}

/// A job that is this thread's to run or to refuse: no handle can take it back.
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
    pub(super) unsafe fn from_header(header: NonNull<Header>) -> Self {
        Self { header }
    }

    pub(crate) fn origin(&self) -> Origin {
        // SAFETY: the JOB bit keeps the cell.
        unsafe { self.header.as_ref() }.origin
    }

    /// As [`Job::run`].
    #[inline]
    pub(crate) fn run(self) {
        drop(self.run_noting(&mut |_| ()));
    }

    /// As [`Job::run`], with a call of `note`, which must not panic, before the result can be seen.
    #[inline]
    pub(crate) fn run_noting(self, note: &mut dyn FnMut(Ran)) -> Awaiter {
        let header = ManuallyDrop::new(self).header;
        // SAFETY: claimed and not linked; the JOB bit is handed over.
        unsafe { cell::run_claimed(header, note) }
    }

    /// As [`run_noting`](Self::run_noting), with the job in `shown` while it runs.
    #[inline]
    pub(crate) fn run_shown(self, shown: &Shown, mut note: impl FnMut(Ran)) -> Awaiter {
        let header = self.header;
        // SAFETY: the JOB bit is this call's until `note` has returned, and the job is hidden there.
        let outer = unsafe { shown.show(header) };
        self.run_noting(&mut |ran| {
            shown.hide(header, outer);
            note(ran);
        })
    }

    /// As [`Job::refuse`].
    pub(crate) fn refuse(self, why: Error) {
        let header = ManuallyDrop::new(self).header;
        // SAFETY: claimed and not linked; the JOB bit keeps the cell.
        unsafe { cell::refuse_work(header, &why) };
        // SAFETY: claimed and not linked, the closure is dropped; the JOB bit is handed over.
        drop(unsafe { cell::fail(header, why, true) });
    }

    /// Frees the job of a handle that is being dropped: nobody will see a result.
    ///
    /// # Safety
    /// The caller also holds the `HANDLE` bit, and does not use it after.
    pub(super) unsafe fn free(self) {
        let header = ManuallyDrop::new(self).header;
        // SAFETY: claimed and not linked; the bits keep the cell.
        unsafe { cell::refuse_work(header, &Error::Cancelled) };
        // SAFETY: both sides are here, the closure is dropped, and there is no result.
        unsafe { cell::deallocate(header) };
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        // A queue that is taken apart with jobs in hand; no path of the crate does it.
        // SAFETY: the value is not used after this.
        unsafe { Self::from_header(self.header) }.refuse(Error::Lost);
    }
}

/// A job that its queue has counted as begun, for a thread of that queue.
#[must_use]
pub(crate) struct Taken {
    pub(crate) job: Claimed,
    pub(crate) stamp: Stamp,
    /// Its site in the queue's ledger.
    pub(crate) place: Place,
}

/// A job that its queue has counted as begun, for whatever thread it is (C10): with what its end is noted in.
#[must_use]
pub(crate) struct Begun {
    pub(super) job: Claimed,
    pub(super) stamp: Stamp,
    pub(super) tally: Arc<Tally>,
}

impl Begun {
    /// Runs the job by `run`, which is given when it began and what to call at its end, as for [`Claimed::run_noting`].
    pub(crate) fn run_with(self, run: impl FnOnce(Claimed, Option<Moment>, &mut dyn FnMut(Ran)) -> Awaiter) {
        let Self { job, stamp, tally } = self;
        // It may be another thread's by the time that it ends.
        let thread = this_thread();
        let since = tally.began(thread, stamp);
        drop(run(job, since, &mut |ran| match since {
            Some(since) => tally.ended(thread, ran, Moment::now().since(since), 1),
            None => tally.ended_untimed(thread, ran),
        }));
    }

    /// Runs the job on a thread of which nothing is told.
    pub(crate) fn run(self) {
        self.run_with(|job, _, note| job.run_noting(note));
    }
}

#[cfg(all(test, not(offload_loom)))]
mod tests {
    use super::*;
    use crate::context::Call;

    /// No executor of the crate drops a job that it has claimed. If one did, it would not be lost unseen.
    #[test]
    fn c05_a_claimed_job_that_is_dropped_is_lost() {
        let captured = Arc::new(());
        let kept = Arc::clone(&captured);
        let (job, handle) = cell::observed(Origin::of_caller(), Call::new(Origin::of_caller(), move || drop(kept)));
        drop(job.claim());
        assert_eq!(Arc::strong_count(&captured), 1);
        assert!(matches!(pollster::block_on(handle), Err(Error::Lost)));
    }
}
