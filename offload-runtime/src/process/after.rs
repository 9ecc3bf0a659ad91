//! What a step of the pool has to do once the lock is released.

use std::task::Waker;

use super::Pool;
use super::helper::Task;
use super::metrics::{Restart, publish};
use super::wire::Conn;
use super::worker::Running;
use crate::clock::Stamp;
use crate::error::Error;
use crate::job::{End as JobEnd, Origin, Outcome};
use crate::metrics::Tally;
use crate::remote::{Call, Failure, outcome_of};
use crate::sync::Arc;
use crate::unwind::contain;

/// A result of so many bytes is decoded by the helper, so that it does not keep the supervisor.
const LARGE: usize = 64 * 1024;

/// What is to be done without the lock. In the order of the fields.
#[derive(Default)]
#[must_use = "it has to be performed"]
pub(super) struct After {
    pub(super) began: Vec<(Arc<Tally>, Stamp)>,
    /// The workers that have been given a call.
    pub(super) sends: Vec<Arc<Conn>>,
    /// Workers to be started.
    pub(super) starts: Vec<u64>,
    /// The supervisor has to look again.
    pub(super) poke: bool,
    /// The sites of calls that were cancelled in the queue.
    pub(super) cancelled: Vec<Origin>,
    pub(super) restarts: Vec<Restart>,
    /// How many workers there are, if that may have changed.
    pub(super) workers: Option<usize>,
    /// The indices of workers, and the memory of each: none once it has gone.
    pub(super) resident: Vec<(usize, u64)>,
    ends: Vec<End>,
    pub(super) refused: Vec<(Call, Error)>,
    pub(super) dropped: Vec<Call>,
    /// Of the tasks that await the pool's end.
    pub(super) wakers: Vec<Waker>,
}

/// The end of a call that had begun.
pub(super) struct End {
    running: Running,
    how: How,
}

pub(super) enum How {
    Replied(Result<Vec<u8>, Failure>),
    Failed(Error),
    /// Its handle is gone.
    Dropped,
}

impl How {
    /// How the call counts in the metrics, and why it counts as panicked.
    fn outcome(&self) -> (Outcome, Option<Error>) {
        match self {
            Self::Replied(result) => outcome_of(result),
            Self::Failed(error) => (Outcome::Panicked, Some(error.duplicate())),
            Self::Dropped => (Outcome::Cancelled, None),
        }
    }
}

impl After {
    pub(super) fn end(&mut self, running: Running, how: How) {
        self.ends.push(End { running, how });
    }

    pub(super) fn perform(self, pool: &Pool) {
        for (tally, stamp) in self.began {
            tally.publish_start(stamp);
        }
        let mut poke = self.poke;
        for conn in self.sends {
            poke |= conn.flush();
        }
        for id in self.starts {
            pool.ask_helper(Task::Start(id));
        }
        if poke {
            pool.poke.poke();
        }
        for origin in self.cancelled {
            pool.sites.tally(origin).cancelled();
        }
        if let Some(name) = pool.config.label() {
            for why in self.restarts {
                publish::restart(name, why);
            }
            if let Some(count) = self.workers {
                publish::workers(name, count);
            }
            for (worker, bytes) in self.resident {
                publish::resident(name, worker, bytes);
            }
        }
        for end in self.ends {
            if end.is_large() {
                pool.ask_helper(Task::End(Box::new(end)));
            } else {
                end.perform();
            }
        }
        for (call, why) in self.refused {
            pool.sites.tally(call.origin()).refused(&why);
            call.refuse(why);
        }
        drop(self.dropped);
        for waker in self.wakers {
            contain(|| waker.wake());
        }
    }
}

impl End {
    fn is_large(&self) -> bool {
        matches!(&self.how, How::Replied(Ok(bytes)) if bytes.len() > LARGE)
    }

    pub(super) fn perform(self) {
        let Self { mut running, how } = self;
        // A call whose handle is gone was taken away, or is told that it is cancelled.
        let is_abandoned = matches!(how, How::Dropped) || running.call.as_ref().is_some_and(Call::is_cancelled);
        let (outcome, error) = how.outcome();
        running.note_end(JobEnd { outcome, is_abandoned, error: error.as_ref() });
        let Some(call) = running.call.take() else { return };
        match how {
            How::Replied(result) => call.complete(result),
            How::Failed(why) => call.refuse(why),
            How::Dropped => drop(call),
        }
    }
}
