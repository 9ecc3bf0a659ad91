//! The job: one submitted call, in one allocation, shared by the one who awaits it and the one who runs it.
//!
//! This page is the protocol. The files beside it are its parts: `state.rs` the state word and its transitions,
//! `cell.rs` the allocation, `owned.rs` the executor's side ([`Job`] and [`Claimed`]), `handle.rs` the submitter's
//! side ([`JobHandle`]), `glance.rs` its look at a job that may end at once, `queue.rs` the intrusive queue, `queue/guard.rs` its locked side, `list.rs` and `inbox.rs` its parts, `context.rs`
//! what a thread knows of the job it runs, `shown.rs` the running job as other threads see it, `origin.rs` the one-word
//! [`Site`](crate::Site), `views.rs` whose threads a view uses. All `unsafe` of the crate is in this folder.
//!
//! # Who is there
//! Two parties refer to a cell, each by one bit of the state word: the submitter (`HANDLE`) and the executor (`JOB`).
//! Who clears the second of the two bits frees the cell. Nothing is counted.
//!
//! # The phases
//! ```text
//!             claim                  finish
//!   WAITING ─────────▶ CLAIMED ─────────────────▶ DONE            the slot holds the output
//!   the slot holds     the slot is its            or DONE|FAILED  the word `b` holds the error
//!   the closure        claimer's alone
//! ```
//! * **I1** `CLAIMED` is set once, by one claimer: a worker that runs the job, an executor that refuses it, or a handle
//!   that cancels it. Only the claimer touches the closure. (C1, at most once)
//! * **I2** `DONE` is set once, by the claimer, after it wrote the output or the error. Before `DONE` nobody else touches the
//!   slot; after it, the result belongs to the handle if `HANDLE` was set in that same step, else to the claimer.
//!   (C1, resolves exactly once)
//! * **I3** The waker's slot belongs to the handle while `WAKER` is clear, and to the claimer once `DONE` is set with
//!   `WAKER` set. In between nobody writes it.
//! * **I4** `LINKED` says: in the queue that `owner` points to, in its list or its inbox, or in the hands of a thread that is about to put
//!   it there. Set by who pushes it, under that queue's lock, or posts it, without (and by a store, where nobody else knows of the job yet:
//!   [`NewJob`]); cleared by the step that claims. A queue claims under its lock what it unlinks; who claims a linked job without that lock (a cancelling
//!   handle, or a worker that runs what it waits for, C10) must unlink it, and nobody else may. A queue
//!   that has a linked job keeps itself alive, so `owner` may be followed from the claim to the unlinking: by its `pin` while there is a
//!   job in the list or the inbox is open; where the inbox is not, by the reference of the thread that posts, until it has locked the queue.
//! * **I5** The words `a` and `b` are the queue's links, under its lock, until the job is unlinked; then the claimer's. On the way to the
//!   inbox and in it `a` is the poster's, and `b` is null. `a` holds the hooks once `HOOKS` is set, until the cell is freed;
//!   `b` the error from `DONE|FAILED` until it is taken.
//! * **I6** Whoever sets `DONE` may lose the cell in that step. What is needed afterwards is read before, or the `JOB`
//!   bit is kept until it has been used.
//!
//! # Cancellation
//! `CANCELLED` is a wish until the job is claimed. The handle sets it in the step that claims (then the job never runs), or
//! on a claimed job (then the body may look). `HOOKS` and `CANCELLED` are set by read-modify-writes of one word: who comes second
//! sees the other, and runs the hooks.

mod cell;
mod context;
mod glance;
mod handle;
mod inbox;
mod list;
#[cfg(all(test, offload_loom))]
pub(crate) mod models;
mod origin;
mod owned;
mod queue;
mod shown;
mod state;
mod views;

pub(crate) use cell::{Ended, Work, contain, discard};
pub(crate) use context::{current, host};
pub use handle::JobHandle;
pub(crate) use origin::Origin;
pub(crate) use owned::{Awaiter, Begun, Claimed, Ran, Taken};
pub use owned::{Job, NewJob};
pub(crate) use queue::{Guard, Owner, Posted, Queue, refuse_all};
pub(crate) use shown::Shown;
pub use views::QueueId;
pub(crate) use views::Registration;

use crate::context::Call;
use crate::executor::Executor;
use crate::site::Site;
use crate::sync::{self, Arc, Mutex, thread};

/// Runs `job` by `run` on a thread that stands in for this one, which waits; or here, if no thread can be had.
///
/// A thread of its own, because what blocks here is somebody's `block_on`, and most of them refuse to be entered twice by one thread; and
/// because locals of this thread may be in use.
pub(crate) fn run_on_stand_in(builder: thread::Builder, job: Begun, run: impl Fn(Begun) + Clone + Send + 'static) {
    // The job must not go down with a closure that finds no thread.
    let job = Arc::new(Mutex::new(Some(job)));
    let (of_thread, run_there) = (Arc::clone(&job), run.clone());
    let take = |job: &Mutex<Option<Begun>>| sync::lock(job).take();
    let lent = context::lend(builder, move || {
        if let Some(job) = take(&of_thread) {
            run_there(job);
        }
    });
    if lent.is_err()
        && let Some(job) = take(&job)
    {
        run(job);
    }
}

/// Submits `f` from the place that the caller's caller stands for. What generated code calls.
pub(crate) fn submit_at<E, F, T>(executor: &E, site: &'static Site, f: F) -> JobHandle<T>
where
    E: Executor + ?Sized,
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    submit(executor, Origin::of_site(site), f)
}

/// Makes the job, gives it to `executor` and returns its handle.
#[inline]
pub(crate) fn submit<E, F, T>(executor: &E, origin: Origin, f: F) -> JobHandle<T>
where
    E: Executor + ?Sized,
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let (job, mut handle) = cell::observed(origin, Call::new(origin, f));
    // SAFETY: both have been made here, and the handle is returned after the call.
    executor.execute_new(unsafe { NewJob::of(job, &mut handle) });
    handle
}
