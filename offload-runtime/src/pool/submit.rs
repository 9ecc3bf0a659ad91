//! Which jobs a pool accepts, and how it refuses the others.

use super::state::Pool;
use crate::clock::Stamp;
use crate::context::CallerContext;
use crate::error::Error;
use crate::job::{Job, JobHandle, Origin, Queue, Rejected};
use crate::metrics::Tally;
use crate::refused::Refused;
use crate::sync::Arc;
use crate::wait::wake;

/// Enqueues `job`, or refuses it.
#[inline]
pub(super) fn submit(queue: &Arc<Queue<Pool>>, job: Job) {
    let tally = queue.shared.accounts.sites.tally(job.origin());
    tally.submitted();
    if !job.is_owed()
        && let Err(why) = queue.shared.accounts.enter(queue.is_sealed())
    {
        tally.refused(&why);
        return job.refuse(why);
    }
    enqueue(queue, job, tally);
}

/// Enqueues a `job` that has a place.
pub(super) fn submit_permitted(queue: &Arc<Queue<Pool>>, job: Job) {
    let tally = queue.shared.accounts.sites.tally(job.origin());
    tally.submitted();
    enqueue(queue, job, tally);
}

/// Enqueues the job that `pair` makes of `f`, or gives `f` back.
pub(super) fn try_submit<F, T>(
    queue: &Arc<Queue<Pool>>,
    origin: Origin,
    f: F,
    pair: impl FnOnce(F, CallerContext) -> (Job, JobHandle<T>),
) -> Result<JobHandle<T>, Refused<F>> {
    let tally = queue.shared.accounts.sites.tally(origin);
    tally.submitted();
    // User code, as it makes a span: before the lock.
    let context = CallerContext::entering(queue.shared.config.enter_runtime, origin);
    let why = match queue.shared.accounts.enter(queue.is_sealed()) {
        Ok(()) => {
            let stamp = tally.stamp();
            let mut state = queue.lock();
            // A pool is sealed under the lock: what is pushed here is not refused any more.
            if !queue.is_sealed() {
                let (job, handle) = pair(f, context);
                let pushed = Queue::push_locked(&mut state, job, stamp);
                state.finish();
                debug_assert!(pushed.is_ok(), "no other thread has its handle");
                return Ok(handle);
            }
            drop(state);
            wake(queue.shared.accounts.release(false));
            Error::ShutDown
        }
        Err(why) => why,
    };
    tally.refused(&why);
    context.refuse(&why);
    Err(Refused::new(f, why))
}

#[inline]
fn enqueue(queue: &Arc<Queue<Pool>>, job: Job, tally: &Arc<Tally>) {
    let is_owed = job.is_owed();
    let stamp = tally.stamp();
    let rejected = match queue.push(job, stamp) {
        Ok(()) => return,
        Err(Rejected::Sealed(job)) if is_owed => match submit_owed(queue, job, stamp) {
            Ok(()) => return,
            Err(rejected) => rejected,
        },
        Err(Rejected::Sealed(job) | Rejected::Cancelled(job)) => job,
    };
    wake(queue.shared.accounts.release(is_owed));
    if rejected.is_cancelled() {
        return tally.cancelled();
    }
    tally.refused(&Error::ShutDown);
    rejected.refuse(Error::ShutDown);
}

/// A closed pool accepts what is owed while it has threads: none of them leaves without a look at the queue.
#[cold]
fn submit_owed(queue: &Arc<Queue<Pool>>, job: Job, stamp: Stamp) -> Result<(), Job> {
    let mut state = queue.lock();
    if state.stopped || state.threads == 0 {
        return Err(job);
    }
    let pushed = Queue::push_locked(&mut state, job, stamp);
    state.finish();
    pushed
}
