//! The calls of a pool, on their way to a worker; and back, if the worker has died before it had read them.

use std::time::Instant;

use super::after::{After, How};
use super::child::over_limit;
use super::config::{Config, OnDrop};
use super::metrics::Restart;
use super::state::{MEMORY_LOOK, State};
use super::wire::{Header, Kind, Outgoing};
use super::worker::{Left, Phase, Running, Worker};
use crate::clock::Stamp;
use crate::error::Error;
use crate::remote::{Call, Caller};
use crate::sync::Arc;

/// A call in the queue.
pub(super) struct Waiting {
    call: Call,
    stamp: Stamp,
}

/// A call that has had a worker, which has died before it had read it. Nothing of it has run, so it may have another one.
pub(super) struct Moved {
    pub(super) running: Running,
    pub(super) frame: Outgoing,
}

impl State {
    /// Takes a call, or refuses it. Returns its number, if it is here.
    pub(super) fn submit(&mut self, call: Call, config: &Config, after: &mut After) -> Option<u64> {
        let now = Instant::now();
        let able = self.workers.values().any(Worker::is_able);
        let refusal = if self.closed {
            Some(Error::ShutDown)
        } else if call.payload().len() as u64 > config.payload_limit {
            Some(Error::Codec(over_limit("the arguments", call.payload().len(), config.payload_limit)))
        } else if self.is_full(config) {
            Some(Error::QueueFull)
        } else if able {
            None
        } else {
            self.breaker.refusal(now)
        };
        if let Some(why) = refusal {
            after.refused.push((call, why));
            return None;
        }
        let number = self.number();
        let stamp = self.books.sites.tally(call.origin()).stamp();
        self.books.peak_queued = self.books.peak_queued.max(self.waiting() + 1);
        self.queue.insert(number, Waiting { call, stamp });
        self.dispatch(config, now, after);
        Some(number)
    }

    /// How many calls wait for a worker.
    pub(super) fn waiting(&self) -> usize {
        self.queue.len() + self.moved.len()
    }

    fn is_full(&self, config: &Config) -> bool {
        if config.queue_capacity == usize::MAX {
            return false;
        }
        let busy = self.workers.values().filter(|worker| matches!(worker.phase, Phase::Busy(_))).count();
        self.waiting() >= config.queue_capacity.saturating_add(config.max_workers - busy)
    }

    /// Gives waiting calls to idle workers, and starts workers for the rest.
    pub(super) fn dispatch(&mut self, config: &Config, now: Instant, after: &mut After) {
        while self.waiting() > 0
            && let Some(&id) = self.idle.last()
        {
            if self.workers.get(&id).and_then(Worker::conn).is_none_or(|conn| conn.is_closed()) {
                // It has died, and the supervisor has yet to hear of that.
                self.lose(id, None, config, after);
            } else if let Some((_, Moved { running, frame })) = self.moved.pop_first() {
                self.hand_over(running, frame, config, now, after);
            } else if let Some((number, waiting)) = self.queue.pop_first() {
                self.begin(number, waiting, config, now, after);
            }
        }
        self.refill(config, now, after);
    }

    fn begin(&mut self, number: u64, waiting: Waiting, config: &Config, now: Instant, after: &mut After) {
        let Waiting { mut call, stamp } = waiting;
        let tally = Arc::clone(self.books.sites.tally(call.origin()));
        tally.count_start();
        after.began.push((Arc::clone(&tally), stamp));
        let body = call.take_payload();
        let function = call.function_fingerprint();
        let Caller { level, trace } = call.take_caller();
        let text = u16::try_from(trace.len()).expect("a longer text was not taken");
        let header = Header { level, trace: text, function, ..Header::of(Kind::Call, number, body.len() as u64) };
        let frame = Outgoing::new(header, &trace, body);
        let site = call.static_site();
        let running = Running { number, call: Some(call), site, tally, stamp, began: now, until: None, moves: 0 };
        self.hand_over(running, frame, config, now, after);
    }

    /// Gives a call to the worker that was the last to become idle.
    fn hand_over(&mut self, mut running: Running, frame: Outgoing, config: &Config, now: Instant, after: &mut After) {
        let id = self.idle.pop().expect("a worker is idle");
        let until = config.time_limit.map(|limit| now + limit);
        (running.began, running.until) = (now, until);
        let worker = self.workers.get_mut(&id).expect("an idle worker is there");
        worker.calls += 1;
        if let Some(conn) = worker.conn() {
            // Under the lock, so that `lose` finds it; it is sent without.
            conn.put(frame);
            after.sends.push(Arc::clone(conn));
        }
        worker.phase = Phase::Busy(running);
        let memory = config.memory_limit.filter(|_| self.memory_look.is_none()).map(|_| now + MEMORY_LOOK);
        self.memory_look = self.memory_look.or(memory);
        for due in [until, memory].into_iter().flatten() {
            self.wake_at(due, after);
        }
    }

    /// Ends the first of the calls that wait, without a worker. `false`: none does.
    pub(super) fn refuse_first(&mut self, why: &Error, after: &mut After) -> bool {
        if let Some((_, Moved { running, .. })) = self.moved.pop_first() {
            after.end(running, How::Failed(why.duplicate()));
        } else if let Some((_, Waiting { call, .. })) = self.queue.pop_first() {
            after.refused.push((call, why.duplicate()));
        } else {
            return false;
        }
        true
    }

    /// Something is due then: wakes the supervisor if it would sleep for longer.
    pub(super) fn wake_at(&self, due: Instant, after: &mut After) {
        after.poke |= self.wakes_at.is_none_or(|wakes| due < wakes);
    }

    /// The handle of a call was dropped or cancelled.
    pub(super) fn cancel(&mut self, number: u64, config: &Config, after: &mut After) {
        if let Some(waiting) = self.queue.remove(&number) {
            after.cancelled.push(waiting.call.origin());
            after.dropped.push(waiting.call);
            self.retire_if_done(config, after);
            return;
        }
        if let Some(Moved { running, .. }) = self.moved.remove(&number) {
            after.end(running, How::Dropped);
            self.retire_if_done(config, after);
            return;
        }
        let found = self.workers.iter_mut().find_map(|(id, worker)| match &mut worker.phase {
            Phase::Busy(running) if running.number == number => Some((*id, running)),
            Phase::Dying { left: Left::Call(running, _), .. } if running.number == number => {
                after.dropped.extend(running.call.take());
                None
            }
            _ => None,
        });
        let Some((id, running)) = found else { return };
        after.dropped.extend(running.call.take());
        match config.on_drop {
            OnDrop::Finish => (),
            OnDrop::Signal => {
                let until = Instant::now() + config.grace;
                running.until = Some(running.until.map_or(until, |limit| limit.min(until)));
                if let Some(conn) = self.workers.get(&id).and_then(Worker::conn) {
                    conn.ask_to_cancel(number);
                }
                self.wake_at(until, after);
            }
            OnDrop::Kill => self.end_and_kill(id, How::Dropped, Restart::Cancelled, after),
        }
    }
}
