//! The submitter's side of a job: [`JobHandle`].

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};

use super::cell::{self, Header, discard};
use super::context::Serves;
use super::glance::{self, Seen};
use super::state::{Abandon, Claim, Left, Look, Wish};
use super::{context, queue};
use crate::error::Error;
use crate::sync::Ordering;

/// Awaits one submitted job.
///
/// The job was enqueued before the handle was returned; awaiting it only fetches the result. The result is `Ok` with what
/// the call returned, or the [`Error`] that says why there is none.
///
/// A handle is `Send`, `Sync` and `Unpin`, needs no particular async runtime (C12), and can be awaited by reference
/// (`(&mut handle).await`) to keep it.
///
/// **Dropping** a handle cancels its job (C2). If the job has not begun, it never will, and what it captured is dropped before
/// `drop` returns. If it runs, [`is_cancelled`](crate::is_cancelled) turns true inside it and its
/// [`on_cancel`](crate::on_cancel) hooks run, on the dropping thread; its result is dropped on the worker.
/// [`detach`](Self::detach) lets it finish instead. `drop` never waits for the job (C3) and never panics.
///
/// Polled inside a job of the same pool (or of the same [`Limited`](crate::Limited) view) while its own job still waits in the queue,
/// it lets that job begin at once, so that a job that blocks on others cannot deadlock its own pool (C10); see
/// [`ThreadPool`](crate::ThreadPool#nested-use).
///
/// A poll does not wait for the job (C3). The first one looks for its result for up to a microsecond where it may be there at once: if this
/// thread has just submitted the job, a thread of the pool is awake, no other job waits, and none of this thread's is on its way; or if this thread has fetched the result of another since it last submitted one or had to wait, and no
/// more than 128 of its jobs are on their way. Being woken instead would keep the thread for longer
/// ([how a pool sleeps](crate::guide::sleep#who-awaits-looks-too)). Where the jobs of a site take longer, one in five is looked at; and after
/// 16 results in a row that nobody had to wait for, one that is found like this is returned by the next poll only: the task has woken itself
/// by then, and others had their turn.
///
/// # Cancel safety
/// Polling is cancel safe in the sense of `select!` when the handle is polled by reference: no result is lost. A handle
/// given away by value and dropped cancels its job, as above.
///
/// # Panics
/// Polling a handle again after it returned its result panics.
///
/// # Examples
/// ```
/// use offload_runtime::{ExecutorExt, ThreadPool};
///
/// let pool = ThreadPool::new(2);
/// let handle = pool.submit(|| 6 * 7);
/// assert_eq!(pollster::block_on(handle).unwrap(), 42);
/// ```
#[must_use = "dropping a `JobHandle` cancels its job: await it, keep it, or call `detach`"]
pub struct JobHandle<T> {
    /// A cell with the output type `T` of which this holds the `HANDLE` bit; `None` once the result was returned.
    header: Option<NonNull<Header>>,
    output: PhantomData<T>,
}

// SAFETY: the handle passes the output on, and drops it: `T: Send`. What both sides touch goes through the state word.
unsafe impl<T: Send> Send for JobHandle<T> {}
// SAFETY: `&JobHandle` gives `cancel` and `is_finished`, which may run on several threads at once (one of them
// claims), and never the output.
unsafe impl<T: Send> Sync for JobHandle<T> {}
// Nothing of the job can be observed half done: its closure is gone or its output complete.
impl<T> UnwindSafe for JobHandle<T> {}
impl<T> RefUnwindSafe for JobHandle<T> {}
impl<T> Unpin for JobHandle<T> {}

impl<T> JobHandle<T> {
    /// # Safety
    /// The cell has a `HANDLE` bit that nobody else stands for, and its output type is `T`.
    pub(super) unsafe fn from_header(header: NonNull<Header>) -> Self {
        Self { header: Some(header), output: PhantomData }
    }

    /// Cancels the job, and keeps the handle to see what became of it.
    ///
    /// If the job has not begun, it never will: what it captured is dropped before this returns, and the handle resolves to
    /// [`Error::Cancelled`]. If it runs, [`is_cancelled`](crate::is_cancelled) turns true inside it and its
    /// [`on_cancel`](crate::on_cancel) hooks run here; the handle resolves to [`Error::Cancelled`] if the body ends
    /// itself by [`check_cancelled`](crate::check_cancelled), and to what the body returns otherwise. If it has ended, nothing changes.
    ///
    /// # Panics
    /// Never; a panic in a hook or in a destructor of what the job captured is caught.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{Error, ExecutorExt, ThreadPool};
    /// use std::sync::mpsc;
    ///
    /// let pool = ThreadPool::new(1);
    /// let (end_first, wait) = mpsc::channel::<()>();
    /// let first = pool.submit(move || wait.recv().is_ok());
    /// let second = pool.submit(|| unreachable!()); // waits behind the first
    /// second.cancel();
    /// assert!(matches!(pollster::block_on(second), Err(Error::Cancelled)));
    /// end_first.send(()).unwrap();
    /// assert!(pollster::block_on(first).unwrap());
    /// ```
    pub fn cancel(&self) {
        let Some(header) = self.header else { return };
        match cell_of(&header).state.claim_to_cancel() {
            Claim::Won { linked: true, .. } => {
                // SAFETY: claimed while linked: it is this call's to unlink (I4), and with it comes the JOB bit.
                let claimed = unsafe { queue::unlink(header) };
                claimed.refuse(Error::Cancelled);
            }
            Claim::Won { linked: false, .. } => {
                // SAFETY: claimed, not linked, and the handle keeps the cell.
                unsafe { cell::refuse_work(header, &Error::Cancelled) };
                // SAFETY: as above; the closure is dropped; the handle exists until this returns.
                drop(unsafe { cell::fail(header, Error::Cancelled, false) });
            }
            Claim::Lost => {
                if cell_of(&header).state.wish_cancelled() == Wish::RunHooks {
                    // SAFETY: `wish_cancelled` saw HOOKS with Acquire; the handle keeps the cell.
                    unsafe { cell::hooks(header) }.run();
                }
            }
        }
    }

    /// Lets the job finish unobserved.
    ///
    /// It runs as if it were awaited, its result is dropped on the worker, and a panic of it goes no further than the panic
    /// hook, which has printed it by then. Not to be confused with detaching an *argument*: `#[blocking]` calls
    /// that the turning of a borrowed argument into an owned one.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    ///
    /// let (done, wait) = std::sync::mpsc::channel();
    /// ThreadPool::new(1).submit(move || done.send(())).detach();
    /// wait.recv().unwrap();
    /// ```
    pub fn detach(self) {
        let mut this = ManuallyDrop::new(self);
        if let Some(header) = this.header.take() {
            // SAFETY: this is the HANDLE bit, which is not used after.
            unsafe { leave(header) };
        }
    }

    /// Whether the result is there, so that the next poll returns it. `true` also after it was returned.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, Inline};
    ///
    /// assert!(Inline.submit(|| ()).is_finished()); // `Inline` runs jobs at once
    /// ```
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.header.is_none_or(|header| !matches!(cell_of(&header).state.look(), Look::Pending { .. }))
    }
}

impl<T> Future for JobHandle<T> {
    type Output = Result<T, Error>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let header = self.header.expect("`JobHandle` polled after it returned its result");
        let cell = cell_of(&header);
        loop {
            let (failed, alone) = match cell.state.look() {
                Look::Done { alone } => (false, alone),
                Look::Failed { alone } => (true, alone),
                Look::Pending { linked: true, .. } if context::is_inside() && run_here(header) => continue,
                Look::Pending { registered, .. } => {
                    let seen = if registered { Seen::Nothing } else { glance::at(header, cell) };
                    match seen {
                        Seen::Nothing if register(cell, registered, cx.waker()) => return Poll::Pending,
                        Seen::Enough => {
                            cx.waker().wake_by_ref();
                            return Poll::Pending;
                        }
                        Seen::Nothing | Seen::Result => continue,
                    }
                }
            };
            self.header = None;
            glance::fetched(header);
            let result = if failed {
                // SAFETY: DONE|FAILED is set and HANDLE was set with it, so the error is the handle's (I2); `header` is `None`
                // now, so it is taken once.
                Err(unsafe { cell::take_error(header) })
            } else {
                // SAFETY: as above, with the output, of which the type is `T`.
                Ok(unsafe { cell::take_output(header) })
            };
            if alone {
                // SAFETY: the executor's side was seen to have left, with Acquire; the result is moved out.
                unsafe { cell::deallocate(header) };
            } else {
                // SAFETY: this is the HANDLE bit, which is not used after; the result is moved out.
                unsafe { release(header) };
            }
            return Poll::Ready(result);
        }
    }
}

impl<T> Drop for JobHandle<T> {
    fn drop(&mut self) {
        let Some(header) = self.header.take() else { return };
        let cell = cell_of(&header);
        unregister(cell);
        match cell.state.claim_to_cancel() {
            Claim::Won { linked: true, .. } => {
                // SAFETY: claimed while linked: it is this call's to unlink (I4), and with it comes the JOB bit.
                let claimed = unsafe { queue::unlink(header) };
                // SAFETY: this is the HANDLE bit, which is not used after.
                unsafe { claimed.free() };
            }
            Claim::Won { linked: false, .. } => {
                // SAFETY: claimed, not linked, and the handle keeps the cell.
                unsafe { cell::refuse_work(header, &Error::Cancelled) };
                // SAFETY: this is the HANDLE bit; the job is claimed by this side, the closure dropped, and there will be no
                // result.
                unsafe { release(header) };
            }
            Claim::Lost => {
                if cell.state.wish_cancelled() == Wish::RunHooks {
                    // SAFETY: `wish_cancelled` saw HOOKS with Acquire; the handle keeps the cell.
                    unsafe { cell::hooks(header) }.run();
                }
                // SAFETY: this is the HANDLE bit, which is not used after.
                unsafe { leave(header) };
            }
        }
    }
}

impl<T> fmt::Debug for JobHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let site = self.header.map(|header| cell_of(&header).origin);
        f.debug_struct("JobHandle").field("site", &site).field("is_finished", &self.is_finished()).finish()
    }
}

/// The header behind a handle.
#[inline]
fn cell_of(header: &NonNull<Header>) -> &Header {
    // SAFETY: every caller in this file holds the HANDLE bit, which keeps the cell.
    unsafe { header.as_ref() }
}

/// Leaves `waker` to be woken. `false`: the job has ended, look again.
fn register(cell: &Header, registered: bool, waker: &Waker) -> bool {
    if registered {
        // SAFETY: WAKER was seen set: the slot is filled, and nobody writes it until the handle does (I3). If the claimer
        // takes the waker meanwhile, these bytes stay, and `will_wake` compares no more than them.
        if cell.waker.with(|slot| unsafe { &*slot.cast::<Waker>() }.will_wake(waker)) {
            // Most polls for no reason come with the waker of the one before: nothing has to be cloned for it.
            return true;
        }
        if !unregister(cell) {
            return false;
        }
    }
    let waker = waker.clone();
    // SAFETY: WAKER is clear: the slot is the handle's (I3), and empty.
    cell.waker.with_mut(|slot| unsafe { slot.cast::<Waker>().write(waker) });
    if cell.state.set_waker() {
        return true;
    }
    // SAFETY: the job ended without WAKER set: the slot is the handle's (I3), and filled.
    discard(cell.waker.with(|slot| unsafe { slot.cast::<Waker>().read() }));
    false
}

/// Takes the waker back and drops it, if there is one: nothing of the awaiter stays with a job that it gave up (C7). `false`:
/// none was there, or the job has ended and its claimer has the waker.
fn unregister(cell: &Header) -> bool {
    let registered = matches!(cell.state.look(), Look::Pending { registered: true, .. });
    let unset = registered && cell.state.unset_waker();
    if unset {
        // SAFETY: WAKER is clear again and DONE was not set: the slot is the handle's (I3), and filled.
        discard(cell.waker.with(|slot| unsafe { slot.cast::<Waker>().read() }));
    }
    unset
}

/// Lets a job begin that waits in a queue which this thread serves (C10). `false`: not such a job, or another has it.
fn run_here(header: NonNull<Header>) -> bool {
    let cell = cell_of(&header);
    // ORDERING: Relaxed: the pointer is compared, not followed. A queue that serves this thread, or is in the table of views, is
    // alive; and if the claim below is won, the job was linked all along, hence in the queue that had this address.
    let owner = cell.owner.load(Ordering::Relaxed);
    let serves = context::serves(owner);
    if matches!(serves, Serves::Nothing) {
        return false;
    }
    let claim = cell.state.claim();
    let Claim::Won { linked, stamp } = claim else { return false };
    debug_assert!(linked, "a job that was linked and not claimed stays so until it is claimed");
    if matches!(serves, Serves::Parent) {
        // SAFETY: claimed while linked; the handle keeps the cell.
        unsafe { queue::run_in_a_place(header, stamp) };
    } else {
        // SAFETY: claimed while linked: it is this call's to unlink (I4), and with it comes the JOB bit.
        let job = unsafe { queue::begin(header, stamp) };
        context::run_by_outermost(job, context::is_outermost(owner));
    }
    true
}

/// Gives up the handle of a job that is claimed, or still to run.
///
/// # Safety
/// The caller holds the HANDLE bit and does not use it after.
unsafe fn leave(header: NonNull<Header>) {
    let cell = cell_of(&header);
    unregister(cell);
    match cell.state.abandon() {
        Abandon::Left => {}
        Abandon::Finished => {
            let failed = matches!(cell.state.look(), Look::Failed { .. });
            // SAFETY: DONE is set, the result is the handle's (I2), and this is its HANDLE bit.
            unsafe { drop_finished(header, failed) };
        }
    }
}

/// # Safety
/// DONE is set, `failed` tells FAILED, the result is the handle's, and the HANDLE bit is not used after.
unsafe fn drop_finished(header: NonNull<Header>, failed: bool) {
    // SAFETY: as promised.
    unsafe { cell::drop_result(header, failed) };
    // SAFETY: as promised; the result is gone.
    unsafe { release(header) };
}

/// # Safety
/// The caller holds the HANDLE bit and does not use it after; what the cell held for the handle is moved out.
unsafe fn release(header: NonNull<Header>) {
    if cell_of(&header).state.release_handle() == Left::Nobody {
        // SAFETY: this was the last side.
        unsafe { cell::deallocate(header) };
    }
}
