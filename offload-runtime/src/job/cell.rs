//! The allocation: one cell per job, made and freed here and nowhere else.
//!
//! A [`Header`] that does not know the job's types, then a slot that holds the closure before the job runs and the output
//! afterwards. The header's [`Vtable`] gives the types back. I1 to I6 are those of `mod.rs`.

use std::any::Any;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};
use std::task::Waker;

use super::head::Head;
use super::origin::Origin;
use super::state::{AtEnd, Finish, Frees, Seen, State};
use crate::error::{Error, Panic};
use crate::hooks::Hooks;
use crate::sync::{Arc, AtomicPtr, UnsafeCell};
use crate::unwind::{contain, discard};

/// The payload of a panic.
pub(super) type Payload = Box<dyn Any + Send>;

/// The payload with which `check_cancelled` unwinds.
pub(crate) struct CancelUnwind;

/// The error of work that ended without an output. A payload that nothing unwinds with.
struct Refused(Error);

/// What a job does: a closure, or work of the crate's own that must learn of a refusal.
pub(crate) trait Work: Send + 'static {
    type Output: Send + 'static;

    /// Runs on the worker. `Err`: the body could not begin, and this is the job's result.
    ///
    /// # Errors
    /// None, for a plain job.
    fn run(self) -> Result<Self::Output, Error>;

    /// Whether `output` counts as an error in the metrics.
    fn is_err(_output: &Self::Output) -> bool {
        false
    }

    /// Called instead of `run` where the job will not run; dropping `self` is what a plain job does.
    fn refuse(self, _why: &Error)
    where
        Self: Sized,
    {
    }
}

/// How a job's body ended.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Completed,
    /// The body returned, and [`Work::is_err`] of what it returned.
    Failed,
    Panicked,
    /// The body ended itself by `check_cancelled`.
    Cancelled,
    /// The body could not begin: what it needs could not be had.
    Refused,
}

/// The part of a cell that is the same for all jobs: eight words.
///
/// | field | written by | read by |
/// |---|---|---|
/// | `state` | both sides | both sides |
/// | `vtable`, `origin` | `allocate` | both sides |
/// | `owner` | the queue, before it links the job | a canceller that claimed a linked job; a handle that compares it |
/// | `a`, `b` | I5 | I5 |
/// | `waker` | I3 | I3 |
pub(super) struct Header {
    pub(super) state: State,
    vtable: &'static Vtable,
    pub(super) origin: Origin,
    /// The queue of I4. May dangle once the job is unlinked.
    pub(super) owner: AtomicPtr<Head>,
    /// `*mut Header`: the next job of the queue; later `*const Hooks`, from `Arc::into_raw`.
    pub(super) a: UnsafeCell<*mut ()>,
    /// `*mut Header`: the job before; later `*mut Error`, from `Box::into_raw`.
    pub(super) b: UnsafeCell<*mut ()>,
    pub(super) waker: UnsafeCell<MaybeUninit<Waker>>,
}

/// What depends on a job's types.
struct Vtable {
    /// Runs the closure and stores its output, which is `Completed` or `Failed`; or returns the payload of its panic, or a [`Refused`].
    run: unsafe fn(NonNull<Header>) -> Result<Outcome, Payload>,
    refuse: unsafe fn(NonNull<Header>, &Error),
    /// Moves the output to where the second pointer, one to the output's type, leads.
    take_output: unsafe fn(NonNull<Header>, *mut ()),
    drop_output: unsafe fn(NonNull<Header>),
    free: unsafe fn(NonNull<Header>),
}

#[repr(C)]
struct Cell<W: Work> {
    // First, so that a pointer to the cell is one to the header.
    header: Header,
    slot: UnsafeCell<Slot<W>>,
}

/// Read and written through a pointer to what is in it: both begin where the union begins.
#[repr(C)]
union Slot<W: Work> {
    work: ManuallyDrop<W>,
    output: ManuallyDrop<W::Output>,
}

impl<W: Work> Cell<W> {
    const VTABLE: Vtable = Vtable {
        run: run::<W>,
        refuse: refuse::<W>,
        take_output: move_output::<W>,
        drop_output: drop_output::<W>,
        free: free::<W>,
    };

    #[inline]
    fn allocate(state: State, origin: Origin, work: W) -> NonNull<Header> {
        let cell = Box::new(Self {
            header: Header {
                state,
                vtable: &Self::VTABLE,
                origin,
                owner: AtomicPtr::new(ptr::null_mut()),
                a: UnsafeCell::new(ptr::null_mut()),
                b: UnsafeCell::new(ptr::null_mut()),
                waker: UnsafeCell::new(MaybeUninit::uninit()),
            },
            slot: UnsafeCell::new(Slot { work: ManuallyDrop::new(work) }),
        });
        #[cfg(all(test, offload_loom))]
        super::count::count_cells(1);
        NonNull::from(Box::leak(cell)).cast()
    }
}

/// A new cell with the bits JOB and HANDLE.
#[inline]
pub(super) fn observed<W: Work>(origin: Origin, work: W) -> NonNull<Header> {
    Cell::allocate(State::observed(), origin, work)
}

/// Runs the closure, and stores its output; or returns the payload of its panic, or a [`Refused`]. Never unwinds.
///
/// # Safety
/// The caller claimed the job, holds its `JOB` bit until the call returns, and calls this once; the job is not linked.
#[inline]
pub(super) unsafe fn run_body(header: NonNull<Header>) -> Result<Outcome, Payload> {
    // SAFETY: the JOB bit keeps the cell.
    let vtable = unsafe { header.as_ref() }.vtable;
    // SAFETY: the vtable is that of the cell; the rest is what the caller promises.
    unsafe { (vtable.run)(header) }
}

/// How a job ended: what the metrics count.
#[must_use]
#[derive(Clone, Copy, Debug)]
pub(crate) struct End<'a> {
    pub(crate) outcome: Outcome,
    /// The caller had dropped the handle before the body ended.
    pub(crate) is_abandoned: bool,
    /// Why the job has no value, if it has none.
    pub(crate) error: Option<&'a Error>,
}

/// Ends the hooks of a job whose body has ended. Returns whether its caller had dropped the handle.
///
/// # Safety
/// The caller holds the `JOB` bit of the job, which `run_body` has run on this thread.
#[inline]
pub(super) unsafe fn end(header: NonNull<Header>) -> bool {
    // SAFETY: the JOB bit keeps the cell.
    let AtEnd { has_hooks, is_abandoned } = unsafe { header.as_ref() }.state.at_end();
    if has_hooks {
        // SAFETY: HOOKS is set, so `a` holds them until the cell is freed (I5).
        unsafe { hooks(header) }.close();
    }
    is_abandoned
}

/// How a body ended that unwound or could not begin, and the error that its caller gets.
#[cold]
pub(super) fn unwound(payload: Payload) -> (Outcome, Result<(), Error>) {
    if payload.is::<CancelUnwind>() {
        return (Outcome::Cancelled, Err(Error::Cancelled));
    }
    match payload.downcast::<Refused>() {
        Ok(refused) => (Outcome::Refused, Err(refused.0)),
        Err(payload) => (Outcome::Panicked, Err(Error::Panicked(Panic::new(payload)))),
    }
}

/// Publishes that the output is in the slot, and returns the awaiter. Never unwinds.
///
/// # Safety
/// `run_body` has stored the output; the caller's `JOB` bit is handed over.
#[inline]
pub(super) unsafe fn complete(header: NonNull<Header>) -> Awaiter {
    // SAFETY: as promised.
    unsafe { finish(header, false, true) }
}

/// Drops the closure of a job that will not run, telling it why. Never unwinds.
///
/// # Safety
/// The caller claimed the job, and it is not linked. The cell stays until the call returns.
pub(super) unsafe fn refuse_work(header: NonNull<Header>, why: &Error) {
    // SAFETY: the cell is there, as the caller promises.
    let vtable = unsafe { header.as_ref() }.vtable;
    // SAFETY: the vtable is that of the cell; the closure is the claimer's to drop (I1).
    unsafe { (vtable.refuse)(header, why) }
}

/// Stores `error` as the job's result, and returns the awaiter. Never unwinds.
///
/// # Safety
/// The caller claimed the job, not to cancel it, and has run or dropped its closure; the job is not linked. The caller's `JOB` bit is
/// handed over.
pub(super) unsafe fn fail(header: NonNull<Header>, error: Error) -> Awaiter {
    let word = Box::into_raw(Box::new(error)).cast();
    // SAFETY: the JOB bit keeps the cell.
    let cell = unsafe { header.as_ref() };
    // SAFETY: `b` is the claimer's (I5): the job is unlinked and not DONE.
    cell.b.with_mut(|b| unsafe { *b = word });
    // SAFETY: the error is written; the rest is what the caller promises.
    unsafe { finish(header, true, true) }
}

/// Publishes [`Error::Cancelled`] as the job's result, and returns the awaiter. Never unwinds.
///
/// # Safety
/// The caller claimed the job to cancel it, and has dropped its closure. `owns_job`: it also holds the `JOB` bit, which is handed over;
/// otherwise the caller keeps the `HANDLE` bit until the call returns.
pub(super) unsafe fn revoke(header: NonNull<Header>, owns_job: bool) -> Awaiter {
    // SAFETY: a revoked job's error is stored nowhere; the rest is what the caller promises.
    unsafe { finish(header, true, owns_job) }
}

/// Sets DONE, and returns the awaiter, to be woken by the caller.
///
/// # Safety
/// As for `complete`, `fail` or `revoke`.
#[inline]
unsafe fn finish(header: NonNull<Header>, failed: bool, owns_job: bool) -> Awaiter {
    // SAFETY: the JOB bit, or the handle, keeps the cell until `finish` gives it up.
    let cell = unsafe { header.as_ref() };
    match cell.state.finish(failed, owns_job) {
        Finish::HandedOver => Awaiter(None),
        Finish::Unobserved => {
            // SAFETY: DONE was set and no handle exists, so the result is the claimer's (I2).
            unsafe { drop_result(header) };
            // SAFETY: the handle has gone and the JOB bit is this call's: no other side is left.
            unsafe { deallocate(header) };
            Awaiter(None)
        }
        Finish::TakeWaker => {
            // SAFETY: DONE was set with WAKER: the slot is the claimer's and filled (I3); it is read once, here.
            let waker = cell.waker.with(|slot| unsafe { slot.cast::<Waker>().read() });
            if owns_job && cell.state.release_job() == Frees::Caller {
                // SAFETY: the caller is the last side.
                unsafe { deallocate(header) };
            }
            // The cell is not touched any more (I6).
            Awaiter(Some(waker))
        }
    }
}

/// The waker of the task that awaits a job which has ended. Woken when this is dropped, which must not happen under a lock.
#[must_use = "dropping this wakes the awaiting task"]
pub(crate) struct Awaiter(Option<Waker>);

impl Drop for Awaiter {
    #[inline]
    fn drop(&mut self) {
        if let Some(waker) = self.0.take() {
            contain(|| waker.wake());
        }
    }
}

/// # Safety
/// As for `run_body`, with a cell of `W`.
unsafe fn run<W: Work>(header: NonNull<Header>) -> Result<Outcome, Payload> {
    let cell: NonNull<Cell<W>> = header.cast();
    // SAFETY: the JOB bit keeps the cell, which is one of `W`.
    let cell = unsafe { cell.as_ref() };
    // Read, run and written in one closure: a large closure or output is on the stack as few times as can be.
    let result = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the claimer alone touches the slot (I1), which holds the closure; it is moved out once.
        let output = cell.slot.with(|slot| unsafe { slot.cast::<W>().read() }).run()?;
        let outcome = if W::is_err(&output) { Outcome::Failed } else { Outcome::Completed };
        // SAFETY: the slot is the claimer's until DONE is set (I2), and empty.
        cell.slot.with_mut(|slot| unsafe { slot.cast::<W::Output>().write(output) });
        Ok(outcome)
    }));
    match result {
        Ok(Ok(outcome)) => Ok(outcome),
        Ok(Err(error)) => Err(Box::new(Refused(error))),
        Err(payload) => Err(payload),
    }
}

/// # Safety
/// As for `refuse_work`, with a cell of `W`.
unsafe fn refuse<W: Work>(header: NonNull<Header>, why: &Error) {
    let cell: NonNull<Cell<W>> = header.cast();
    // SAFETY: the cell is there, and is one of `W`.
    let cell = unsafe { cell.as_ref() };
    // SAFETY: the claimer alone touches the slot (I1), which holds the closure; it is moved out once.
    let work = cell.slot.with(|slot| unsafe { slot.cast::<W>().read() });
    contain(|| work.refuse(why));
}

/// # Safety
/// The output is in the slot and the caller's (I2); it is gone afterwards. The cell is one of `W`, and `to` leads to room
/// for its output.
unsafe fn move_output<W: Work>(header: NonNull<Header>, to: *mut ()) {
    let cell: NonNull<Cell<W>> = header.cast();
    // SAFETY: the cell is there, and is one of `W`.
    let cell = unsafe { cell.as_ref() };
    // SAFETY: the slot holds the output, the caller's, moved out once; `to` is room for it that overlaps nothing.
    cell.slot.with(|slot| unsafe { ptr::copy_nonoverlapping(slot.cast::<W::Output>(), to.cast(), 1) });
}

/// # Safety
/// The output is in the slot and the caller's (I2); it is gone afterwards. The cell is one of `W`.
unsafe fn drop_output<W: Work>(header: NonNull<Header>) {
    let cell: NonNull<Cell<W>> = header.cast();
    // SAFETY: the cell is there, and is one of `W`.
    let cell = unsafe { cell.as_ref() };
    // SAFETY: the slot holds the output, the caller's, moved out once.
    discard(cell.slot.with(|slot| unsafe { slot.cast::<W::Output>().read() }));
}

/// # Safety
/// As for `deallocate`, with a cell of `W`.
unsafe fn free<W: Work>(header: NonNull<Header>) {
    #[cfg(all(test, offload_loom))]
    {
        super::count::count_cells(-1);
        // To a model, a thread that reads a cell which is freed meanwhile reads what is being written.
        // SAFETY: the caller is the last to know of it, so it is there.
        unsafe { header.as_ref() }.b.with_mut(|_| ());
    }
    let cell: *mut Cell<W> = header.as_ptr().cast();
    // SAFETY: it came from `Box::leak` in `allocate`, and the caller is the last to know of it.
    drop(unsafe { Box::from_raw(cell) });
}

/// Frees the cell, with the hooks if they are there.
///
/// There is no waker: a handle takes its own back before it leaves, and the side that finishes the job takes what is there then (I3).
///
/// # Safety
/// The caller is the last side; closure, output and error have been moved out.
pub(super) unsafe fn deallocate(header: NonNull<Header>) {
    // SAFETY: the caller is the last side, so the cell is there.
    let cell = unsafe { header.as_ref() };
    if cell.state.has_hooks() {
        // SAFETY: HOOKS is set, so `a` came from `Arc::into_raw`.
        let hooks = cell.a.with(|a| unsafe { *a }).cast_const().cast::<Hooks>();
        // SAFETY: as above; no other side is left to use this reference.
        discard(unsafe { Arc::from_raw(hooks) });
    }
    let free = cell.vtable.free;
    // SAFETY: the vtable is that of the cell, and the caller is the last side.
    unsafe { free(header) };
}

/// Moves the output out of the slot.
///
/// # Safety
/// DONE is set without FAILED, the output is the caller's (I2) and of type `T`; it is taken once.
#[inline]
pub(super) unsafe fn take_output<T>(header: NonNull<Header>) -> T {
    // SAFETY: the caller's side keeps the cell.
    let vtable = unsafe { header.as_ref() }.vtable;
    let mut output = MaybeUninit::<T>::uninit();
    // SAFETY: the pointer leads to room for a `T`, the type of the output; the rest is what the caller promises.
    unsafe { (vtable.take_output)(header, output.as_mut_ptr().cast()) };
    // SAFETY: the call above filled it.
    unsafe { output.assume_init() }
}

/// Takes the error, out of `b` unless the job was `revoked`.
///
/// # Safety
/// FAILED is set, `revoked` tells REVOKED, the error is the caller's (I2), and it is taken once.
pub(super) unsafe fn take_error(header: NonNull<Header>, revoked: bool) -> Error {
    if revoked {
        return Error::Cancelled;
    }
    // SAFETY: the caller's side keeps the cell.
    let cell = unsafe { header.as_ref() };
    // SAFETY: after DONE|FAILED `b` is not written (I5).
    let word = cell.b.with(|b| unsafe { *b });
    // SAFETY: it came from `Box::into_raw` in `fail`, and is taken once.
    *unsafe { Box::from_raw(word.cast::<Error>()) }
}

/// Drops the result. Never unwinds.
///
/// # Safety
/// DONE is set, the result is the caller's (I2) and is taken once.
pub(super) unsafe fn drop_result(header: NonNull<Header>) {
    // SAFETY: the caller's side keeps the cell.
    let cell = unsafe { header.as_ref() };
    match cell.state.see() {
        // SAFETY: FAILED is set; the rest is what the caller promises.
        Seen::Failed { revoked, .. } => discard(unsafe { take_error(header, revoked) }),
        // SAFETY: the output is in the slot and the caller's.
        _ => unsafe { (cell.vtable.drop_output)(header) },
    }
}

/// The hooks of a job that has them.
///
/// # Safety
/// HOOKS was seen set, with Acquire or on the thread that set it, and the caller's side keeps the cell for `'a`.
pub(super) unsafe fn hooks<'a>(header: NonNull<Header>) -> &'a Hooks {
    // SAFETY: the caller's side keeps the cell.
    let cell = unsafe { header.as_ref() };
    // SAFETY: with HOOKS set `a` is not written (I5).
    let hooks = cell.a.with(|a| unsafe { *a }).cast_const().cast::<Hooks>();
    // SAFETY: it came from `Arc::into_raw`, and is freed with the cell.
    unsafe { &*hooks }
}

/// As `hooks`, shared.
///
/// # Safety
/// As for `hooks`.
pub(super) unsafe fn shared_hooks(header: NonNull<Header>) -> Arc<Hooks> {
    // SAFETY: as promised.
    let hooks = ptr::from_ref(unsafe { hooks(header) });
    // SAFETY: it came from `Arc::into_raw`, and is freed with the cell (I5).
    unsafe { Arc::increment_strong_count(hooks) };
    // SAFETY: the count was raised for this `Arc`.
    unsafe { Arc::from_raw(hooks) }
}

#[cfg(all(test, not(offload_loom)))]
mod tests {
    use super::*;

    struct Small;

    impl Work for Small {
        type Output = ();

        fn run(self) -> Result<(), Error> {
            Ok(())
        }
    }

    #[test]
    fn a_cell_has_eight_words_beside_what_it_holds() {
        assert_eq!(size_of::<Header>(), size_of::<[usize; 8]>());
        assert_eq!(size_of::<Cell<Small>>(), size_of::<[usize; 8]>());
    }
}
