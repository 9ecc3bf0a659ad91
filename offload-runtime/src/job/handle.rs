//! The submitter's side of a job: [`JobHandle`].

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};

use super::cell::{self, Header};
use super::context;
use super::large::is_large;
use super::link::{Canceller, Link, Rest};
use super::look::{self, When};
use super::owned::Claimed;
use super::state::{Abandon, Claim, Frees, Request, Seen};
use super::views::{self, QueueId};
use super::waker_slot::{register, unregister};
use crate::error::Error;
use crate::hooks::Hooks;
use crate::sync::{Arc, Ordering, thread_local};

/// Awaits one submitted job.
///
/// The job was enqueued before the handle was returned; awaiting it only fetches the result. The result is `Ok` with what
/// the call returned, or the [`Error`] that says why there is no result.
///
/// A handle is `Send`, `Sync` and `Unpin`, needs no particular async runtime, and can be awaited by reference
/// (`(&mut handle).await`) to keep it. A poll never blocks: it takes a few microseconds at most. The first poll may wake its task at once, so
/// that other tasks run first.
///
/// **Dropping** a handle cancels its job. If the job has not begun, it never will, and what it captured is dropped before
/// `drop` returns. If it runs, [`is_cancelled`](crate::is_cancelled) turns true inside it and its
/// [`on_cancel`](crate::on_cancel) callbacks run, on the dropping thread; its result is dropped on the worker.
/// [`detach`](Self::detach) lets it finish instead. `drop` never waits for the job and never panics.
///
/// **Awaited inside a job**, a handle passes cancellation on: when the outer job is cancelled, so is this one. If it belongs to the
/// outer job's own pool, or to a [`Limited`](crate::Limited) view of it, the pool may use one more thread while the outer
/// job waits. So a job that blocks on others cannot deadlock its own pool; see [`ThreadPool`](crate::ThreadPool#nested-use).
///
/// **Results that are ready** do not starve other tasks: after some of them in a row on one thread, a poll wakes its task and returns `Pending`
/// once, even where [`is_finished`](Self::is_finished) is `true`.
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
    /// A cell with the output type `T` (or `Box<T>`, if `T` is large) of which this holds the `HANDLE` bit; `None` once the result was returned.
    header: Option<NonNull<Header>>,
    /// What cancellers share with the handle, once there are any.
    link: OnceLock<Arc<Link>>,
    /// What ties the handle to the job that awaits it, if one does.
    outer: Option<Box<Outer>>,
    /// The last poll has let other tasks have their turn, and left no waker.
    gave_way: bool,
    output: PhantomData<T>,
}

/// What a handle is awaited by on the thread of an executor.
struct Outer {
    /// The hooks of the running job, if one runs.
    hooks: Option<Arc<Hooks>>,
    /// The number of the callback that cancels this handle's job; `None` if the running job was cancelled before.
    callback: Option<u64>,
    /// The number of its frame, once it waits for a queued job.
    waits: Option<u64>,
}

// SAFETY: the handle passes the output on, and drops it: `T: Send`. What both sides touch goes through the state word.
unsafe impl<T: Send> Send for JobHandle<T> {}
// SAFETY: `&JobHandle` gives `cancel`, `canceller` and `is_finished`, which may run on several threads at once (one of them
// claims), and never the output.
unsafe impl<T: Send> Sync for JobHandle<T> {}
// Nothing of the job can be observed half done: its closure is gone or its output complete.
impl<T> UnwindSafe for JobHandle<T> {}
impl<T> RefUnwindSafe for JobHandle<T> {}
impl<T> Unpin for JobHandle<T> {}

impl<T> JobHandle<T> {
    /// # Safety
    /// The cell has a `HANDLE` bit, which is given to the new value, and its output type is `T`, or `Box<T>` if `T` is large.
    #[inline]
    pub(super) unsafe fn from_header(header: NonNull<Header>) -> Self {
        Self { header: Some(header), link: OnceLock::new(), outer: None, gave_way: false, output: PhantomData }
    }

    /// Cancels the job, and keeps the handle to see what became of it.
    ///
    /// If the job has not begun, it never will: what it captured is dropped before this returns, and the handle resolves to
    /// [`Error::Cancelled`]. If it runs, [`is_cancelled`](crate::is_cancelled) turns true inside it and its
    /// [`on_cancel`](crate::on_cancel) callbacks run here; the handle resolves to [`Error::Cancelled`] if the body ends
    /// itself by [`check_cancelled`](crate::check_cancelled), and to what the body returns otherwise. If it has ended, nothing changes.
    ///
    /// # Panics
    /// Never; a panic in a callback or in a destructor of what the job captured is caught.
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
        if let Some(header) = self.header {
            // SAFETY: this is the HANDLE bit, which is held until the call returns.
            unsafe { cancel(header) };
        }
    }

    /// Returns what cancels the job from elsewhere, as [`cancel`](Self::cancel) does, while the handle is awaited.
    ///
    /// # Examples
    /// See [`Canceller`].
    pub fn canceller(&self) -> Canceller {
        let link = self.link.get_or_init(|| match self.header {
            Some(header) => Link::new(header),
            None => Link::gone(),
        });
        Canceller(Arc::clone(link))
    }

    /// Lets the job finish unobserved.
    ///
    /// It runs as if it were awaited, and its result is dropped on the worker. A panic is reported by the panic hook only.
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
        let mut this = self;
        this.leave_outer();
        if let Some(header) = this.take_header(Rest::Result) {
            // SAFETY: this is the HANDLE bit, which is not used after.
            unsafe { leave(header) };
        }
    }

    /// Whether the result is there. `true` also after it was returned.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, Inline};
    ///
    /// assert!(Inline.submit(|| ()).is_finished()); // `Inline` runs jobs at once
    /// ```
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.header.is_none_or(|header| !matches!(cell_of(&header).state.see(), Seen::Pending { .. }))
    }

    /// Takes the cell out of the handle, which leaves. `None`: it was taken before, or a canceller has the `HANDLE` bit and does the
    /// `rest`.
    fn take_header(&mut self, rest: Rest) -> Option<NonNull<Header>> {
        let header = self.header.take()?;
        let given_away = self.link.get().is_some_and(|link| link.leave(rest));
        (!given_away).then_some(header)
    }

    /// The handle is polled inside a job, and has no result yet. Ties the two together; `linked`: its own job is queued.
    fn await_inside(&mut self, header: NonNull<Header>, linked: bool) {
        // ORDERING: Relaxed: the pointer is compared, not followed.
        let owner = cell_of(&header).owner.load(Ordering::Relaxed);
        if linked {
            context::check_hook(owner);
        }
        let hooks = context::current(|job| job.hooks());
        let is_known = self.outer.as_ref().is_some_and(|outer| match (&outer.hooks, &hooks) {
            (Some(known), Some(hooks)) => Arc::ptr_eq(known, hooks),
            (known, hooks) => known.is_none() && hooks.is_none(),
        });
        if !is_known {
            // Another job may have polled it before.
            self.leave_outer();
            let canceller = self.canceller();
            let callback = hooks.as_ref().and_then(|hooks| hooks.add(Box::new(move || canceller.cancel())));
            self.outer = Some(Box::new(Outer { hooks, callback, waits: None }));
        }
        if let Some(outer) = &mut self.outer
            && outer.waits.is_none()
            && !owner.is_null()
        {
            outer.waits = context::begin_wait(owner, header);
        }
    }

    /// The handle is no longer awaited.
    #[inline]
    fn leave_outer(&mut self) {
        if let Some(outer) = self.outer.take() {
            if let (Some(hooks), Some(callback)) = (&outer.hooks, outer.callback) {
                hooks.remove(callback);
            }
            if let Some(number) = outer.waits {
                context::end_wait(number);
            }
        }
    }

    /// Returns the result if it is there and this does not give way to other tasks; else leaves `waker`. `LOOKS`: at first it may spin for
    /// the result.
    #[inline]
    pub(crate) fn poll_result<const LOOKS: bool>(
        &mut self,
        waker: &Waker,
        gives_way: impl Fn() -> bool,
    ) -> Poll<Result<T, Error>> {
        let header = self.header.expect("`JobHandle` polled after it returned its result");
        loop {
            let cell = cell_of(&header);
            let (revoked, alone) = match cell.state.see() {
                Seen::Done { alone } => (None, alone),
                Seen::Failed { revoked, alone } => (Some(revoked), alone),
                Seen::Pending { linked, registered } => {
                    if context::is_inside() {
                        self.await_inside(header, linked);
                    }
                    if LOOKS && !registered {
                        let when = if std::mem::take(&mut self.gave_way) { When::Now } else { look::when() };
                        if when == When::Later {
                            self.gave_way = true;
                            waker.wake_by_ref();
                            return Poll::Pending;
                        }
                        let is_done = || !matches!(cell.state.see(), Seen::Pending { .. });
                        if when == When::Now && look::look_now(is_done) {
                            continue;
                        }
                    }
                    if register(cell, registered, waker) {
                        return Poll::Pending;
                    }
                    continue;
                }
            };
            if gives_way() {
                waker.wake_by_ref();
                return Poll::Pending;
            }
            self.leave_outer();
            let result = match revoked {
                // SAFETY: FAILED is set and HANDLE was set with it, so the error is the handle's (I2); `header` becomes `None`
                // below, so it is taken once.
                Some(revoked) => Err(unsafe { cell::take_error(header, revoked) }),
                // SAFETY: as above, with the output, of which the type is `Box<T>`.
                None if const { is_large::<T>() } => Ok(*unsafe { cell::take_output::<Box<T>>(header) }),
                // SAFETY: as above, with the output, of which the type is `T`.
                None => Ok(unsafe { cell::take_output::<T>(header) }),
            };
            match self.take_header(Rest::Release) {
                // SAFETY: the executor's side was seen to have left, with Acquire; the result is moved out.
                Some(header) if alone => unsafe { cell::deallocate(header) },
                // SAFETY: this is the HANDLE bit, which is not used after; the result is moved out.
                Some(header) => unsafe { release(header) },
                None => {}
            }
            return Poll::Ready(result);
        }
    }

    /// The handle is no longer polled, but kept: nothing of what polled it stays with the job.
    pub(super) fn leave_awaiter(&mut self) {
        self.leave_outer();
        if let Some(header) = self.header {
            unregister(cell_of(&header));
        }
    }
}

impl Canceller {
    /// Cancels the job, as [`JobHandle::cancel`] does. Does nothing once the handle has returned its result or was dropped.
    ///
    /// # Examples
    /// See [`Canceller`].
    pub fn cancel(&self) {
        // SAFETY: the link has borrowed the HANDLE bit until this returns.
        self.borrow(|header| unsafe { cancel(header) });
    }

    /// A running job awaits the job: moves it before the jobs of `queue` that are not awaited, if it is in that.
    pub(crate) fn promote(&self, queue: QueueId) {
        // SAFETY: the link has borrowed the HANDLE bit until this returns.
        self.borrow(|header| unsafe { views::promote(queue, header) });
    }

    fn borrow(&self, f: impl FnOnce(NonNull<Header>)) {
        self.0.borrow(f, |header, rest| match rest {
            // SAFETY: the handle has left its HANDLE bit to this call.
            Rest::Result => unsafe { leave(header) },
            // SAFETY: as above; the handle has taken the result.
            Rest::Release => unsafe { release(header) },
        });
    }
}

impl<T> Future for JobHandle<T> {
    type Output = Result<T, Error>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_result::<true>(cx.waker(), gives_way)
    }
}

impl<T> Drop for JobHandle<T> {
    fn drop(&mut self) {
        self.leave_outer();
        let Some(header) = self.take_header(Rest::Result) else { return };
        // First: nothing of the awaiter stays, whatever the callbacks do.
        unregister(cell_of(&header));
        // SAFETY: this is the HANDLE bit, which is held until the call returns.
        unsafe { cancel(header) };
        // SAFETY: this is the HANDLE bit, which is not used after.
        unsafe { leave(header) };
    }
}

impl<T> fmt::Debug for JobHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let site = self.header.map(|header| cell_of(&header).origin);
        f.debug_struct("JobHandle")
            .field("site", &site)
            .field("is_finished", &self.is_finished())
            .finish_non_exhaustive()
    }
}

thread_local! {
    /// How many results this thread has returned since one gave way. A handle that is pending does not count as giving way: what polls it,
    /// as `select!` does, may go on with a result that is ready.
    static RETURNED: Cell<u32> = const { Cell::new(0) };
}

/// After so many, other tasks have their turn.
const MOST_RESULTS: u32 = 16;

/// A result is ready. Returns whether other tasks are to have their turn first.
///
/// Not by tokio's budget, which would never end for a foreign `block_on` inside of a task.
#[inline]
fn gives_way() -> bool {
    let count = |returned: &Cell<u32>| {
        let gives_way = returned.get() >= MOST_RESULTS;
        returned.set(if gives_way { 0 } else { returned.get() + 1 });
        gives_way
    };
    RETURNED.try_with(count).unwrap_or(false)
}

/// The header behind a handle.
#[inline]
fn cell_of(header: &NonNull<Header>) -> &Header {
    // SAFETY: every caller in this file holds the HANDLE bit, which keeps the cell.
    unsafe { header.as_ref() }
}

/// Cancels a job.
///
/// # Safety
/// The caller holds the HANDLE bit until the call returns.
unsafe fn cancel(header: NonNull<Header>) {
    match cell_of(&header).state.claim_to_cancel() {
        Claim::Won { linked, .. } => {
            // SAFETY: claimed by this call; the HANDLE bit is held.
            let claimed = unsafe { unlink(header, linked) };
            if let Some(claimed) = claimed {
                // SAFETY: claimed to be cancelled.
                unsafe { claimed.revoke() };
            } else {
                // SAFETY: claimed, not linked, and the handle keeps the cell.
                unsafe { cell::refuse_work(header, &Error::Cancelled) };
                // SAFETY: claimed to be cancelled, the closure is dropped, and the HANDLE bit is held.
                drop(unsafe { cell::revoke(header, false) });
            }
        }
        // SAFETY: as promised.
        Claim::Lost { .. } => unsafe { request_cancel(header) },
    }
}

/// Requests the cancellation of a job that was claimed by another side.
///
/// # Safety
/// The caller holds the HANDLE bit until the call returns.
unsafe fn request_cancel(header: NonNull<Header>) {
    if cell_of(&header).state.request_cancel() == Request::RunHooks {
        // SAFETY: `request_cancel` saw HOOKS with Acquire; the handle keeps the cell.
        unsafe { cell::hooks(header) }.run();
    }
}

/// Takes a job that was claimed to be cancelled out of its queue, if it is `linked`. `None`: the executor's side has the `JOB` bit, and
/// will release it.
///
/// # Safety
/// The caller claimed the job to cancel it, `linked` or not, and holds the HANDLE bit.
unsafe fn unlink(header: NonNull<Header>, linked: bool) -> Option<Claimed> {
    if !linked {
        return None;
    }
    // ORDERING: Relaxed: the claim that saw LINKED was an Acquire of the Release in `State::link`, which comes after the store.
    let head = NonNull::new(cell_of(&header).owner.load(Ordering::Relaxed))?;
    // SAFETY: the job is linked, so its queue is alive (I4).
    let unlink = unsafe { head.as_ref() }.unlink;
    // SAFETY: the function is that of the queue; the caller claimed the job while it was linked, and keeps the cell.
    let is_ours = unsafe { unlink(head, header) };
    // SAFETY: claimed by the caller, unlinked now; the JOB bit was given to this call.
    is_ours.then(|| unsafe { Claimed::from_header(header) })
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
            // SAFETY: DONE is set, and the result is the handle's (I2).
            unsafe { cell::drop_result(header) };
            // SAFETY: this is the HANDLE bit, which is not used after; the result is gone.
            unsafe { release(header) };
        }
    }
}

/// # Safety
/// The caller holds the HANDLE bit and does not use it after; what the cell held for the handle is moved out.
unsafe fn release(header: NonNull<Header>) {
    if cell_of(&header).state.release_handle() == Frees::Caller {
        // SAFETY: this was the last side.
        unsafe { cell::deallocate(header) };
    }
}
