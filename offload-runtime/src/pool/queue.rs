//! What the pool's lock guards, and who is let in.

use std::task::Waker;
use std::time::{Duration, Instant};

use super::nested;
use super::sleep::Call;
use super::worker::Worker;
use crate::error::Error;
use crate::job::{Claimed, Ended, Job, Owner, Queue};
use crate::sync::{Arc, AtomicBool, Ordering};

pub(super) type Hook = Arc<dyn Fn() + Send + Sync>;

/// What the builder chose.
#[derive(Clone)]
pub(super) struct Config {
    pub(super) max_threads: usize,
    pub(super) min_threads: usize,
    pub(super) keep_alive: Duration,
    pub(super) queue_capacity: usize,
    pub(super) name: Arc<str>,
    pub(super) stack_size: Option<usize>,
    pub(super) on_thread_start: Option<Hook>,
    pub(super) on_thread_stop: Option<Hook>,
}

/// The part of a pool outside its lock.
pub(super) struct Pool {
    pub(super) config: Config,
    /// What times of running jobs count from.
    pub(super) epoch: Instant,
    /// Kept only if the queue has a capacity.
    pub(super) ended: Option<Ended>,
    hint: Hint,
}

/// Whether a job came since the scout began to look for work without the lock. On a cache line of its own: the scout reads it
/// over and over. Written only while there is a scout.
#[repr(align(128))]
struct Hint(AtomicBool);

/// The part of a pool that its lock guards, besides the queue of jobs. What every job touches comes first, side by side.
#[repr(C)]
pub(super) struct State {
    /// Threads that exist, or are being started.
    pub(super) threads: usize,
    /// Threads that run a job.
    pub(super) running: usize,
    /// Threads that sleep; the one that fell asleep last is woken first, so that the others can retire.
    pub(super) idle: Vec<Arc<Worker>>,
    /// Whether a thread is on its way to the queue: being started or woken, or looking for work before it sleeps.
    pub(super) scout: bool,
    pub(super) closed: bool,
    /// Threads that have resigned and not yet gone. Not among `threads`.
    pub(super) leaving: usize,
    /// All threads that have begun, in that order.
    pub(super) workers: Vec<Arc<Worker>>,
    /// Jobs for sleeping threads that were taken out of `idle` for them (C10).
    pub(super) handed: Vec<(Arc<Worker>, Claimed)>,
    /// Who waits for the pool's end: the number of the [`Shutdown`](super::Shutdown) and its waker.
    pub(super) shutdowns: Vec<(usize, Waker)>,
    /// The number of the next [`Shutdown`](super::Shutdown).
    pub(super) next_shutdown: usize,
    /// The number in the next thread's name.
    pub(super) next_name: usize,
}

impl Pool {
    pub(super) fn queue(config: Config) -> Arc<Queue<Self>> {
        let state = State {
            threads: 0,
            leaving: 0,
            running: 0,
            idle: Vec::new(),
            scout: false,
            closed: false,
            workers: Vec::new(),
            handed: Vec::new(),
            shutdowns: Vec::new(),
            next_shutdown: 0,
            next_name: 0,
        };
        let ended = (config.queue_capacity < usize::MAX).then(Ended::new);
        Queue::new(Self { config, ended, epoch: Instant::now(), hint: Hint(AtomicBool::new(false)) }, state)
    }

    /// Tells the scout whether there is a reason to come back to the lock. Called under the lock.
    #[inline]
    pub(super) fn hint(&self, reason: bool) {
        // ORDERING: Relaxed: a hint. Who acts on it takes the lock first.
        self.hint.0.store(reason, Ordering::Relaxed);
    }

    /// Whether there is a reason to come back to the lock.
    #[inline]
    pub(super) fn is_hinted(&self) -> bool {
        // ORDERING: Relaxed, as in `hint`.
        self.hint.0.load(Ordering::Relaxed)
    }
}

impl Owner for Pool {
    type Guarded = State;

    fn run_nested(queue: &Arc<Queue<Self>>, job: Claimed, own: bool) {
        nested::run(queue, job, own);
    }

    fn run_in_a_place(_: &Arc<Queue<Self>>, job: Claimed, run: fn(Claimed)) {
        run(job);
    }
}

/// Enqueues `job` and sees to it that a thread will come for it; or refuses it.
#[inline]
pub(super) fn accept(queue: &Arc<Queue<Pool>>, job: Job) {
    let pool = &queue.shared;
    let mut state = queue.lock();
    if state.closed {
        drop(state);
        return job.refuse(Error::ShutDown);
    }
    // Jobs that a thread will take without waiting for another to end.
    let free = pool.config.max_threads - state.running + pool.ended.as_ref().map_or(0, Ended::get);
    if state.len() >= pool.config.queue_capacity.saturating_add(free) {
        drop(state);
        return job.refuse(Error::QueueFull);
    }
    if let Err(cancelled) = state.push(job) {
        drop(state);
        return drop(cancelled);
    }
    if state.scout {
        pool.hint(true);
    }
    let call = Call::decide(&mut state, pool);
    drop(state);
    call.carry_out(queue);
}
