//! What the pool's lock guards: the queue, the workers, and each step from one phase to the next.
//!
//! No step here calls user code, blocks, or drops a call: what has to be done without the lock goes into an [`After`].

use std::collections::BTreeMap;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::after::{After, How};
use super::breaker::Breaker;
use super::calls::{Moved, Waiting};
use super::child::Hello;
use super::config::Config;
use super::metrics::{Books, Restart};
use super::start::Started;
use super::wire::{Conn, Header, Kind};
use super::worker::{Left, Phase, Worker};
use crate::error::Error;
use crate::metrics::Sites;
use crate::remote::{Call, Failure, Format};
use crate::sync::Arc;

/// How often memory is looked at while calls run.
pub(super) const MEMORY_LOOK: Duration = Duration::from_millis(20);
pub(super) struct State {
    pub(super) books: Books,
    /// By their numbers, which are in the order of submission.
    pub(super) queue: BTreeMap<u64, Waiting>,
    /// Calls whose worker has died before it had read them, by their numbers. They go first.
    pub(super) moved: BTreeMap<u64, Moved>,
    pub(super) workers: BTreeMap<u64, Worker>,
    /// The workers that wait for a call, the last to have had one at the end.
    pub(super) idle: Vec<u64>,
    /// The next number of a call, of a worker, or of a shutdown that is awaited.
    pub(super) next: u64,
    pub(super) closed: bool,
    /// By `stop`: what starts now is killed.
    pub(super) stopped: bool,
    pub(super) drain_until: Option<Instant>,
    pub(super) breaker: Breaker,
    pub(super) memory_look: Option<Instant>,
    /// When the supervisor looks again by itself.
    pub(super) wakes_at: Option<Instant>,
    pub(super) awaited: Vec<(u64, Waker)>,
}

impl State {
    pub(super) fn new(sites: &Arc<Sites>) -> Self {
        Self {
            books: Books::new(sites),
            queue: BTreeMap::new(),
            moved: BTreeMap::new(),
            workers: BTreeMap::new(),
            idle: Vec::new(),
            next: 0,
            closed: false,
            stopped: false,
            drain_until: None,
            breaker: Breaker::new(),
            memory_look: None,
            wakes_at: None,
            awaited: Vec::new(),
        }
    }

    pub(super) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Ends the call of a busy worker now, and kills the worker.
    pub(super) fn end_and_kill(&mut self, id: u64, how: How, why: Restart, after: &mut After) {
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.kill();
            let dying = Phase::Dying { left: Left::Nothing, since: Instant::now() };
            if let Phase::Busy(running) = std::mem::replace(&mut worker.phase, dying) {
                after.end(running, how);
            }
            self.restarted(why, after);
            after.poke = true;
        }
    }

    fn restarted(&mut self, why: Restart, after: &mut After) {
        self.books.restarted(why);
        after.restarts.push(why);
    }

    // Workers that come.

    /// Starts as many workers as there are waiting calls without one, and as have to be there anyway. Refuses the queue if
    /// no worker is there and the breaker lets none start.
    pub(super) fn refill(&mut self, config: &Config, now: Instant, after: &mut After) {
        let count = |is: fn(&Worker) -> bool| self.workers.values().filter(|worker| is(worker)).count();
        let (starting, able) = (count(Worker::is_starting), count(Worker::is_able));
        if starting + able == 0
            && let Some(why) = self.breaker.refusal(now)
        {
            while self.refuse_first(&why, after) {}
        }
        let min = if self.closed { 0 } else { config.min_workers };
        let wanted = self.waiting().saturating_sub(starting).max(min.saturating_sub(starting + able));
        let allowed = self.breaker.allows(now).saturating_sub(starting).min(config.max_workers - self.workers.len());
        for _ in 0..wanted.min(allowed) {
            let (id, index) = (self.number(), self.free_index());
            self.workers.insert(id, Worker::new(index));
            after.starts.push(id);
        }
        self.books.peak_workers = self.books.peak_workers.max(self.workers.len());
        after.workers = Some(self.workers.len());
    }

    /// The lowest index that no worker has. Below `max_workers`, as there are fewer workers than that.
    fn free_index(&self) -> usize {
        let is_free = |index: &usize| self.workers.values().all(|worker| worker.index != *index);
        (0..=self.workers.len()).find(is_free).expect("so many workers have one index fewer")
    }

    /// A worker's process is there, or could not be started.
    pub(super) fn started(&mut self, id: u64, started: Result<Started, Error>, config: &Config, after: &mut After) {
        after.poke = true;
        match started {
            Ok(started) => {
                if let Some(worker) = self.workers.get_mut(&id) {
                    worker.started(started, Instant::now() + config.start_timeout);
                }
                if self.stopped {
                    self.lose(id, Some("it was killed by `shutdown_now`".into()), config, after);
                }
            }
            Err(why) => {
                self.workers.remove(&id);
                self.start_failed(&why, config, after);
            }
        }
    }

    /// Each failed start answers one call, where no worker is left for it. `refill` answers the rest if the breaker opens.
    fn start_failed(&mut self, why: &Error, config: &Config, after: &mut After) {
        let now = Instant::now();
        self.restarted(Restart::Start, after);
        self.breaker.failed(why.duplicate(), now);
        if !self.workers.values().any(Worker::is_able) {
            self.refuse_first(why, after);
        }
        self.refill(config, now, after);
        self.retire_if_done(config, after);
    }

    // Workers that are there.

    /// A worker has sent a frame.
    pub(super) fn frame(&mut self, id: u64, header: Header, body: Vec<u8>, config: &Config, after: &mut After) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        match (&worker.phase, header.kind) {
            (Phase::Greeting { .. }, Kind::Hello) => match Hello::check(&body, config.own_program) {
                Ok(()) => {
                    self.breaker.succeeded();
                    self.is_free(id, config, after);
                }
                Err(why) => self.lose(id, Some(why), config, after),
            },
            (Phase::Busy(running), Kind::Value | Kind::Failure) if running.number == header.number => {
                // It has a phase again at once, by `is_free`.
                let Phase::Busy(running) = std::mem::replace(&mut worker.phase, Phase::Starting) else { return };
                let result = match header.kind {
                    Kind::Value => Ok(body),
                    _ => Err(failure(&body, running.call.as_ref())),
                };
                after.end(running, How::Replied(result));
                self.is_free(id, config, after);
            }
            _ => self.lose(id, Some("it sent what is no reply".into()), config, after),
        }
    }

    /// A worker has no call, and may have another one.
    fn is_free(&mut self, id: u64, config: &Config, after: &mut After) {
        let now = Instant::now();
        let Some(worker) = self.workers.get_mut(&id) else { return };
        if config.calls_per_worker.is_some_and(|most| worker.calls >= most) {
            self.retire(id, config, now, after);
            self.restarted(Restart::Calls, after);
        } else {
            worker.phase = Phase::Idle { since: now };
            self.idle.push(id);
            if let Some(due) = now.checked_add(config.keep_alive) {
                self.wake_at(due, after);
            }
        }
        self.dispatch(config, now, after);
        self.retire_if_done(config, after);
    }

    // Workers that go.

    pub(super) fn retire(&mut self, id: u64, config: &Config, now: Instant, after: &mut After) {
        after.poke = true;
        self.idle.retain(|idle| *idle != id);
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.phase = Phase::Retiring { until: now + config.grace };
            if let Some(conn) = worker.conn() {
                conn.retire();
            }
        }
    }

    /// Lets idle workers go when no call will come.
    pub(super) fn retire_if_done(&mut self, config: &Config, after: &mut After) {
        if !self.closed || self.waiting() > 0 {
            return;
        }
        for id in std::mem::take(&mut self.idle) {
            self.retire(id, config, Instant::now(), after);
        }
        if self.is_over() {
            after.wakers.extend(self.awaited.drain(..).map(|(_, waker)| waker));
            after.poke = true;
        }
    }

    /// A worker is lost: its socket is closed, or it has broken the protocol, for this reason.
    pub(super) fn lose(&mut self, id: u64, why: Option<String>, config: &Config, after: &mut After) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        after.poke = true;
        worker.kill();
        let mut died = self.idle.contains(&id);
        let left = match std::mem::replace(&mut worker.phase, Phase::Starting) {
            dying @ Phase::Dying { .. } => {
                worker.phase = dying;
                return self.reap(id, config, after);
            }
            Phase::Starting | Phase::Greeting { .. } => Left::Start(why),
            Phase::Busy(mut running) => {
                died = true;
                let unread =
                    worker.conn().filter(|_| why.is_none() && running.may_move()).and_then(|conn| conn.take_unread());
                match unread {
                    Some(frame) => {
                        running.moves += 1;
                        self.moved.insert(running.number, Moved { running, frame });
                        Left::Nothing
                    }
                    None => Left::Call(running, why),
                }
            }
            Phase::Idle { .. } | Phase::Retiring { .. } => Left::Nothing,
        };
        worker.phase = Phase::Dying { left, since: Instant::now() };
        self.idle.retain(|idle| *idle != id);
        if died {
            self.restarted(Restart::Died, after);
        }
        self.reap(id, config, after);
    }

    /// Looks whether a dying worker's process has exited.
    pub(super) fn reap(&mut self, id: u64, config: &Config, after: &mut After) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let Some(status) = worker.reap() else { return };
        after.resident.push((worker.index, 0));
        let Some(Worker { phase: Phase::Dying { left, .. }, .. }) = self.workers.remove(&id) else { return };
        match left {
            Left::Nothing => (),
            Left::Call(running, why) => {
                let status = why.map_or(status, |why| format!("killed, as {why}"));
                after.end(running, How::Failed(Error::Died { status }));
            }
            Left::Start(why) => {
                let why = why.unwrap_or_else(|| format!("it ended before it was ready: {status}"));
                return self.start_failed(
                    &Error::Unavailable(format!("a worker could not be started: {why}")),
                    config,
                    after,
                );
            }
        }
        self.dispatch(config, Instant::now(), after);
        self.retire_if_done(config, after);
    }

    /// A worker occupies so much memory.
    pub(super) fn resident(&mut self, id: u64, bytes: u64, config: &Config, after: &mut After) {
        let worker = self.workers.get(&id);
        after.resident.extend(worker.map(|worker| (worker.index, bytes)));
        let Some(limit) = config.memory_limit.filter(|limit| bytes > *limit) else { return };
        match worker.map(|worker| &worker.phase) {
            Some(Phase::Busy(_)) => {
                let status =
                    format!("killed with {bytes} bytes of resident memory, over the `memory_limit` of {limit}");
                self.end_and_kill(id, How::Failed(Error::Died { status }), Restart::Memory, after);
            }
            Some(Phase::Idle { .. }) => {
                self.retire(id, config, Instant::now(), after);
                self.restarted(Restart::Memory, after);
            }
            _ => (),
        }
    }

    // The end.

    /// Takes no more calls.
    pub(super) fn close(&mut self, drain_until: Option<Instant>, config: &Config, after: &mut After) {
        self.closed = true;
        // The nearest of several deadlines.
        self.drain_until = self.drain_until.into_iter().chain(drain_until).min();
        self.retire_if_done(config, after);
        after.poke = true;
    }

    /// Refuses what waits, and kills what is there.
    pub(super) fn stop(&mut self, config: &Config, after: &mut After) {
        (self.closed, self.stopped, self.drain_until) = (true, true, None);
        while self.refuse_first(&Error::ShutDown, after) {}
        for id in self.workers.keys().copied().collect::<Vec<_>>() {
            match self.workers[&id].phase {
                // `started` kills it.
                Phase::Starting => (),
                Phase::Busy(_) => {
                    self.end_and_kill(id, How::Replied(Err(Failure::Cancelled)), Restart::Cancelled, after);
                }
                _ => self.lose(id, Some("it was killed by `shutdown_now`".into()), config, after),
            }
        }
        self.retire_if_done(config, after);
        after.poke = true;
    }

    pub(super) fn is_over(&self) -> bool {
        self.closed && self.waiting() == 0 && self.workers.is_empty()
    }

    /// Leaves a waker for the end, or takes it back. Returns one that is not needed, to be dropped without the lock.
    pub(super) fn await_end(&mut self, number: u64, waker: Option<Waker>) -> Option<Waker> {
        let known = self.awaited.iter().position(|(known, _)| *known == number);
        let old = known.map(|at| self.awaited.swap_remove(at).1);
        self.awaited.extend(waker.map(|waker| (number, waker)));
        old
    }

    // What is told.

    pub(super) fn workers(&self) -> impl Iterator<Item = (u64, &Worker)> {
        self.workers.iter().map(|(id, worker)| (*id, worker))
    }

    pub(super) fn idle(&self) -> usize {
        self.idle.len()
    }

    /// The sockets to read from: of workers that may have something to say.
    pub(super) fn conns(&self) -> impl Iterator<Item = (u64, &Arc<Conn>, bool)> {
        self.workers.iter().filter_map(|(id, worker)| {
            let reads = matches!(worker.phase, Phase::Greeting { .. } | Phase::Idle { .. } | Phase::Busy(_));
            Some((*id, worker.conn()?, reads))
        })
    }
}

fn failure(body: &[u8], call: Option<&Call>) -> Failure {
    match Format::Postcard.decode(body) {
        // The child knows the fingerprint alone.
        Ok(Failure::UnknownFunction(_)) => Failure::UnknownFunction(call.map(Call::function).unwrap_or_default()),
        Ok(failure) => failure,
        Err(why) => Failure::Codec(format!("the reply: {why}")),
    }
}
