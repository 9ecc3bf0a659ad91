//! Which jobs a pool accepts, and how it refuses the others.

use super::state::Pool;
use crate::clock::Stamp;
use crate::error::Error;
use crate::job::{Claimed, Job, Queue, Rejected};
use crate::sync::Arc;

/// Enqueues `job`, or refuses it.
#[inline]
pub(super) fn submit(queue: &Arc<Queue<Pool>>, job: Job) {
    let Pool { sites, permits, .. } = &queue.shared;
    let tally = sites.tally(job.origin());
    tally.submitted();
    let is_owed = job.is_owed();
    let refusal = match permits {
        _ if is_owed => None,
        _ if queue.is_sealed() => Some(Error::ShutDown),
        Some(permits) if !permits.try_acquire() => Some(Error::QueueFull),
        _ => None,
    };
    if let Some(why) = refusal {
        tally.refused(&why);
        return job.refuse(why);
    }
    let stamp = tally.stamp();
    let rejected = match queue.push(job, stamp) {
        Ok(()) => return,
        Err(Rejected::Sealed(job)) if is_owed => match submit_owed(queue, job, stamp) {
            Ok(()) => return,
            Err(rejected) => rejected,
        },
        Err(Rejected::Sealed(job) | Rejected::Cancelled(job)) => job,
    };
    queue.shared.release(is_owed);
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
    let pushed = Queue::push_sealed(&mut state, job, stamp);
    state.finish();
    pushed
}

/// Refuses jobs that were taken out of the queue.
pub(super) fn refuse_all(pool: &Pool, jobs: Vec<Claimed>, why: &Error) {
    for job in jobs {
        pool.release(job.is_owed());
        pool.sites.tally(job.origin()).refused(why);
        job.refuse(why.duplicate());
    }
}
