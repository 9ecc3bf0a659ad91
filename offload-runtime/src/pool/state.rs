//! What the pool's lock guards, and the choice of the worker to wake (rules 1, 2 and 4 of `mod.rs`).

use std::task::Waker;
use std::time::Duration;

use super::accounts::Accounts;
use super::current::Worker;
use super::running::RunningJob;
use super::spin::SpinLimit;
use crate::idle::{Busy, Idlers};
use crate::metrics::{Gauges, Sites};
use crate::permits::Lines;
use crate::sync::{Arc, AtomicBool, Condvar, LooseFlag, thread};
use crate::wakers::Wakers;

/// What the builder chose.
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
#[derive(Clone)]
pub(super) struct Config {
    /// At first, see [`State::max_threads`].
    pub(super) max_threads: usize,
    pub(super) start_threads: usize,
    pub(super) min_threads: usize,
    pub(super) keep_alive: Duration,
    pub(super) queue_capacity: Option<usize>,
    pub(super) name: Arc<str>,
    pub(super) timing: bool,
    pub(super) publish_metrics: bool,
    pub(super) enter_runtime: bool,
    pub(super) stack_size: Option<usize>,
    pub(super) warn_after: Option<Duration>,
    /// Whether each thread owns a state.
    pub(super) is_stateful: bool,
}

impl Config {
    /// The name under which metrics are published, if they are.
    pub(super) fn label(&self) -> Option<&Arc<str>> {
        self.publish_metrics.then_some(&self.name)
    }

    /// Whether one of `max_threads` threads has to do without another.
    pub(super) fn is_alone_of(&self, max_threads: usize) -> bool {
        self.is_stateful && max_threads == 1
    }

    /// A thread of the pool, not yet started.
    pub(super) fn thread(&self, name: String) -> thread::Builder {
        let builder = thread::Builder::new().name(name);
        match self.stack_size {
            Some(bytes) => builder.stack_size(bytes),
            None => builder,
        }
    }
}

type ThreadHook = Arc<dyn Fn() + Send + Sync>;
type SlowJobHook = Arc<dyn Fn(&RunningJob) + Send + Sync>;

/// The callbacks of the builder.
#[derive(Clone, Default)]
pub(super) struct Hooks {
    pub(super) thread_start: Option<ThreadHook>,
    pub(super) thread_stop: Option<ThreadHook>,
    /// Called when a thread is about to leave, while it counts still: another is started in its place only afterwards.
    pub(super) thread_retire: Option<ThreadHook>,
    pub(super) slow_job: Option<SlowJobHook>,
}

/// The part of a pool outside its lock.
pub(super) struct Pool {
    pub(super) config: Config,
    pub(super) accounts: Accounts,
    /// The lines for places in the pool and in its views.
    pub(super) lines: Lines,
    pub(super) gauges: Gauges,
    /// Where the watch sleeps, with the queue's lock.
    pub(super) watch: Condvar,
    /// Whether a worker is in the long search (rule 3).
    pub(super) long_search: AtomicBool,
    /// Whether there are never two threads at once, as one state has one owner: a job that awaits another job of the pool is not given one (rule 4),
    /// but the other job is refused.
    pub(super) is_alone: LooseFlag,
}

/// The part of a pool that its lock guards, besides the queue of jobs.
///
/// A thread that has started and not resigned is in exactly one state: `preparing`, `searching`, running a job, or parked in `idle`.
pub(super) struct State {
    /// How many threads there may be, beside those of rule 4.
    pub(super) max_threads: usize,
    /// Threads that exist or are being started, without resigned ones.
    pub(super) threads: usize,
    /// Threads in their start hook. They may be there for long, and no job relies on them.
    pub(super) preparing: usize,
    /// Threads that are being started, are waking, or search for a job: they will come to the queue.
    pub(super) searching: usize,
    /// Parked threads, the most recently parked last.
    pub(super) idle: Vec<Arc<Worker>>,
    /// Threads that run a job which awaits a job of this pool, queued or running (rule 4).
    pub(super) waiting: usize,
    /// Threads that run an awaited job, each in the place of a job that waits.
    pub(super) lent: usize,
    pub(super) closed: bool,
    /// Queued jobs were refused, and are. Only if closed.
    pub(super) stopped: bool,
    /// Threads that have resigned and are not yet gone, and a watch that calls a hook. Not among `threads`.
    pub(super) leaving: usize,
    /// Threads whose keep-alive is over and that have not resigned yet.
    pub(super) retiring: usize,
    /// All threads that have begun and are not yet gone, in that order.
    pub(super) workers: Vec<Arc<Worker>>,
    /// Dropped by the last thread of a closed pool.
    pub(super) hooks: Hooks,
    /// The futures that wait for the pool's end.
    pub(super) shutdowns: Wakers,
    /// The futures that wait until it is idle.
    pub(super) idlers: Idlers,
    /// The number in the next thread's name.
    pub(super) next_name: usize,
    pub(super) watch: Watch,
    pub(super) spin: SpinLimit,
    pub(super) peak_threads: usize,
    pub(super) peak_running: usize,
}

/// The state of the thread that reports slow jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Watch {
    /// There is no such thread.
    #[default]
    Off,
    /// It looks again after a time.
    On,
    /// It waits for a job to begin.
    Asleep,
}

/// What has to be done after unlocking.
#[must_use]
pub(super) enum Wake {
    Nothing,
    /// Wake this worker.
    Worker(Arc<Worker>),
    /// Start a thread.
    Start,
    /// Nothing is queued or runs: wake the futures that wait for that.
    Idle(Vec<Waker>),
}

impl Pool {
    pub(super) fn new(config: Config) -> Self {
        let accounts = Accounts::new(Sites::new(config.timing, config.label()));
        let lines = Lines::default();
        if let Some(permits) = config.queue_capacity.and_then(|n| accounts.set_bound(n, config.max_threads)) {
            lines.add(&permits);
        }
        let gauges = Gauges::new(config.label(), config.max_threads, config.queue_capacity);
        let is_alone = LooseFlag::new(config.is_alone_of(config.max_threads));
        let (watch, long_search) = (Condvar::new(), AtomicBool::new(false));
        Self { config, accounts, lines, gauges, watch, long_search, is_alone }
    }
}

impl State {
    pub(super) fn new(max_threads: usize, hooks: Hooks) -> Self {
        Self {
            max_threads,
            threads: 0,
            preparing: 0,
            searching: 0,
            idle: Vec::new(),
            waiting: 0,
            lent: 0,
            closed: false,
            stopped: false,
            leaving: 0,
            retiring: 0,
            workers: Vec::new(),
            hooks,
            shutdowns: Wakers::default(),
            idlers: Idlers::default(),
            next_name: 0,
            watch: Watch::Off,
            spin: SpinLimit::default(),
            peak_threads: 0,
            peak_running: 0,
        }
    }

    /// Threads that are not parked.
    fn active(&self) -> usize {
        self.threads - self.idle.len()
    }

    /// How many threads may be active and take any job: a job that waits and the one that runs in its place count once.
    #[inline]
    fn limit(&self) -> usize {
        self.max_threads.saturating_add(self.waiting.min(self.lent))
    }

    /// Whether this thread is beyond the limit: it may take awaited jobs only (rule 4).
    #[inline]
    pub(super) fn is_beyond(&self) -> bool {
        self.active() > self.limit()
    }

    /// Threads that run a job.
    pub(super) fn running(&self) -> usize {
        self.active() - self.searching - self.preparing
    }

    /// How many workers are coming for queued jobs; `None` if no other could be had now. `has_awaited`: whether the next job is awaited.
    #[inline]
    pub(super) fn coming(&self, has_awaited: impl FnOnce() -> bool) -> Option<usize> {
        let active = self.active();
        if active >= self.limit() && (active >= self.max_threads.saturating_add(self.waiting) || !has_awaited()) {
            None
        } else if !self.idle.is_empty() {
            Some(self.searching)
        } else if self.searching == 0 {
            // Starting a thread takes far longer than waking one: one at a time, each by the one before. What a job awaits does not rely
            // on a thread in its hook, which may wait for that job.
            Some(self.preparing.saturating_sub(self.waiting))
        } else {
            None
        }
    }

    /// Takes the most recently parked worker out of `idle`, or counts a new thread.
    #[cold]
    pub(super) fn choose(&mut self) -> Wake {
        self.spin.called(self.searching);
        self.searching += 1;
        if let Some(worker) = self.idle.pop() {
            return Wake::Worker(worker);
        }
        self.add_thread();
        Wake::Start
    }

    /// Counts a thread that is about to be started.
    pub(super) fn add_thread(&mut self) {
        self.threads += 1;
        self.peak_threads = self.peak_threads.max(self.threads);
    }

    /// How many threads stay when there is nothing to do.
    pub(super) fn min_threads(&self, config: &Config) -> usize {
        config.min_threads.min(self.max_threads)
    }
}

impl Busy for State {
    fn idlers(&mut self) -> &mut Idlers {
        &mut self.idlers
    }

    #[inline]
    fn running(&self) -> usize {
        Self::running(self)
    }
}
