//! The job: one submitted call, in one allocation, shared by the side that awaits it and the side that runs it.
//!
//! This page is the protocol. All `unsafe` of the crate is in this folder:
//! * `state.rs` the state word and its transitions · `cell.rs` the allocation · `owned.rs` the executor's side ([`Job`], [`Claimed`])
//! * `handle.rs` the submitter's side ([`JobHandle`]) · `waker_slot.rs` its waker · `wait.rs` waiting for it without async
//! * `look.rs` a short look at a job that may end at once · `link.rs` cancelling from elsewhere
//! * `queue.rs` the intrusive queue, of `inbox.rs` and `list.rs`, with its `head.rs` · `queue/guard.rs` what is done under its lock
//! * `context.rs` what a thread runs and serves · `views.rs` the table of queues · `shown.rs` the running job as other threads see it
//! * `origin.rs` the one-word [`Site`](crate::Site) · `judge.rs` which results are errors · `large.rs` what is boxed
//!
//! # The sides
//! Two sides refer to a cell, each by one bit of the state word: the submitter (`HANDLE`) and the executor (`JOB`). The side that clears the
//! second of the two bits frees the cell. Nothing is counted.
//!
//! # The phases
//! ```text
//!             claim                  finish
//!   WAITING ─────────▶ CLAIMED ─────────────────▶ DONE            the slot holds the output
//!   the slot holds     the slot is its            or DONE|FAILED  the word `b` holds the error, or the job is REVOKED
//!   the closure        claimer's alone
//! ```
//! * **I1** `CLAIMED` is set once, by one claimer: a worker that runs the job, an executor that refuses it, or a canceller (its handle, or
//!   a [`Canceller`]), which sets `REVOKED` with it. Only the claimer touches the closure. So a job runs at most once.
//! * **I2** `DONE` is set once, by the claimer, after it wrote the output or the error. Before `DONE` no other side touches the
//!   slot; after it, the result belongs to the handle if `HANDLE` was set in that same step, else to the claimer. So a handle resolves
//!   exactly once.
//! * **I3** The waker's slot belongs to the handle while `WAKER` is clear, and to the claimer once `DONE` is set with
//!   `WAKER` set. In between it is not written.
//! * **I4** While `LINKED` is set, the queue that `owner` points to is alive, and the `JOB` bit is the queue's: the job is in its list or its
//!   inbox, or in the hands of a thread that is about to push it. The queue clears the bit as it claims a job of its list, under its lock.
//!   A canceller claims a linked job without the lock and leaves the bit set, so that the queue stays; then it locks the queue and clears the
//!   bit. If the job is in the list, it takes the job out and has the `JOB` bit. A worker that comes upon the job before that sets it aside: it is
//!   in no list, but linked, and the canceller has the `JOB` bit. If the job has not been pushed yet, the queue gets it all the same, and releases
//!   the `JOB` bit when it comes upon it.
//! * **I5** The words `a` and `b` are the queue's links, under its lock, until the job is unlinked; then the claimer's. On the way to the
//!   inbox and in it `a` is the submitter's, and `b` is null. `a` holds the hooks once `HOOKS` is set, until the cell is freed;
//!   `b` the error from `DONE|FAILED` without `REVOKED` until it is taken.
//! * **I6** The side that sets `DONE` may lose the cell in that step. What is needed afterwards is read before, or the `JOB`
//!   bit is kept until it has been used.
//!
//! # Cancellation
//! `CANCELLED` is a request. A canceller sets it in the step that claims (then the job never runs), or on a claimed job (then the body may
//! see it). `HOOKS` and `CANCELLED` are set by read-modify-writes of one word: the second of them sees the first, and runs the hooks.

mod cell;
mod context;
#[cfg(all(test, offload_loom))]
mod count;
mod handle;
mod head;
mod inbox;
mod judge;
mod large;
mod link;
mod list;
mod look;
#[cfg(all(test, offload_loom))]
pub(crate) mod models;
mod origin;
mod owned;
mod queue;
mod shown;
mod state;
mod views;
mod wait;
mod waker_slot;

pub(crate) use cell::{CancelUnwind, End, Outcome, Work};
pub(crate) use context::{current, serve, serve_hook, serves};
pub use handle::JobHandle;
pub(crate) use head::Wait;
pub use judge::{Judge, Unjudged};
pub(crate) use large::is_large;
pub use link::Canceller;
pub(crate) use look::{look, spin};
pub use origin::Origin;
pub(crate) use owned::Claimed;
pub use owned::Job;
pub(crate) use queue::{Guard, Owner, Queue, Rejected};
pub(crate) use shown::{Shown, Sight};
pub use views::QueueId;

use crate::error::Error;
use judge::InBox;

/// A job that does `work`, and the handle that awaits its output.
#[inline]
pub(crate) fn pair<W: Work>(origin: Origin, work: W) -> (Job, JobHandle<W::Output>) {
    const { assert!(!is_large::<W::Output>(), "a large output is boxed by `pair_for`") };
    let header = cell::observed(origin, work);
    // SAFETY: the new cell has a JOB bit.
    let job = unsafe { Job::from_header(header) };
    // SAFETY: the new cell has a HANDLE bit, and its output is a `W::Output`, which is not large.
    (job, unsafe { JobHandle::from_header(header) })
}

/// A job that calls `f`, as `wrap` turns it into work, and the handle that awaits the result.
#[inline]
pub(crate) fn pair_for<F, T>(origin: Origin, f: F, judge: impl Judge<T>, wrap: impl Wrap) -> (Job, JobHandle<T>)
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    if const { is_large::<F>() } {
        pair_of(origin, Plain(Box::new(f)), judge, wrap)
    } else {
        pair_of(origin, Plain(f), judge, wrap)
    }
}

/// A job that calls `body`, which should be boxed if it is large, and the handle that awaits the result.
#[inline]
pub(crate) fn pair_of<B: Body>(
    origin: Origin,
    body: B,
    judge: impl Judge<B::Output>,
    wrap: impl Wrap,
) -> (Job, JobHandle<B::Output>) {
    let header = if const { is_large::<B::Output>() } {
        cell::observed(origin, wrap.wrap(move || body.call_boxed(), InBox(judge)))
    } else {
        cell::observed(origin, wrap.wrap(move || body.call(), judge))
    };
    // SAFETY: the new cell has a JOB bit.
    let job = unsafe { Job::from_header(header) };
    // SAFETY: the new cell has a HANDLE bit, and its output is a `B::Output`, or a `Box` of one if that is large.
    (job, unsafe { JobHandle::from_header(header) })
}

/// What a job calls.
pub(crate) trait Body: Send + 'static {
    type Output: Send + 'static;

    /// Calls it. `Err`: it could not begin.
    fn call(self) -> Result<Self::Output, Error>;

    /// As `call`, for an output that is large: unoptimised code copies it each time it is passed on.
    fn call_boxed(self) -> Result<Box<Self::Output>, Error>;
}

/// A closure that needs nothing.
struct Plain<F>(F);

impl<F, T> Body for Plain<F>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    type Output = T;

    #[inline]
    fn call(self) -> Result<T, Error> {
        Ok((self.0)())
    }

    fn call_boxed(self) -> Result<Box<T>, Error> {
        Ok(Box::new((self.0)()))
    }
}

/// Turns a closure into work: adds what goes with it to the worker.
pub(crate) trait Wrap {
    fn wrap<F, T>(self, f: F, judge: impl Judge<T>) -> impl Work<Output = T>
    where
        F: FnOnce() -> Result<T, Error> + Send + 'static,
        T: Send + 'static;
}
