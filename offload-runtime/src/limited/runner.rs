//! The slot runners of a view: which jobs they run, and when one is started.
//!
//! The rules are those of `pool/mod.rs`, with runners for workers: a runner that has not begun is one that is coming, and giving one to the
//! executor is starting one. A runner that the executor refuses refuses what waits, if it was the last.

use std::task::Waker;
use std::time::{Duration, Instant};

use crate::cancel::{is_cancelled, on_cancel};
use crate::error::Error;
use crate::executor::Executor;
use crate::idle::{Busy, Idlers};
use crate::job::{self, Canceller, Claimed, Guard, Job, JobHandle, Origin, Owner, Queue, QueueId, Wait, Work};
use crate::pool::{self, Accounts};
use crate::site::Site;
use crate::sync::{self, Arc, Mutex, thread};
use crate::unwind::contain;
use crate::wait::wake;

/// How long a runner keeps its thread while jobs wait in the view. Other users of the executor wait no longer than this, plus the
/// job that is running, for a thread that a view holds. In a model every slice is over at once.
const SLICE: Duration = if cfg!(offload_loom) { Duration::ZERO } else { Duration::from_millis(1) };

/// The part of a view outside its lock.
pub(super) struct View<E> {
    pub(super) executor: E,
    /// The queue of the executor, if it is one of this crate.
    pub(super) parent: Option<QueueId>,
    /// The name under which its metrics are published, if it or its executor has one.
    pub(super) label: Option<String>,
    pub(super) publishes_metrics: bool,
    pub(super) accounts: Accounts,
}

/// The part of a view that its queue's lock guards.
pub(super) struct Runners {
    /// How many jobs may run at once.
    pub(super) limit: usize,
    /// Slot runners: with the executor, or active.
    pub(super) count: usize,
    /// Runners that have not begun: their numbers and handles.
    pub(super) queued: Vec<(u64, JobHandle<()>)>,
    /// The number of the next.
    next: u64,
    /// Active runners that run a job.
    pub(super) running: usize,
    /// A job that has a permit, or is owed, may be queued: an executor that is full accepts the runners all the same.
    pub(super) promised: bool,
    /// Active runners that run a job which awaits a job of the view, queued or running.
    pub(super) waiting: usize,
    /// Active runners that run an awaited job, each in the place of a job that waits.
    lent: usize,
    /// The futures that wait until nothing is queued and no job runs.
    idlers: Idlers,
}

/// What a critical section leaves to be done.
pub(super) enum Next {
    Nothing,
    /// The executor is to be given a runner.
    Runner(Job),
    /// Nothing is queued, and no job runs.
    Idle(Vec<Waker>),
}

impl Runners {
    pub(super) fn new(limit: usize) -> Self {
        let (count, queued, next, running) = (0, Vec::new(), 0, 0);
        Self { limit, count, queued, next, running, promised: false, waiting: 0, lent: 0, idlers: Idlers::default() }
    }

    /// A runner begins, or the executor has refused it. `None`: it was given up before.
    fn take(&mut self, number: u64) -> Option<JobHandle<()>> {
        let position = self.queued.iter().position(|(queued, _)| *queued == number)?;
        Some(self.queued.swap_remove(position).1)
    }

    /// How many runners there may be that take any job: a job that waits and the one that runs in its place count once.
    fn most(&self) -> usize {
        self.limit.saturating_add(self.waiting.min(self.lent))
    }

    /// Whether the active runners are more than that: one of them may take awaited jobs only.
    fn is_beyond(&self) -> bool {
        self.count - self.queued.len() > self.most()
    }

    /// How many runners are coming for queued jobs; `None` if no other may be started now.
    fn coming(&self, has_awaited: impl FnOnce() -> bool) -> Option<usize> {
        let may_start =
            self.count < self.most() || self.count < self.limit.saturating_add(self.waiting) && has_awaited();
        may_start.then_some(self.queued.len())
    }
}

impl Busy for Runners {
    fn idlers(&mut self) -> &mut Idlers {
        &mut self.idlers
    }

    fn running(&self) -> usize {
        self.running
    }
}

impl<E: Executor + 'static> Owner for View<E> {
    type Guarded = Runners;
    type Wake = Next;

    fn settle(guard: &mut Guard<'_, Self>) -> Next {
        let coming = guard.coming(|| guard.has_awaited());
        if !guard.publish(coming) {
            let idlers = Idlers::take(guard);
            return if idlers.is_empty() { Next::Nothing } else { Next::Idle(idlers) };
        }
        let runner = add_runner(guard, false);
        // If there are still more jobs, that runner starts the next.
        let coming = guard.coming(|| guard.has_awaited());
        let _ = guard.publish(coming);
        Next::Runner(runner)
    }

    fn perform(queue: &Arc<Queue<Self>>, next: Next) {
        match next {
            Next::Nothing => {}
            Next::Runner(runner) => execute(queue, runner),
            Next::Idle(idlers) => wake(idlers),
        }
    }

    fn cancelled(queue: &Arc<Queue<Self>>, job: &Claimed) {
        queue.shared.accounts.cancelled(job);
        // A runner that would find nothing to run takes no place of the executor.
        let mut runners = queue.lock();
        runners.drain_inbox();
        let given_up = if runners.queued.len() > runners.listed() { runners.queued.pop() } else { None };
        runners.count -= usize::from(given_up.is_some());
        runners.promised &= runners.has_next();
        runners.finish();
        drop(given_up);
    }

    fn refused(queue: &Arc<Queue<Self>>, job: Claimed, why: &Error) {
        queue.shared.accounts.refuse([job], why);
    }

    fn wait(runners: &mut Runners, wait: Wait) {
        match wait {
            Wait::Begins => runners.waiting += 1,
            Wait::Ends => runners.waiting -= 1,
        }
    }

    fn promoted(queue: &Arc<Queue<Self>>) {
        let Some(parent) = queue.shared.parent else { return };
        let runners = queue.lock();
        let queued: Vec<Canceller> = runners.queued.iter().map(|(_, handle)| handle.canceller()).collect();
        drop(runners);
        for runner in queued {
            runner.promote(parent);
        }
    }
}

/// Counts a runner more, and returns the job that is to be given to the executor. `is_owed`: it continues what the executor has accepted.
fn add_runner<E: Executor + 'static>(runners: &mut Guard<'_, View<E>>, is_owed: bool) -> Job {
    // The site of the turns that views have on an executor's threads.
    static TURN: Site = Site::function("Limited", "offload_runtime::limited", file!(), line!(), column!());
    let (view, origin, number) = (Arc::clone(runners.queue()), Origin::of_site(&TURN), runners.next);
    let is_owed = is_owed || runners.promised || runners.waiting > 0;
    let (job, handle) = job::pair(origin, Runner { view, number, is_owed });
    runners.next += 1;
    runners.count += 1;
    runners.queued.push((number, handle));
    if is_owed { job.owed() } else { job }
}

/// Gives a runner to the executor.
fn execute<E: Executor + 'static>(queue: &Arc<Queue<View<E>>>, runner: Job) {
    if queue.shared.parent.is_none() && queue.lock().waiting > 0 {
        // The threads of a foreign executor may all be waiting: a thread of its own runs the awaited jobs.
        return on_a_thread_of_its_own(runner);
    }
    // An executor that panics is one that refuses.
    contain(|| queue.shared.executor.execute(runner));
    // After that: a job that was promoted before has not found the runner in the executor's queue.
    let has_awaited = queue.lock().has_awaited();
    if has_awaited {
        View::promoted(queue);
    }
}

#[cold]
fn on_a_thread_of_its_own(runner: Job) {
    let name = thread::current().name().unwrap_or("offload").to_owned();
    // Shared, as a thread that cannot be had drops its closure.
    let runner = Arc::new(Mutex::new(Some(runner)));
    let of_thread = Arc::clone(&runner);
    let run = move || {
        let runner = sync::lock(&of_thread).take();
        if let Some(runner) = runner {
            runner.run();
        }
    };
    let Err(error) = thread::Builder::new().name(name).spawn(run) else { return };
    let runner = sync::lock(&runner).take();
    if let Some(runner) = runner {
        runner.refuse(Error::Spawn(error));
    }
}

/// A job of the crate's own, which runs the jobs of a view.
struct Runner<E: Executor + 'static> {
    view: Arc<Queue<View<E>>>,
    number: u64,
    is_owed: bool,
}

impl<E: Executor + 'static> Work for Runner<E> {
    type Output = ();

    fn run(self) -> Result<(), Error> {
        let taken = self.view.lock().take(self.number);
        let Some(handle) = taken else { return Ok(()) };
        handle.detach();
        // If the pool stops at once, it cancels this job, and with it what waits in the view.
        let view = Arc::clone(&self.view);
        let _guard = on_cancel(move || stop(&view));
        job::serve(&self.view, || run_jobs(&self.view));
        Ok(())
    }

    fn refuse(self, why: &Error) {
        let mut runners = self.view.lock();
        let handle = runners.take(self.number);
        let mut refused = Vec::new();
        if handle.is_some() {
            runners.count -= 1;
            if !self.is_owed && runners.promised && matches!(why, Error::QueueFull) {
                // A job with a permit came after this runner was made: the next one is not refused.
                runners.finish();
                return drop(handle);
            }
            if runners.count == 0 {
                refused = runners.pop_all();
                runners.promised = false;
            } else if runners.count <= runners.waiting {
                // All others wait, and no runner will come for what they wait for.
                refused = std::iter::from_fn(|| runners.pop_awaited()).map(|(job, _)| job).collect();
            }
        }
        // Not `finish`, which would start another runner for jobs that the others will run.
        let coming = runners.coming(|| false);
        let _ = runners.publish(coming);
        let idlers = Idlers::take(&mut runners);
        drop(runners);
        drop(handle);
        self.view.shared.accounts.refuse(refused, why);
        wake(idlers);
    }
}

/// The executor stops at once: refuses what waits.
fn stop<E: Executor + 'static>(view: &Arc<Queue<View<E>>>) {
    let mut runners = view.lock();
    let refused = runners.pop_all();
    runners.promised = false;
    runners.finish();
    view.shared.accounts.refuse(refused, &Error::ShutDown);
}

/// Runs the jobs of the view on this thread, until there are none or the time slice is over.
fn run_jobs<E: Executor + 'static>(queue: &Arc<Queue<View<E>>>) {
    let view = &queue.shared;
    // On a thread of a pool, what runs is the job, not the runner.
    let worker = pool::current_worker();
    let began = Instant::now();
    let (mut is_lent, mut is_running) = (false, false);
    // At least one job: a thread that was kept from running for a whole slice would otherwise pass the turn on for nothing.
    let mut has_run = false;
    loop {
        if is_cancelled() {
            stop(queue);
        }
        let mut runners = queue.lock();
        runners.lent -= usize::from(std::mem::take(&mut is_lent));
        runners.running -= usize::from(std::mem::take(&mut is_running));
        if has_run && began.elapsed() >= SLICE && view.parent.is_some() && runners.has_next() {
            // Other jobs of the executor have their turn.
            runners.count -= 1;
            let successor = add_runner(&mut runners, true);
            runners.finish();
            return execute(queue, successor);
        }
        let is_beyond = runners.is_beyond();
        let next = if is_beyond { runners.pop_awaited() } else { runners.pop() };
        let Some((job, stamp)) = next else {
            runners.promised &= runners.has_next();
            runners.count -= 1;
            return runners.finish();
        };
        is_lent = runners.waiting > 0 && job.is_awaited();
        runners.lent += usize::from(is_lent);
        is_running = true;
        runners.running += 1;
        runners.finish();
        has_run = true;
        view.accounts.run(job, stamp, worker.as_deref());
    }
}
