//! What a thread knows of the job it runs, and of the queues it serves.
//!
//! A chain of frames on the thread's stack, innermost first: one per running job, one per queue (a pool's worker serves its
//! pool, a driver of a limited view serves that view). A thread-local points to the innermost. Frames are entered for
//! the length of a closure, so what they point to outlives them.
//!
//! A thread that waits for another to run a job in its place lends it the chain ([`lend`]).

use std::cell::Cell;
use std::io;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use super::cell::{self, Header};
use super::owned::Begun;
use super::queue::{self, Head, Owner, Queue};
use super::views::{self, QueueId};
use crate::cancel::{Hooks, Stop};
use crate::sync::{Arc, thread, thread_local};

struct Frame {
    /// The job that runs in this frame, which keeps its JOB bit until it has left the frame.
    job: Option<NonNull<Header>>,
    /// The queue that this frame serves, alive until it has left the frame.
    queue: *const Head,
    outer: *const Frame,
}

thread_local! {
    static INNERMOST: Cell<*const Frame> = const { Cell::new(ptr::null()) };
}

/// Runs `f` with `frame` innermost. `f` may unwind.
#[inline]
fn within<R>(job: Option<NonNull<Header>>, queue: *const Head, f: impl FnOnce() -> R) -> R {
    struct Leave(*const Frame);
    impl Drop for Leave {
        #[inline]
        fn drop(&mut self) {
            let _ = INNERMOST.try_with(|innermost| innermost.set(self.0));
        }
    }

    let mut frame = Frame { job, queue, outer: ptr::null() };
    // A thread whose locals are gone (a job run by a destructor of one) runs jobs without a frame.
    let _leave = INNERMOST
        .try_with(|innermost| {
            frame.outer = innermost.get();
            innermost.set(&raw const frame);
            Leave(frame.outer)
        })
        .ok();
    f()
}

/// Runs `f` as the body of the job `header`.
///
/// # Safety
/// The caller holds the job's `JOB` bit until `f` has ended.
#[inline]
pub(super) unsafe fn within_job<R>(header: NonNull<Header>, f: impl FnOnce() -> R) -> R {
    within(Some(header), ptr::null(), f)
}

/// Runs `f` as a server of `queue`: a handle polled inside `f` may run a job that waits in `queue` (C10).
pub(crate) fn host<P: Owner, R>(queue: &Arc<Queue<P>>, f: impl FnOnce() -> R) -> R {
    within(None, Queue::head(queue), f)
}

/// The frames of this thread, innermost first.
fn frames() -> Frames<'static> {
    let innermost = INNERMOST.try_with(Cell::get).unwrap_or(ptr::null());
    Frames { next: innermost, frames: PhantomData }
}

struct Frames<'a> {
    next: *const Frame,
    frames: PhantomData<&'a Frame>,
}

impl<'a> Iterator for Frames<'a> {
    type Item = &'a Frame;

    fn next(&mut self) -> Option<&'a Frame> {
        // SAFETY: a frame is on this thread's stack, or on that of a thread that waits for this one (`lend`), for as long as the
        // thread-local, or a frame inside it, points to it; and no user of `frames` keeps one beyond its own call.
        let frame = unsafe { self.next.as_ref() }?;
        self.next = frame.outer;
        Some(frame)
    }
}

/// What this thread has to do with a queue.
pub(super) enum Serves {
    Nothing,
    /// It runs the queue's jobs.
    Itself,
    /// It runs the jobs of the executor from which the queue, that of a view, gets its threads.
    Parent,
}

/// Whether this thread serves any queue, or runs a job. Most awaits are not inside of one: they need not look, and take no lock in `views`.
#[inline]
pub(super) fn is_inside() -> bool {
    INNERMOST.try_with(|innermost| !innermost.get().is_null()).unwrap_or(false)
}

/// Whether this thread serves the queue at `head`, which need not be there any more.
pub(super) fn serves(head: *const Head) -> Serves {
    let mut queues = frames().map(|frame| frame.queue).filter(|queue| !queue.is_null());
    if queues.any(|queue| queue == head) {
        return Serves::Itself;
    }
    match views::parent(QueueId(head.addr())) {
        Some(parent) if frames().any(|frame| frame.queue.addr() == parent.0) => Serves::Parent,
        _ => Serves::Nothing,
    }
}

/// Lets the queue that this thread belongs to see to it that `job` begins at once, in the place of the job that waits for it.
pub(super) fn run_elsewhere(job: Begun) {
    run_by_outermost(job, false);
}

/// As `run_elsewhere`. `own`: `job` was in the queue that this thread belongs to.
pub(super) fn run_by_outermost(job: Begun, own: bool) {
    let thread_of = frames().filter_map(|frame| NonNull::new(frame.queue.cast_mut())).last();
    let thread_of = thread_of.expect("whose thread serves a queue has a frame of it");
    // SAFETY: a queue is alive until the frame that serves it is left, which is further out than this call.
    unsafe { queue::run_nested(thread_of, job, own) };
}

/// Whether this thread belongs to the queue at `head`.
pub(super) fn is_outermost(head: *const Head) -> bool {
    frames().map(|frame| frame.queue).filter(|queue| !queue.is_null()).last() == Some(head)
}

/// The frames of a thread that waits, on their way to the one that it waits for.
struct Lent(*const Frame);

// SAFETY: frames are not written while they can be reached, and what they point to may be used on any thread: cells through
// their state words, and heads, which are `Sync`. They are there as long as the lending thread waits.
unsafe impl Send for Lent {}

impl Lent {
    /// A method, so that a closure that calls it captures the whole.
    fn frames(self) -> *const Frame {
        self.0
    }
}

/// Runs `body` on a thread of its own, as a part of what this thread is doing, and waits until that has ended.
///
/// `Err`: the thread could not be started, and `body` was dropped.
pub(crate) fn lend(builder: thread::Builder, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let lent = Lent(INNERMOST.try_with(Cell::get).unwrap_or(ptr::null()));
    let stand_in = builder.spawn(move || {
        let frames = lent.frames();
        let _ = INNERMOST.try_with(|innermost| innermost.set(frames));
        body();
        // Destructors of the thread's locals are no part of it.
        let _ = INNERMOST.try_with(|innermost| innermost.set(ptr::null()));
    })?;
    // The frames were lent for no longer than this. `body` runs a job, and does not unwind.
    let _ = stand_in.join();
    Ok(())
}

/// The innermost running job of this thread, for the length of `f`.
pub(crate) fn current<R>(f: impl FnOnce(Current<'_>) -> R) -> Option<R> {
    let frame = frames().find(|frame| frame.job.is_some())?;
    let job = frame.job?;
    Some(f(Current { job, frame }))
}

/// The job that this thread is running.
pub(crate) struct Current<'a> {
    job: NonNull<Header>,
    frame: &'a Frame,
}

impl<'a> Current<'a> {
    /// Whether the job's handle, or a pool that stops at once, wants it to end.
    pub(crate) fn is_cancelled(&self) -> bool {
        // SAFETY: the job's frame is on the stack, so its JOB bit is held.
        let cancelled = unsafe { self.job.as_ref() }.state.is_cancelled();
        cancelled || self.stops().any(Stop::is_set)
    }

    /// What stops all jobs of the queues that this thread serves around the job.
    fn stops(&self) -> impl Iterator<Item = &'a Stop> {
        let outer = Frames { next: self.frame, frames: PhantomData };
        // SAFETY: a queue is alive until the frame that serves it is left.
        outer.filter_map(|frame| unsafe { frame.queue.as_ref() }).map(Head::stop)
    }

    /// The job's hooks, made if it has none, and whether they have to be run at once.
    pub(crate) fn hooks(&self) -> (Arc<Hooks>, bool) {
        // SAFETY: the job's frame is on the stack, so its JOB bit is held.
        let cell = unsafe { self.job.as_ref() };
        if cell.state.has_hooks() {
            // SAFETY: HOOKS was set by this thread, which runs the job.
            let hooks = ptr::from_ref(unsafe { cell::hooks(self.job) });
            // SAFETY: it came from `Arc::into_raw`, and is freed with the cell (I5).
            unsafe { Arc::increment_strong_count(hooks) };
            // SAFETY: the count was raised for this `Arc`.
            return (unsafe { Arc::from_raw(hooks) }, false);
        }
        let hooks = Arc::new(Hooks::default());
        let word = Arc::into_raw(Arc::clone(&hooks)).cast_mut().cast();
        // SAFETY: the job is claimed, unlinked, and has no hooks: `a` is its claimer's, this thread's (I5).
        cell.a.with_mut(|a| unsafe { *a = word });
        let cancelled = cell.state.set_hooks();
        let mut stopping = false;
        for stop in self.stops() {
            stopping |= stop.register(&hooks);
        }
        (hooks, cancelled || stopping)
    }
}
