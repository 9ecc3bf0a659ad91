//! What time does to a pool: limits, the keep-alive, and looks at memory and at exits. The monotonic clock only.

use std::time::{Duration, Instant};

use super::after::{After, How};
use super::config::{Config, OnDrop};
use super::metrics::Restart;
use super::state::{MEMORY_LOOK, State};
use super::worker::{Left, Phase, Running};
use crate::error::Error;

/// How often a dying process is looked at where the system does not tell of its exit.
const EXIT_LOOK: Duration = Duration::from_millis(2);
/// A killed process that has not exited after this is stuck in the kernel: its call is answered without it.
const STUCK: Duration = Duration::from_secs(5);

impl State {
    /// Does what is due, and returns when there is something to do again.
    pub(super) fn tick(&mut self, config: &Config, after: &mut After) -> Option<Instant> {
        let now = Instant::now();
        if self.drain_until.is_some_and(|until| until <= now) {
            self.stop(config, after);
        }
        for id in self.workers.keys().copied().collect::<Vec<_>>() {
            self.tick_worker(id, config, now, after);
        }
        self.dispatch(config, now, after);
        self.retire_if_done(config, after);
        let busy = self.workers.values().any(|worker| matches!(worker.phase, Phase::Busy(_)));
        if !busy {
            self.memory_look = None;
        }
        let mut dues: Vec<Instant> = self.memory_look.into_iter().chain(self.drain_until).collect();
        let live = self.workers.values().filter(|worker| worker.is_able() || worker.is_starting()).count();
        if (live < config.min_workers && !self.closed) || self.waiting() > 0 {
            // A pause that is over has had its worker started; the fate of that is the next to be heard.
            dues.extend(self.breaker.until().filter(|until| *until > now));
        }
        for worker in self.workers.values() {
            dues.extend(match &worker.phase {
                Phase::Greeting { until } | Phase::Retiring { until } => Some(*until),
                Phase::Idle { since } if live > config.min_workers => {
                    now.checked_add(config.keep_alive.saturating_sub(now - *since))
                }
                Phase::Busy(running) => running.until,
                Phase::Starting | Phase::Idle { .. } | Phase::Dying { left: Left::Nothing, .. } => None,
                Phase::Dying { since, .. } => Some(*since + STUCK),
            });
            let is_ending = matches!(worker.phase, Phase::Retiring { .. } | Phase::Dying { .. });
            if is_ending && worker.conn().is_some_and(|conn| conn.exit.is_none()) {
                dues.push(now + EXIT_LOOK);
            }
        }
        self.wakes_at = dues.into_iter().min();
        self.wakes_at
    }

    fn tick_worker(&mut self, id: u64, config: &Config, now: Instant, after: &mut After) {
        let live = self.workers.values().filter(|worker| worker.is_able() || worker.is_starting()).count();
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let tells_exit = worker.conn().is_none_or(|conn| conn.exit.is_some());
        let has_left = matches!(worker.phase, Phase::Retiring { .. }) && !tells_exit && worker.reap().is_some();
        match &mut worker.phase {
            Phase::Greeting { until } if *until <= now => {
                let why = format!("it did not say hello within {:?}", config.start_timeout);
                self.lose(id, Some(why), config, after);
            }
            Phase::Idle { since } if live > config.min_workers && now - *since >= config.keep_alive => {
                self.retire(id, config, now, after);
            }
            Phase::Busy(Running { until: Some(until), call, .. }) if *until <= now => {
                let (how, why) = match (call, config.on_drop) {
                    (Some(_), _) => (How::Failed(Error::TimedOut), Restart::TimedOut),
                    // It was asked to end, and its grace time is over.
                    (None, OnDrop::Signal) => (How::Dropped, Restart::Cancelled),
                    (None, _) => (How::Dropped, Restart::TimedOut),
                };
                self.end_and_kill(id, how, why, after);
            }
            Phase::Retiring { until } if *until <= now || has_left => self.lose(id, None, config, after),
            Phase::Dying { left, since } => {
                if *since + STUCK <= now
                    && let Left::Call(..) = left
                    && let Left::Call(running, _) = std::mem::replace(left, Left::Nothing)
                {
                    let status = "killed, but its process has not exited".into();
                    after.end(running, How::Failed(Error::Died { status }));
                }
                self.reap(id, config, after);
            }
            _ => (),
        }
    }

    /// The workers to measure now.
    pub(super) fn memory_looks(&mut self) -> Vec<(u64, u32)> {
        let now = Instant::now();
        if self.memory_look.is_none_or(|due| due > now) {
            return Vec::new();
        }
        self.memory_look = Some(now + MEMORY_LOOK);
        let able = self.workers.iter().filter(|(_, worker)| worker.is_able());
        able.filter_map(|(id, worker)| Some((*id, worker.process_id()?))).collect()
    }
}
