//! The allocation: one cell per job, made and freed here and nowhere else.
//!
//! A [`Header`] that does not know the job's types, then a slot that holds the closure before the job runs and the output
//! after it. The types come back through the header's [`Vtable`]. I1 to I6 are those of `mod.rs`.

use std::any::Any;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};
use std::task::Waker;

use super::context;
use super::handle::JobHandle;
use super::origin::Origin;
use super::owned::{Awaiter, Job, Ran};
use super::queue::Head;
use super::state::{Finish, Left, State};
use crate::cancel::{CancelUnwind, Hooks};
use crate::error::{Error, Panic};
use crate::sync::{Arc, AtomicPtr, AtomicUsize, Ordering, UnsafeCell};

/// What a job does: a closure, or work of the crate's own that must learn of a refusal.
pub(crate) trait Work: Send + 'static {
    type Output: Send + 'static;

    /// Whether it belongs to what an executor of this crate has accepted before: that takes it though it is closed, or full.
    const OWED: bool = false;

    /// Runs on the worker.
    fn run(self) -> Self::Output;

    /// Called instead of `run` where the job will not run; dropping `self` is what a plain job does.
    fn refuse(self, _why: &Error)
    where
        Self: Sized,
    {
    }
}

/// How many jobs have ended of which the thread has not come back for another: their places are free.
///
/// Noted before the result is published, so that who has awaited a job finds its place free.
#[derive(Debug)]
pub(crate) struct Ended(AtomicUsize);

impl Ended {
    pub(crate) fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    pub(crate) fn note(&self) {
        // ORDERING: Relaxed: the Release of `State::finish` comes after it, and who awaited the job has acquired that.
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn come_back(&self) {
        // ORDERING: Relaxed: under the lock under which the count is used.
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> usize {
        // ORDERING: Relaxed: a count that lags refuses a job as if it had come a moment earlier.
        self.0.load(Ordering::Relaxed)
    }
}

/// The part of a cell that is the same for all jobs: eight words.
///
/// | field | who writes | who reads |
/// |---|---|---|
/// | `state` | both sides | both sides |
/// | `vtable`, `origin` | `allocate` | both sides |
/// | `owner` | a queue's `push`, under its lock, or `post` | who claimed with `linked`, and a handle that compares it |
/// | `a`, `b` | I5 | I5 |
/// | `waker` | I3 | I3 |
pub(super) struct Header {
    pub(super) state: State,
    vtable: &'static Vtable,
    pub(super) origin: Origin,
    /// The queue of I4; dangles once the job is unlinked.
    pub(super) owner: AtomicPtr<Head>,
    /// `*mut Header`: the next job of the queue; later `*const Hooks`, from `Arc::into_raw`.
    pub(super) a: UnsafeCell<*mut ()>,
    /// `*mut Header`: the job before; later `*mut Error`, from `Box::into_raw`.
    pub(super) b: UnsafeCell<*mut ()>,
    pub(super) waker: UnsafeCell<MaybeUninit<Waker>>,
}

/// What depends on a job's types.
struct Vtable {
    owed: bool,
    run: unsafe fn(NonNull<Header>, &mut dyn FnMut(Ran)) -> Awaiter,
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
        owed: W::OWED,
        run: run::<W>,
        refuse: refuse::<W>,
        take_output: move_output::<W>,
        drop_output: drop_output::<W>,
        free: free::<W>,
    };

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
        super::models::count_cells(1);
        NonNull::from(Box::leak(cell)).cast()
    }
}

/// A job and the handle that awaits it.
#[inline]
pub(super) fn observed<W: Work>(origin: Origin, work: W) -> (Job, JobHandle<W::Output>) {
    let header = Cell::allocate(State::observed(), origin, work);
    // SAFETY: the new cell has the bits JOB and HANDLE, one for each of the two.
    let job = unsafe { Job::from_header(header) };
    // SAFETY: as above; and the output of `W` is `W::Output`.
    (job, unsafe { JobHandle::from_header(header) })
}

/// A job that nobody awaits.
pub(super) fn unobserved<W: Work<Output = ()>>(origin: Origin, work: W) -> Job {
    let header = Cell::allocate(State::unobserved(), origin, work);
    // SAFETY: the new cell has the bit JOB.
    unsafe { Job::from_header(header) }
}

impl Header {
    /// As [`Work::OWED`].
    pub(super) fn is_owed(&self) -> bool {
        self.vtable.owed
    }
}

/// Runs the job, calls `note` with how it ended, stores the result, and returns who awaits it. Never unwinds, as `note` must not.
///
/// # Safety
/// The caller claimed the job and holds its `JOB` bit, which this call takes over once `note` has returned; the job is not linked.
pub(super) unsafe fn run_claimed(header: NonNull<Header>, note: &mut dyn FnMut(Ran)) -> Awaiter {
    // SAFETY: the JOB bit keeps the cell until the call returns or gives the bit up.
    let vtable = unsafe { header.as_ref() }.vtable;
    // SAFETY: the vtable is that of the cell; the rest is what the caller promises.
    unsafe { (vtable.run)(header, note) }
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

/// Stores `error` as the job's result, and returns who awaits it. Never unwinds.
///
/// # Safety
/// The caller claimed the job, unlinked it and has run or dropped its closure. `owns_job`: it also holds the
/// `JOB` bit, which this call takes over; otherwise the handle exists until the call returns.
pub(super) unsafe fn fail(header: NonNull<Header>, error: Error, owns_job: bool) -> Awaiter {
    let word = Box::into_raw(Box::new(error)).cast();
    // SAFETY: the cell is there, as the caller promises.
    let cell = unsafe { header.as_ref() };
    // SAFETY: `b` is the claimer's (I5): the job is unlinked and not DONE.
    cell.b.with_mut(|b| unsafe { *b = word });
    // SAFETY: the error is written; the rest is what the caller promises.
    unsafe { finish(header, true, owns_job) }
}

/// Sets DONE and does what that asks for, but for waking who awaits the job.
///
/// # Safety
/// As for `fail`; and the output (or, if `failed`, the error) is written.
unsafe fn finish(header: NonNull<Header>, failed: bool, owns_job: bool) -> Awaiter {
    // SAFETY: the JOB bit, or the handle, keeps the cell until `finish` gives it up.
    let cell = unsafe { header.as_ref() };
    match cell.state.finish(failed, owns_job) {
        Finish::HandedOver => Awaiter::nobody(),
        Finish::Unobserved => {
            if failed {
                // SAFETY: FAILED was set and no handle exists, so the error is the claimer's (I2).
                discard(unsafe { take_error(header) });
            } else {
                // SAFETY: DONE was set and no handle exists, so the output is the claimer's (I2).
                unsafe { (cell.vtable.drop_output)(header) };
            }
            // SAFETY: the handle has gone and the JOB bit is this call's: nobody else is left.
            unsafe { deallocate(header) };
            Awaiter::nobody()
        }
        Finish::TakeWaker => {
            // SAFETY: DONE was set with WAKER: the slot is the claimer's and filled (I3); it is read once, here.
            let waker = cell.waker.with(|slot| unsafe { slot.cast::<Waker>().read() });
            if owns_job && cell.state.release_job() == Left::Nobody {
                // SAFETY: the caller is the last.
                unsafe { deallocate(header) };
            }
            // The cell is not touched any more (I6).
            Awaiter::of(waker)
        }
    }
}

/// # Safety
/// As for `run_claimed`, with a cell of `W`.
unsafe fn run<W: Work>(header: NonNull<Header>, note: &mut dyn FnMut(Ran)) -> Awaiter {
    let cell: NonNull<Cell<W>> = header.cast();
    // SAFETY: the JOB bit keeps the cell, which is one of `W`.
    let cell = unsafe { cell.as_ref() };
    // SAFETY: the claimer alone touches the slot (I1), which holds the closure; it is moved out once.
    let work = cell.slot.with(|slot| unsafe { slot.cast::<W>().read() });
    // SAFETY: the cell outlives the call of the closure, as the JOB bit is given up only in `finish`.
    let result = unsafe { context::within_job(header, || catch_unwind(AssertUnwindSafe(|| work.run()))) };
    if cell.header.state.has_hooks() {
        // SAFETY: HOOKS is set, so `a` holds them until the cell is freed (I5).
        unsafe { hooks(header) }.close();
    }
    match result {
        Ok(output) => {
            note(Ran::Completed);
            // SAFETY: the slot is the claimer's until DONE is set (I2), and empty.
            cell.slot.with_mut(|slot| unsafe { slot.cast::<W::Output>().write(output) });
            // SAFETY: claimed, not linked, closure consumed, output written, and the JOB bit is ours.
            unsafe { finish(header, false, true) }
        }
        Err(payload) => {
            let (ran, error) = if payload.is::<CancelUnwind>() {
                (Ran::Cancelled, Error::Cancelled)
            } else {
                (Ran::Panicked, Error::Panicked(Panic::new(payload)))
            };
            note(ran);
            // SAFETY: claimed, not linked, closure consumed, and the JOB bit is ours.
            unsafe { fail(header, error, true) }
        }
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
        super::models::count_cells(-1);
        // To a model, who looks at a cell that is freed meanwhile reads what is being written.
        // SAFETY: the caller is the last to know of it, so it is there.
        unsafe { header.as_ref() }.b.with_mut(|_| ());
    }
    let cell: *mut Cell<W> = header.as_ptr().cast();
    // SAFETY: it came from `Box::leak` in `allocate`, and the caller is the last to know of it.
    drop(unsafe { Box::from_raw(cell) });
}

/// Frees the cell, with the hooks if they are there.
///
/// There is no waker: a handle takes its own back before it leaves, and who finishes the job takes what is there then (I3).
///
/// # Safety
/// The caller is the last side; closure, output and error have been moved out.
pub(super) unsafe fn deallocate(header: NonNull<Header>) {
    // SAFETY: the caller is the last side, so the cell is there.
    let cell = unsafe { header.as_ref() };
    if cell.state.has_hooks() {
        // SAFETY: HOOKS is set, so `a` came from `Arc::into_raw`.
        let hooks = cell.a.with(|a| unsafe { *a }).cast_const().cast::<Hooks>();
        // SAFETY: as above; nobody else is left to use this reference.
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

/// Moves the error out of `b`.
///
/// # Safety
/// FAILED is set, the error is the caller's (I2), and it is taken once.
pub(super) unsafe fn take_error(header: NonNull<Header>) -> Error {
    // SAFETY: the caller's side keeps the cell.
    let cell = unsafe { header.as_ref() };
    // SAFETY: after DONE|FAILED nobody writes `b` (I5).
    let word = cell.b.with(|b| unsafe { *b });
    // SAFETY: it came from `Box::into_raw` in `fail`, and is taken once.
    *unsafe { Box::from_raw(word.cast::<Error>()) }
}

/// Drops the result, whatever it is. Never unwinds.
///
/// # Safety
/// DONE is set, `failed` tells FAILED, the result is the caller's (I2) and is taken once.
pub(super) unsafe fn drop_result(header: NonNull<Header>, failed: bool) {
    if failed {
        // SAFETY: FAILED is set; the rest is what the caller promises.
        discard(unsafe { take_error(header) });
    } else {
        // SAFETY: the caller's side keeps the cell.
        let vtable = unsafe { header.as_ref() }.vtable;
        // SAFETY: the output is in the slot and the caller's.
        unsafe { (vtable.drop_output)(header) };
    }
}

/// The hooks of a job that has them.
///
/// # Safety
/// HOOKS was seen set, with Acquire or on the thread that set it, and the caller's side keeps the cell for `'a`.
pub(super) unsafe fn hooks<'a>(header: NonNull<Header>) -> &'a Hooks {
    // SAFETY: the caller's side keeps the cell.
    let cell = unsafe { header.as_ref() };
    // SAFETY: with HOOKS set nobody writes `a` (I5).
    let hooks = cell.a.with(|a| unsafe { *a }).cast_const().cast::<Hooks>();
    // SAFETY: it came from `Arc::into_raw`, and is freed with the cell.
    unsafe { &*hooks }
}

/// Calls `f`, which may be the user's and may panic; that ends here. Never unwinds.
pub(crate) fn contain(f: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(f)) {
        discard(payload);
    }
}

/// Drops `value`, which may be the user's and may panic, and the payload of that panic too. Never unwinds.
pub(crate) fn discard<T>(value: T) {
    if !std::mem::needs_drop::<T>() {
        // Decided when it is compiled: most results leave no code here.
        return;
    }
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        discard_payload(payload);
    }
}

/// A panic's payload may panic when it is dropped, with a payload that does the same, and so on: the second is leaked.
fn discard_payload(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
}

#[cfg(all(test, not(offload_loom)))]
mod tests {
    use super::*;

    struct Small;

    impl Work for Small {
        type Output = ();

        fn run(self) {}
    }

    #[test]
    fn a_cell_has_eight_words_beside_what_it_holds() {
        assert_eq!(size_of::<Header>(), size_of::<[usize; 8]>());
        assert_eq!(size_of::<Cell<Small>>(), size_of::<[usize; 8]>());
        assert_eq!(size_of::<Job>(), size_of::<usize>());
    }
}
