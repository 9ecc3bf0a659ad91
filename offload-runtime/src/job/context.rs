//! The jobs that a thread runs, and the queues that it serves.
//!
//! A chain of frames on the thread's stack, innermost first: one per running job, one per queue (a pool's worker serves its pool, a
//! slot runner of a view serves that view). A thread-local points to the innermost. Frames are entered for the length of a closure, so
//! what they point to outlives them.
//!
//! # Waiting inside a job
//! A job that polls a handle whose own job has not ended, and belongs to a queue that the thread serves, *waits* from then on: until it has the
//! results of all such handles, has dropped them, or ends. So does a callback that a worker runs between two jobs (a recorder, a waker).
//! While it waits, each queue that its thread serves, and that the awaited job needs, allows one thread beyond its limit, for awaited
//! jobs only. An awaited job that is queued is moved before all that are not awaited, so some thread comes for it. If it runs already, it may
//! itself await a queued job, for which the allowance has to be there.
//!
//! A queue that one thread alone may serve ([`Owner::is_alone`](super::Owner::is_alone)), allows none: the awaited job is refused.

use std::cell::{Cell, RefCell};
use std::iter;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use super::cell::{self, Header};
use super::head::{Head, Wait};
use super::views::{self, QueueId};
use crate::error::Error;
use crate::hooks::{Hooks, Stop};
use crate::sync::{Arc, Counter, thread_local};

struct Frame {
    /// The job that runs in this frame, which keeps its JOB bit until it has left the frame.
    job: Option<NonNull<Header>>,
    /// The queue that this frame serves, alive until it has left the frame. Null in a frame of a job.
    queue: *const Head,
    /// Whether the frame is that of a hook, which must not wait for the queue.
    is_hook: bool,
    outer: *const Frame,
    /// The handles for which what runs in this frame waits.
    waits_for: Cell<usize>,
    /// The queues that know of it. Frames further out serve them.
    told: RefCell<Vec<NonNull<Head>>>,
    /// The number of this frame, given when it first waits.
    number: Cell<u64>,
}

/// Why an awaited job is refused where one thread alone could run it.
const ALONE: &str = "a job awaited another job of its own `StatefulPool` of one thread, which it keeps busy itself; work on the state directly, \
                     or await the other job outside";

thread_local! {
    static INNERMOST: Cell<*const Frame> = const { Cell::new(ptr::null()) };
}

/// Runs `f` with a new frame innermost. `f` may unwind.
#[inline]
fn within<R>(job: Option<NonNull<Header>>, queue: *const Head, is_hook: bool, f: impl FnOnce() -> R) -> R {
    struct Leave<'a>(&'a Frame);
    impl Drop for Leave<'_> {
        #[inline]
        fn drop(&mut self) {
            self.0.end_wait();
            let _ = INNERMOST.try_with(|innermost| innermost.set(self.0.outer));
        }
    }

    // A thread whose locals are gone (a job run by a destructor of one) runs jobs without a frame.
    let outer = INNERMOST.try_with(Cell::get).unwrap_or(ptr::null());
    let (waits_for, told, number) = (Cell::new(0), RefCell::default(), Cell::new(0));
    let frame = Frame { job, queue, is_hook, outer, waits_for, told, number };
    let _ = INNERMOST.try_with(|innermost| innermost.set(&raw const frame));
    let _leave = Leave(&frame);
    f()
}

/// Runs `f` as the body of the job `header`.
///
/// # Safety
/// The caller holds the job's `JOB` bit until `f` has ended.
#[inline]
pub(super) unsafe fn within_job<R>(header: NonNull<Header>, f: impl FnOnce() -> R) -> R {
    within(Some(header), ptr::null(), false, f)
}

/// Runs `f` as a server of the queue at `head`.
///
/// # Safety
/// The queue is alive until `f` has ended.
#[inline]
pub(super) unsafe fn within_queue<R>(head: *const Head, f: impl FnOnce() -> R) -> R {
    within(None, head, false, f)
}

/// Runs `f` as a hook of a thread that is to serve the queue at `head`.
///
/// # Safety
/// The queue is alive until `f` has ended.
pub(super) unsafe fn within_hook<R>(head: *const Head, f: impl FnOnce() -> R) -> R {
    within(None, head, true, f)
}

/// A frame and those further out, innermost first.
struct Frames<'a> {
    next: *const Frame,
    frames: PhantomData<&'a Frame>,
}

impl<'a> Iterator for Frames<'a> {
    type Item = &'a Frame;

    fn next(&mut self) -> Option<&'a Frame> {
        // SAFETY: a frame is on this thread's stack for as long as the thread-local, or a frame inside it, points to it; and no
        // user of `Frames` keeps one beyond its own call.
        let frame = unsafe { self.next.as_ref() }?;
        self.next = frame.outer;
        Some(frame)
    }
}

/// The frames of this thread, innermost first.
fn frames<'a>() -> Frames<'a> {
    Frames { next: INNERMOST.try_with(Cell::get).unwrap_or(ptr::null()), frames: PhantomData }
}

/// Whether this thread runs a job or serves a queue.
#[inline]
pub(super) fn is_inside() -> bool {
    INNERMOST.try_with(|innermost| !innermost.get().is_null()).unwrap_or(false)
}

/// Whether this thread runs something that `queue` gave it.
pub(crate) fn serves(queue: QueueId) -> bool {
    frames().any(|frame| frame.queue.addr() == queue.0)
}

/// The innermost running job of this thread, for the length of `f`.
pub(crate) fn current<R>(f: impl FnOnce(Current<'_>) -> R) -> Option<R> {
    let frame = frames().find(|frame| frame.job.is_some())?;
    let job = frame.job?;
    Some(f(Current { job, frame }))
}

impl Frame {
    fn outward(&self) -> Frames<'_> {
        Frames { next: self, frames: PhantomData }
    }

    /// The queue at that address, if this frame or one further out serves it.
    fn served(&self, queue: QueueId) -> Option<NonNull<Head>> {
        let frame = self.outward().find(|frame| frame.queue.addr() == queue.0)?;
        NonNull::new(frame.queue.cast_mut())
    }

    /// The job of this frame waits for one more handle: that of a job in the queue at `owner`. Returns whether that queue, or one from which
    /// it gets its threads, is served by this thread.
    fn begin_wait(&self, owner: QueueId, header: NonNull<Header>) -> bool {
        if self.is_alone_for(owner) {
            let why = Error::Unavailable(ALONE.to_owned());
            // SAFETY: the handle that is being polled keeps the cell.
            unsafe { views::refuse(owner, header, &why) };
            return false;
        }
        let mut served = false;
        let queues = iter::successors(Some(owner), |queue| views::parent(*queue));
        for head in queues.filter_map(|queue| self.served(queue)) {
            served = true;
            // Not borrowed while the queue is told: that may wake a task.
            if !self.told.borrow().contains(&head) {
                self.told.borrow_mut().push(head);
                tell(head, Wait::Begins);
            }
        }
        if served {
            self.waits_for.set(self.waits_for.get() + 1);
            // Jobs before it may wait for something that only this thread can do.
            // SAFETY: the handle that is being polled keeps the cell.
            unsafe { views::promote(owner, header) };
        }
        served
    }

    /// Whether this thread is the only one that could ever run a job of `owner`.
    fn is_alone_for(&self, owner: QueueId) -> bool {
        let mut queues = iter::successors(Some(owner), |queue| views::parent(*queue));
        queues.any(|queue| self.served(queue).is_some_and(is_alone))
    }

    /// One of the awaited handles has its result, or was dropped.
    fn end_one_wait(&self) {
        self.waits_for.set(self.waits_for.get().saturating_sub(1));
        if self.waits_for.get() == 0 {
            self.end_wait();
        }
    }

    #[inline]
    fn end_wait(&self) {
        for head in self.told.take() {
            tell(head, Wait::Ends);
        }
    }
}

/// Whether one thread alone serves the queue, which a frame of this thread serves.
fn is_alone(head: NonNull<Head>) -> bool {
    // SAFETY: a queue is alive until the frame that serves it is left.
    let operations = unsafe { head.as_ref() }.operations;
    // SAFETY: the operations are those of the queue.
    unsafe { (operations.is_alone)(head) }
}

/// Tells the queue, which a frame of this thread serves, that a thread begins or ends to wait.
fn tell(head: NonNull<Head>, wait: Wait) {
    // SAFETY: a queue is alive until the frame that serves it is left.
    let operations = unsafe { head.as_ref() }.operations;
    // SAFETY: the operations are those of the queue.
    unsafe { (operations.wait)(head, wait) };
}

/// # Panics
/// If a hook of a worker awaits a job that is queued in the worker's own queue, or in a view of it.
pub(super) fn check_hook(owner: *const Head) {
    let Some(frame) = frames().next().filter(|frame| frame.is_hook) else { return };
    let mut next = Some(QueueId(owner.addr()));
    while let Some(queue) = next {
        assert!(
            queue.0 != frame.queue.addr(),
            "a hook of a thread, or a state that is dropped, awaits a job of its own pool, which may need this very thread"
        );
        next = views::parent(queue);
    }
}

/// The innermost frame waits for the job `header`, in the queue at `owner`. Returns the number of the frame, from which a handle knows it again.
/// `None`: the thread serves no queue that the job needs.
pub(super) fn begin_wait(owner: *const Head, header: NonNull<Header>) -> Option<u64> {
    static NEXT: Counter = Counter::new();
    let frame = frames().next()?;
    if !frame.begin_wait(QueueId(owner.addr()), header) {
        return None;
    }
    if frame.number.get() == 0 {
        frame.number.set(NEXT.add_one() + 1);
    }
    Some(frame.number.get())
}

/// A handle for which the frame of that `number` waits has its result, or was dropped. Elsewhere than directly in that frame nothing is
/// known of it: then the frame waits until it is left.
pub(super) fn end_wait(number: u64) {
    if let Some(frame) = frames().next()
        && frame.number.get() == number
    {
        frame.end_one_wait();
    }
}

/// The job that this thread is running.
pub(crate) struct Current<'a> {
    job: NonNull<Header>,
    frame: &'a Frame,
}

impl<'a> Current<'a> {
    fn cell(&self) -> &'a Header {
        // SAFETY: the job's frame is on the stack, so its JOB bit is held.
        unsafe { self.job.as_ref() }
    }

    /// Whether cancellation of the job was requested, or a queue that this thread serves was stopped.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cell().state.is_cancelled() || self.stops().any(Stop::is_set)
    }

    /// What stops all jobs of the queues that this thread serves around the job.
    fn stops(&self) -> impl Iterator<Item = &'a Stop> {
        let outer = Frames { next: self.frame, frames: PhantomData };
        // SAFETY: a queue is alive until the frame that serves it is left.
        outer.filter_map(|frame| unsafe { frame.queue.as_ref() }).map(|head| &head.stop)
    }

    /// The job's hooks, made if it has none.
    pub(crate) fn hooks(&self) -> Arc<Hooks> {
        let cell = self.cell();
        if cell.state.has_hooks() {
            // SAFETY: HOOKS was set by this thread, which runs the job.
            return unsafe { cell::shared_hooks(self.job) };
        }
        let hooks = Arc::new(Hooks::default());
        let word = Arc::into_raw(Arc::clone(&hooks)).cast_mut().cast();
        // SAFETY: the job is claimed, unlinked, and has no hooks: `a` is its claimer's, this thread's (I5).
        cell.a.with_mut(|a| unsafe { *a = word });
        let mut cancelled = cell.state.set_hooks();
        for stop in self.stops() {
            cancelled |= stop.register(&hooks);
        }
        if cancelled {
            // The request came before there were hooks. From now on they know.
            hooks.run();
        }
        hooks
    }
}
