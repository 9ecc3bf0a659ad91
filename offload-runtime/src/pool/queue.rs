//! What the pool's lock guards, and who is let in.

use std::task::Waker;
use std::time::Duration;

use super::held::Held;
use super::nested;
use super::pace::{Flow, Patience};
use super::sleep::Call;
use super::watch::{self, SlowJobHook, Watch};
use super::worker::Worker;
use crate::clock::Moment;
use crate::error::Error;
use crate::job::{self, Begun, Ended, Guard, Job, NewJob, Owner, Posted, Queue};
use crate::metrics::{ANNOUNCED, Ledger, PoolMetrics, Threads};
use crate::sync::{Arc, Condvar};

pub(super) type Hook = Arc<dyn Fn() + Send + Sync>;

/// What the builder chose.
#[derive(Clone)]
pub(super) struct Config {
    pub(super) max_threads: usize,
    pub(super) min_threads: usize,
    /// Beside so many scouts no other is called: [`max_scouts`](super::sleep::max_scouts) of the machine.
    pub(super) max_scouts: usize,
    pub(super) keep_alive: Duration,
    pub(super) queue_capacity: usize,
    pub(super) name: Arc<str>,
    pub(super) timing: bool,
    pub(super) stack_size: Option<usize>,
    pub(super) on_thread_start: Option<Hook>,
    pub(super) on_thread_stop: Option<Hook>,
    pub(super) warn_after: Option<Duration>,
    pub(super) on_slow_job: Option<SlowJobHook>,
}

/// The part of a pool outside its lock.
pub(super) struct Pool {
    pub(super) config: Config,
    /// Kept only if the queue has a capacity.
    pub(super) ended: Option<Ended>,
    /// How many threads there are, as published.
    pub(super) published: Threads,
    /// Where the watch sleeps, with the queue's lock.
    pub(super) watch: Condvar,
    /// Whether jobs are taken in under the lock alone: each has to be counted at once, to be refused or to be told of.
    pub(super) by_lock: bool,
    /// Whether threads run code of the user's before they come to the queue: a hook, or a recorder that is told of them.
    pub(super) prepares: bool,
}

/// The part of a pool that its lock guards, besides the queue of jobs. What every job touches comes first, side by side.
#[repr(C)]
pub(super) struct State {
    /// Threads that exist, or are being started.
    pub(super) threads: usize,
    /// Threads that run a job.
    pub(super) running: usize,
    /// Threads that sleep; the one that fell asleep last is woken first, so that the others can retire.
    pub(super) idle: Vec<Arc<Worker>>,
    /// Threads that are on their way to the queue: being started or woken, or looking for work before they sleep.
    pub(super) scouts: usize,
    /// Threads that have been started, and run code of the user's before they come to the queue: nobody counts on them yet.
    pub(super) preparing: usize,
    /// Those of the scouts that look for work before they sleep. No more than [`MOST_SCOUTS`](super::sleep::MOST_SCOUTS).
    pub(super) looking: Vec<Arc<Worker>>,
    pub(super) closed: bool,
    /// What was queued has been refused. Only if closed.
    pub(super) stopped: bool,
    /// Threads that have resigned and not yet gone. Not among `threads`.
    pub(super) leaving: usize,
    /// All threads that have begun, in that order.
    pub(super) workers: Vec<Arc<Worker>>,
    /// Jobs for threads that were taken out of `idle`, or of `looking`, for them (C10).
    pub(super) handed: Vec<(Arc<Worker>, Begun)>,
    /// Who waits for the pool's end: the number of the [`Shutdown`](super::Shutdown) and its waker.
    pub(super) shutdowns: Vec<(usize, Waker)>,
    /// The number of the next [`Shutdown`](super::Shutdown).
    pub(super) next_shutdown: usize,
    /// The number in the next thread's name.
    pub(super) next_name: usize,
    /// How many jobs have begun, if there is a watch.
    pub(super) begun: u64,
    pub(super) watch: Watch,
    pub(super) flow: Flow,
    /// Who awaits jobs that have ended, and is to be woken together with others. Only while one stands by.
    pub(super) held: Held,
    pub(super) patience: Patience,
    /// The most `threads` there were.
    pub(super) peak_threads: usize,
    /// The most `running` there were.
    pub(super) peak_running: usize,
}

impl Pool {
    pub(super) fn queue(config: Config) -> Arc<Queue<Self>> {
        let state = State {
            threads: 0,
            leaving: 0,
            running: 0,
            idle: Vec::new(),
            scouts: 0,
            preparing: 0,
            looking: Vec::new(),
            closed: false,
            stopped: false,
            workers: Vec::new(),
            handed: Vec::new(),
            shutdowns: Vec::new(),
            next_shutdown: 0,
            next_name: 0,
            begun: 0,
            watch: Watch::Off,
            flow: Flow::default(),
            held: Held::default(),
            patience: Patience::default(),
            peak_threads: 0,
            peak_running: 0,
        };
        let ended = (config.queue_capacity < usize::MAX).then(Ended::new);
        let ledger = Ledger::new(config.timing, Arc::clone(&config.name));
        let published = Threads::new(&config.name);
        let watch = Condvar::new();
        let by_lock = ended.is_some() || ANNOUNCED;
        let prepares = config.on_thread_start.is_some() || ANNOUNCED;
        Queue::new(Self { config, ended, published, watch, by_lock, prepares }, state, ledger)
    }
}

impl State {
    /// A thread more runs a job.
    #[inline]
    pub(super) fn one_more_runs(&mut self, pool: &Pool) {
        self.running += 1;
        self.peak_running = self.peak_running.max(self.running);
        if self.watch != Watch::Off {
            self.begun += 1;
            watch::wake(self, &pool.watch);
        }
    }

    /// Whether there is a thread to be called.
    #[inline]
    pub(super) fn can_call(&self, pool: &Pool) -> bool {
        !self.idle.is_empty() || self.threads < pool.config.max_threads
    }

    /// Takes the job for which `worker` was taken out of `idle` or `looking`, if it was for one.
    pub(super) fn take_handed(&mut self, worker: &Arc<Worker>) -> Option<Begun> {
        let place = self.handed.iter().position(|(to, _)| Arc::ptr_eq(to, worker))?;
        Some(self.handed.swap_remove(place).1)
    }

    /// Takes the thread that fell asleep last.
    pub(super) fn take_idle(&mut self) -> Option<Arc<Worker>> {
        let last = self.idle.len().checked_sub(1)?;
        Some(self.leave_idle(last))
    }

    /// Takes the thread at this place of `idle`.
    pub(super) fn leave_idle(&mut self, place: usize) -> Arc<Worker> {
        let worker = self.idle.remove(place);
        if self.flow.standby.as_ref().is_some_and(|standby| Arc::ptr_eq(standby, &worker)) {
            self.flow.standby = None;
        }
        worker
    }

    /// A thread more is there, or will be.
    pub(super) fn one_more_thread(&mut self) {
        self.threads += 1;
        self.peak_threads = self.peak_threads.max(self.threads);
    }
}

impl Owner for Pool {
    type Guarded = State;

    fn run_nested(queue: &Arc<Queue<Self>>, job: Begun, own: bool) {
        nested::run(queue, job, own);
    }

    fn run_in_a_place(_: &Arc<Queue<Self>>, job: Begun, run: fn(Begun)) {
        // Nobody asks: that is for queues whose threads are another's, and a pool has its own.
        run(job);
    }
}

/// What the pool is doing at this moment.
pub(super) fn metrics(queue: &Arc<Queue<Pool>>) -> PoolMetrics {
    let config = &queue.shared.config;
    let mut state = queue.lock();
    let (threads, running) = (state.threads, state.running);
    let (peak_threads, peak_running) = (state.peak_threads, state.peak_running);
    let (peak_queued, snapshot) = (state.ledger().peak_queued(), state.ledger().snapshot());
    drop(state);
    let (figures, sites) = snapshot.finish();
    PoolMetrics {
        name: Arc::clone(&config.name),
        max_threads: config.max_threads,
        queue_capacity: Some(config.queue_capacity).filter(|capacity| *capacity < usize::MAX),
        threads,
        idle: threads.saturating_sub(running),
        peak_threads,
        peak_running,
        peak_queued,
        figures,
        sites,
    }
}

/// Enqueues `job` and sees to it that a thread will come for it; or refuses it.
#[inline]
pub(super) fn accept(queue: &Arc<Queue<Pool>>, job: Job) {
    if queue.shared.by_lock {
        return accept_locked(queue, job);
    }
    see_to(queue, queue.post(job));
}

/// As `accept`, of a job whose handle nobody has yet.
#[inline]
pub(super) fn accept_new(queue: &Arc<Queue<Pool>>, job: NewJob<'_>) {
    if queue.shared.by_lock {
        return accept_locked(queue, job.into_job());
    }
    see_to(queue, queue.post_new(job));
}

#[inline]
fn see_to(queue: &Arc<Queue<Pool>>, posted: Posted) {
    match posted {
        Posted::Quietly { due: false } => {}
        Posted::Quietly { due: true } => tidy(queue),
        Posted::Asked => answer(queue),
        Posted::Not(job) => accept_locked(queue, job),
        Posted::Late => see_to_late(queue),
    }
}

/// One in many sees to it that the inbox does not grow.
fn tidy(queue: &Arc<Queue<Pool>>) {
    if let Some(mut state) = queue.try_lock()
        && state.scouts > 0
    {
        state.stir();
    }
}

/// A job came that a thread is to be called for.
fn answer(queue: &Arc<Queue<Pool>>) {
    let now = Moment::now();
    let mut state = queue.lock();
    let nobody_comes = state.scouts == 0;
    let call = Call::attend(&mut state, &queue.shared);
    if nobody_comes && let Call::Wake(_) = call {
        state.patience.called(now);
    }
    drop(state);
    call.carry_out(queue);
}

/// A job came as the pool closed, and waits. It is run if a thread is there (what is owed has to be, and none leaves without a look
/// at the queue); else it is refused.
#[cold]
fn see_to_late(queue: &Arc<Queue<Pool>>) {
    let mut state = queue.lock();
    if !state.stopped && state.threads > 0 {
        let call = Call::decide_if_any(&mut state, &queue.shared);
        drop(state);
        return call.carry_out(queue);
    }
    let refused = state.drain(&Error::ShutDown);
    drop(state);
    job::refuse_all(refused, &Error::ShutDown);
}

fn accept_locked(queue: &Arc<Queue<Pool>>, job: Job) {
    let pool = &queue.shared;
    let now = queue.now();
    let mut state = queue.lock();
    // A closed pool takes what is owed while it has threads: none of them leaves without a look at the queue.
    if state.closed && (!job.is_owed() || state.stopped || state.threads == 0) {
        return turn_away(state, job, Error::ShutDown);
    }
    if state.len() >= pool.config.queue_capacity && !job.is_owed() {
        // Jobs that a thread will take without waiting for another to end do not count.
        let free = pool.config.max_threads - state.running + pool.ended.as_ref().map_or(0, Ended::get);
        if state.len() >= pool.config.queue_capacity.saturating_add(free) {
            return turn_away(state, job, Error::QueueFull);
        }
    }
    let (ticket, pushed) = state.push(job, now);
    if let Err(cancelled) = pushed {
        drop(state);
        ticket.announce();
        return drop(cancelled);
    }
    if state.scouts > 0 {
        state.stir();
    }
    let nobody_comes = state.scouts == 0;
    let call = Call::decide(&mut state, pool);
    if nobody_comes && let Call::Wake(_) = call {
        state.patience.called(now.unwrap_or_else(Moment::now));
    }
    drop(state);
    // First: others count on that thread, and the ticket may call a recorder that waits for it.
    call.carry_out(queue);
    ticket.announce();
}

#[cold]
fn turn_away(mut state: Guard<'_, Pool>, job: Job, why: Error) {
    let ticket = state.ledger().turned_away(job.origin(), &why);
    drop(state);
    ticket.announce();
    job.refuse(why);
}

/// A waker that counts.
#[cfg(all(test, not(offload_loom)))]
#[derive(Default)]
pub(super) struct Counting(std::sync::atomic::AtomicUsize);

#[cfg(all(test, not(offload_loom)))]
impl Counting {
    pub(super) fn wakes(&self) -> usize {
        self.0.load(std::sync::atomic::Ordering::SeqCst)
    }
}

#[cfg(all(test, not(offload_loom)))]
impl std::task::Wake for Counting {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    }
}

/// Posts a job that does nothing, and calls nobody for it.
#[cfg(all(test, not(offload_loom)))]
pub(super) fn post_nothing(queue: &Arc<Queue<Pool>>) -> Posted {
    struct Nothing;

    impl job::Work for Nothing {
        type Output = ();

        fn run(self) {}
    }

    queue.post(Job::unobserved(job::Origin::of_caller(), Nothing))
}

#[cfg(all(test, not(offload_loom)))]
mod tests {
    use super::*;
    use crate::ThreadPool;
    use crate::executor::ExecutorExt;
    use crate::sync::thread;

    /// A job that came as the pool closed is left to its threads, unless there is none any more, or it was stopped.
    #[test]
    fn c09_a_late_job_is_run_if_a_thread_is_there_or_refused() {
        for (threads, stopped, refused) in [(1, false, false), (0, false, true), (1, true, true)] {
            let pool = ThreadPool::builder().max_threads(1).build();
            let mut state = pool.queue().lock();
            (state.threads, state.running) = (1, 1);
            drop(state);
            let job = pool.submit(|| ());
            let mut state = pool.queue().lock();
            (state.threads, state.closed, state.stopped) = (threads, true, stopped);
            state.seal();
            drop(state);
            see_to_late(pool.queue());
            assert_eq!(job.is_finished(), refused, "{threads} {stopped}");
            let mut state = pool.queue().lock();
            (state.threads, state.running) = (0, 0);
            job::refuse_all(state.drain(&Error::ShutDown), &Error::ShutDown);
        }
    }

    /// How long a thread is to look for work before it sleeps is learnt from jobs that come while all sleep.
    #[test]
    fn patience_is_learnt_from_calls_while_nobody_comes() {
        for (capacity, scouts, learnt) in [(usize::MAX, 0, true), (usize::MAX, 1, false), (1, 0, true), (1, 1, false)] {
            let pool = ThreadPool::builder().max_threads(4).max_scouts(2).queue_capacity(capacity).build();
            let queue = pool.queue();
            let sleeper = || Worker::new(&queue.shared, String::new());
            let mut state = queue.lock();
            state.idle.extend([sleeper(), sleeper()]);
            (state.threads, state.scouts) = (2, scouts);
            let began = Moment::now();
            state.patience.searched_since(began);
            let before = state.patience.length();
            let asked = state.ask();
            drop(state);
            assert!(asked);
            while Moment::now().since(began) < 100_000 {
                thread::yield_now();
            }
            for _ in 0..=scouts {
                pool.submit(|| ()).detach();
            }
            let mut state = queue.lock();
            assert_eq!(state.scouts, scouts + 1, "nobody was called");
            assert_eq!(state.patience.length() != before, learnt, "{capacity} {scouts}");
            (state.threads, state.scouts) = (0, 0);
            state.idle.clear();
            drop(state.drain(&Error::ShutDown));
            state.ask();
        }
    }

    /// Where each job is pushed under the lock, who looks for work without it sees none.
    #[test]
    fn c08_a_job_that_is_pushed_calls_who_looks_for_work() {
        let pool = ThreadPool::builder().max_threads(1).queue_capacity(8).build();
        let queue = pool.queue();
        let mut state = queue.lock();
        (state.threads, state.scouts) = (1, 1);
        state.open();
        drop(state);
        assert!(!queue.is_stirred());
        pool.submit(|| ()).detach();
        assert!(queue.is_stirred(), "the job is hidden from who looks for work");
        let mut state = queue.lock();
        (state.threads, state.scouts) = (0, 0);
        drop(state.drain(&Error::ShutDown));
    }

    /// Who looks for work may be long in coming, and would find all jobs in the inbox: some who submit put them in order meanwhile.
    #[test]
    fn c08_what_comes_while_somebody_is_on_the_way_is_taken_in() {
        let pool = ThreadPool::new(1);
        let queue = pool.queue();
        let mut state = queue.lock();
        state.scouts = 1;
        state.open();
        drop(state);
        pool.submit(|| ()).detach();
        tidy(queue);
        assert!(queue.is_stirred(), "the job is hidden from who looks for work");
        // That many wait is known by who locks the queue, and nobody else does.
        let known = (0..10_000).any(|_| {
            pool.submit(|| ()).detach();
            queue.now().is_none()
        });
        let mut state = queue.lock();
        state.scouts = 0;
        drop(state.drain(&Error::ShutDown));
        state.ask();
        drop(state);
        assert!(known, "ten thousand jobs wait, and nobody has seen them");
    }
}
