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
use super::queue::{Owner, Queue};
use super::views::{self, AnyQueue, QueueId};
use crate::error::Error;
use crate::hooks::{Hooks, Stop};
use crate::sync::{Arc, Counter, thread_local};

struct Frame {
    /// The job that runs in this frame, which keeps its JOB bit until it has left the frame.
    job: Option<NonNull<Header>>,
    /// The queue that this frame serves, never the last reference to it: what calls `serve` holds another. None in a frame of a job.
    queue: Option<Arc<dyn AnyQueue>>,
    /// Whether the frame is that of a hook, which must not wait for the queue.
    is_hook: bool,
    outer: *const Frame,
    /// The handles for which what runs in this frame waits.
    waits_for: Cell<usize>,
    /// The queues that know of it. Frames further out serve them, and so keep them.
    told: RefCell<Vec<Arc<dyn AnyQueue>>>,
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
fn within<R>(
    job: Option<NonNull<Header>>,
    queue: Option<Arc<dyn AnyQueue>>,
    is_hook: bool,
    f: impl FnOnce() -> R,
) -> R {
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
    within(Some(header), None, false, f)
}

/// Runs `f` as a server of `queue`: a job that `f` runs may await a job that is queued there.
#[inline]
pub(crate) fn serve<P: Owner, R>(queue: &Arc<Queue<P>>, f: impl FnOnce() -> R) -> R {
    let queue: Arc<Queue<P>> = Arc::clone(queue);
    within(None, Some(queue), false, f)
}

/// Runs a hook of a worker of `queue`, which must not await a job that is queued there: the job may need this very worker.
pub(crate) fn serve_hook<P: Owner, R>(queue: &Arc<Queue<P>>, f: impl FnOnce() -> R) -> R {
    let queue: Arc<Queue<P>> = Arc::clone(queue);
    within(None, Some(queue), true, f)
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
    frames().any(|frame| frame.is_of(queue))
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

    /// Whether this frame serves `queue`.
    fn is_of(&self, queue: QueueId) -> bool {
        self.queue.as_ref().is_some_and(|served| QueueId::of(served) == queue)
    }

    /// The `queue`, if this frame or one further out serves it.
    fn served(&self, queue: QueueId) -> Option<&Arc<dyn AnyQueue>> {
        self.outward().find(|frame| frame.is_of(queue))?.queue.as_ref()
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
        for queue in needed(owner).filter_map(|queue| self.served(queue)) {
            served = true;
            // Not borrowed while the queue is told: that may wake a task.
            let is_told = self.told.borrow().iter().any(|told| Arc::ptr_eq(told, queue));
            if !is_told {
                self.told.borrow_mut().push(Arc::clone(queue));
                Arc::clone(queue).wait(Wait::Begins);
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
        needed(owner).any(|queue| self.served(queue).is_some_and(|queue| queue.is_alone()))
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
        for queue in self.told.take() {
            queue.wait(Wait::Ends);
        }
    }
}

/// The queues that a job in the queue `owner` needs: that one, and those from which it gets its threads.
fn needed(owner: QueueId) -> impl Iterator<Item = QueueId> {
    iter::successors(Some(owner), |queue| views::parent(*queue))
}

/// # Panics
/// If a hook of a worker awaits a job that is queued in the worker's own queue, or in a view of it.
pub(super) fn check_hook(owner: *const Head) {
    let Some(frame) = frames().next().filter(|frame| frame.is_hook) else { return };
    assert!(
        !needed(QueueId(owner.addr())).any(|queue| frame.is_of(queue)),
        "a hook of a thread, or a state that is dropped, awaits a job of its own pool, which may need this very thread"
    );
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
        outer.filter_map(|frame| frame.queue.as_ref()).map(|queue| queue.stop())
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
