//! A view of an executor that runs at most so many of its jobs at once.
//!
//! The view has a queue of its own. While jobs wait in it, up to `limit` *slot runners* are with the executor: jobs of the crate's own that
//! run what waits, one after the other, and hand the thread back after a time slice. A job waits here, not on a thread.
//!
//! The rules are those of `pool/mod.rs`, with runners for workers: a runner that has not begun is one that is coming, and giving one to the
//! executor is starting one. A runner that the executor refuses refuses what waits, if it was the last.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::cancel::{is_cancelled, on_cancel};
use crate::error::Error;
use crate::executor::Executor;
use crate::job::{
    self, Canceller, Claimed, End, Guard, Job, JobHandle, Origin, Owner, Queue, QueueId, Rejected, Wait, Work,
};
use crate::metrics::{LimitedMetrics, Sites};
use crate::permits::Permits;
use crate::pool;
use crate::site::Site;
use crate::sync::{self, Arc, Mutex, thread};
use crate::unwind::contain;

#[cfg(all(test, offload_loom))]
mod models;
#[cfg(all(test, not(offload_loom)))]
mod tests;

/// How long a runner keeps its thread while jobs wait in the view. Other users of the executor wait no longer than this, plus the
/// job that is running, for a thread that a view holds. In a model every slice is over at once.
const SLICE: Duration = if cfg!(offload_loom) { Duration::ZERO } else { Duration::from_millis(1) };

/// A view of an executor that runs at most `n` of its jobs at once.
///
/// Made by [`ExecutorExt::limited`](crate::ExecutorExt::limited). It shares the executor's threads and takes none while its jobs wait:
/// for a resource that bears only so many users (connections of a database, a disk), beside others on the same pool.
///
/// * Its jobs begin in the order of their submission. Jobs that a job of the same pool awaits come first. With `n = 1` each ends
///   before the next begins.
/// * A job occupies its place until it has really ended, cancelled or not.
/// * Its queue is unbounded unless [`queue_capacity`](Self::queue_capacity) is set; a full one refuses with [`Error::QueueFull`].
/// * A job that awaits another job of the same view shares its place with it: the awaited job is the next to run, and while the other
///   waits, one job more may run. This is not to be relied on for views of foreign executors whose threads are all busy: there a new
///   thread runs the awaited job.
/// * On a [`ThreadPool`](crate::ThreadPool), it gives a thread back at least every millisecond, between two jobs. Other executors' threads it keeps
///   while its jobs wait.
/// * When the executor refuses to run the view at all (shut down, or full), the waiting jobs are refused for the same reason. What waits in the view
///   when a pool is [closed](crate::ThreadPool::close) still runs, if some of the view's jobs run then.
///   [`shutdown_now`](crate::ThreadPool::shutdown_now) refuses it.
/// * Clones are handles to the same view. **Dropping** the last lets the waiting jobs run.
///
/// # Examples
/// ```
/// use offload_runtime::{Error, ExecutorExt, ThreadPool};
///
/// let pool = ThreadPool::new(8);
/// let one_by_one = pool.clone().limited(1).queue_capacity(100);
/// let first = one_by_one.submit(|| std::thread::current().id());
/// let second = one_by_one.submit(|| 2);
/// assert_eq!(pollster::block_on(second).unwrap(), 2);
/// assert!(first.is_finished()); // the second began after it
/// ```
pub struct Limited<E: Executor + 'static> {
    handles: Arc<Handles<E>>,
}

// No user code runs under the view's lock: a panic leaves nothing half done.
impl<E: Executor> UnwindSafe for Limited<E> {}
impl<E: Executor> RefUnwindSafe for Limited<E> {}

/// Seals the view when the last [`Limited`] is dropped. What waits still runs.
struct Handles<E: Executor + 'static> {
    view: Arc<Queue<View<E>>>,
}

impl<E: Executor + 'static> Drop for Handles<E> {
    fn drop(&mut self) {
        let mut runners = self.view.lock();
        runners.seal();
        runners.finish();
    }
}

/// The part of a view that never changes.
struct View<E> {
    executor: E,
    /// The queue of the executor, if it is one of this crate.
    parent: Option<QueueId>,
    limit: usize,
    sites: Sites,
    /// One for each job that the view may hold at once, if it has a capacity.
    permits: OnceLock<(usize, Permits)>,
}

/// The part of a view that its queue's lock guards.
#[derive(Default)]
struct Runners {
    /// Slot runners: with the executor, or active.
    count: usize,
    /// Runners that have not begun: their numbers and handles.
    queued: Vec<(u64, JobHandle<()>)>,
    /// The number of the next.
    next: u64,
    /// Active runners that run a job which awaits a job of the view, queued or running.
    waiting: usize,
    /// Active runners that run an awaited job, each in the place of a job that waits.
    lent: usize,
}

impl Runners {
    /// A runner begins, or the executor has refused it. `None`: it was given up before.
    fn take(&mut self, number: u64) -> Option<JobHandle<()>> {
        let position = self.queued.iter().position(|(queued, _)| *queued == number)?;
        Some(self.queued.swap_remove(position).1)
    }

    /// How many runners there may be that take any job: a job that waits and the one that runs in its place count once.
    fn most(&self, limit: usize) -> usize {
        limit + self.waiting.min(self.lent)
    }

    /// Whether the active runners are more than that: one of them may take awaited jobs only.
    fn is_beyond(&self, limit: usize) -> bool {
        self.count - self.queued.len() > self.most(limit)
    }

    /// How many runners are coming for queued jobs; `None` if no other may be started now.
    fn coming(&self, limit: usize, has_awaited: impl FnOnce() -> bool) -> Option<usize> {
        let may_start = self.count < self.most(limit) || self.count < limit + self.waiting && has_awaited();
        may_start.then_some(self.queued.len())
    }
}

impl<E: Executor + 'static> Owner for View<E> {
    type Guarded = Runners;
    type Wake = Option<Job>;

    fn settle(guard: &mut Guard<'_, Self>) -> Option<Job> {
        let limit = guard.queue().shared.limit;
        let coming = guard.coming(limit, || guard.has_awaited());
        if !guard.publish(coming) {
            return None;
        }
        let runner = add_runner(guard, false);
        // If there are still more jobs, that runner starts the next.
        let coming = guard.coming(limit, || guard.has_awaited());
        let _ = guard.publish(coming);
        Some(runner)
    }

    fn perform(queue: &Arc<Queue<Self>>, runner: Option<Job>) {
        if let Some(runner) = runner {
            execute(queue, runner);
        }
    }

    fn cancelled(queue: &Arc<Queue<Self>>, job: &Claimed) {
        queue.shared.release(job.is_owed());
        queue.shared.sites.tally(job.origin()).cancelled();
        // A runner that would find nothing to run takes no place of the executor.
        let mut runners = queue.lock();
        runners.drain_inbox();
        let given_up = if runners.queued.len() > runners.listed() { runners.queued.pop() } else { None };
        runners.count -= usize::from(given_up.is_some());
        runners.finish();
        drop(given_up);
    }

    fn refused(queue: &Arc<Queue<Self>>, job: Claimed, why: &Error) {
        queue.shared.refuse_all(vec![job], why);
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

impl<E> View<E> {
    /// A job has ended, or never begins: its place is free.
    fn release(&self, is_owed: bool) {
        if let Some((_, permits)) = self.permits.get()
            && !is_owed
        {
            permits.release();
        }
    }

    /// Refuses jobs that were taken out of the queue.
    fn refuse_all(&self, jobs: Vec<Claimed>, why: &Error) {
        for job in jobs {
            self.release(job.is_owed());
            self.sites.tally(job.origin()).refused(why);
            job.refuse(why.duplicate());
        }
    }
}

/// Counts a runner more, and returns the job that is to be given to the executor. `is_owed`: it continues what the executor has accepted.
fn add_runner<E: Executor + 'static>(runners: &mut Guard<'_, View<E>>, is_owed: bool) -> Job {
    // The site of the turns that views have on an executor's threads.
    static TURN: Site = Site::function("Limited", module_path!(), file!(), line!(), column!());
    let (view, origin, number) = (Arc::clone(runners.queue()), Origin::of_site(&TURN), runners.next);
    let (job, handle) = if is_owed || runners.waiting > 0 {
        job::pair(origin, Runner::<E, true> { view, number })
    } else {
        job::pair(origin, Runner::<E, false> { view, number })
    };
    runners.next += 1;
    runners.count += 1;
    runners.queued.push((number, handle));
    job
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

impl<E: Executor + 'static> Limited<E> {
    pub(crate) fn new(executor: E, limit: usize) -> Self {
        assert!(limit > 0, "`ExecutorExt::limited`: a view needs to run at least one job at once");
        let label = match executor.label() {
            Some(label) => format!("{label}.limited({limit})").into(),
            None => format!("limited({limit})").into(),
        };
        let (parent, sites) = (executor.queue_id(), Sites::new(true, label));
        let view = View { executor, parent, limit, sites, permits: OnceLock::new() };
        Self { handles: Arc::new(Handles { view: Queue::new(view, Runners::default(), parent) }) }
    }

    fn view(&self) -> &Arc<Queue<View<E>>> {
        &self.handles.view
    }

    /// Refuses a job with [`Error::QueueFull`] where `capacity` jobs wait in the view already. Default: no bound.
    ///
    /// Jobs that a free place of the view takes up do not count.
    ///
    /// # Panics
    /// If the view has been cloned or used: the capacity is a part of making it.
    ///
    /// # Examples
    /// See [`Limited`].
    #[must_use]
    pub fn queue_capacity(self, capacity: usize) -> Self {
        let view = &self.view().shared;
        let is_new = Arc::strong_count(&self.handles) == 1 && view.sites.is_empty();
        assert!(is_new, "`Limited::queue_capacity` has to be called before the view is cloned or used");
        let set = view.permits.set((capacity, Permits::new(capacity.saturating_add(view.limit))));
        assert!(set.is_ok(), "`Limited::queue_capacity` was called before");
        self
    }

    /// Returns the executor whose threads the view uses.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    ///
    /// let view = ThreadPool::new(2).limited(1);
    /// view.executor().close();
    /// ```
    #[must_use]
    pub fn executor(&self) -> &E {
        &self.view().shared.executor
    }

    /// Returns what the view is doing, and has done, as [`ThreadPool::metrics`](crate::ThreadPool::metrics) does for a pool.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    ///
    /// let database = ThreadPool::default().limited(4);
    /// pollster::block_on(database.submit(|| ())).unwrap();
    /// let metrics = database.metrics();
    /// assert_eq!((metrics.completed(), metrics.limit()), (1, 4));
    /// println!("{metrics}"); // 4 at once, 0 running, 0 queued; 1 completed, ...
    /// ```
    #[must_use]
    pub fn metrics(&self) -> LimitedMetrics {
        let mut runners = self.view().lock();
        let (peak_queued, oldest_wait) = (runners.peak(), runners.oldest_wait());
        runners.finish();
        let View { limit, sites, .. } = &self.view().shared;
        let (figures, by_site) = sites.read();
        let panics = sites.recent_panics();
        LimitedMetrics { limit: *limit, peak_queued, oldest_wait, figures, sites: by_site, panics }
    }
}

impl<E: Executor + 'static> Executor for Limited<E> {
    fn execute(&self, job: Job) {
        let view = &self.view().shared;
        let tally = view.sites.tally(job.origin());
        tally.submitted();
        // What is owed to a view of this one is owed to this one.
        let is_owed = job.is_owed();
        let refusal = match view.permits.get() {
            _ if is_owed => None,
            _ if view.executor.is_closed() => Some(Error::ShutDown),
            Some((_, permits)) if !permits.try_acquire() => Some(Error::QueueFull),
            _ => None,
        };
        if let Some(why) = refusal {
            tally.refused(&why);
            return job.refuse(why);
        }
        match self.view().push(job, tally.stamp()) {
            Ok(()) => {}
            // The queue is sealed when the last handle goes, and this is one.
            Err(Rejected::Cancelled(job) | Rejected::Sealed(job)) => {
                view.release(is_owed);
                tally.cancelled();
                drop(job);
            }
        }
    }

    fn is_closed(&self) -> bool {
        self.view().shared.executor.is_closed()
    }

    fn queue_id(&self) -> Option<QueueId> {
        Some(Queue::id(self.view()))
    }

    fn label(&self) -> Option<String> {
        self.executor().label().map(|label| format!("{label}.limited({})", self.view().shared.limit))
    }
}

impl<E: Executor + 'static> Clone for Limited<E> {
    fn clone(&self) -> Self {
        Self { handles: Arc::clone(&self.handles) }
    }
}

impl<E: Executor + fmt::Debug + 'static> fmt::Debug for Limited<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let view = &self.view().shared;
        f.debug_struct("Limited").field("limit", &view.limit).field("executor", &view.executor).finish_non_exhaustive()
    }
}

/// A job of the crate's own, which runs the jobs of a view.
struct Runner<E: Executor + 'static, const OWED: bool> {
    view: Arc<Queue<View<E>>>,
    number: u64,
}

impl<E: Executor + 'static, const OWED: bool> Work for Runner<E, OWED> {
    type Output = ();
    const OWED: bool = OWED;

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
            if runners.count == 0 {
                refused = runners.pop_all();
            } else if runners.count <= runners.waiting {
                // All others wait, and no runner will come for what they wait for.
                refused = std::iter::from_fn(|| runners.pop_awaited()).map(|(job, _)| job).collect();
            }
        }
        // Not `finish`, which would start another runner for jobs that the others will run.
        let coming = runners.coming(self.view.shared.limit, || false);
        let _ = runners.publish(coming);
        drop(runners);
        drop(handle);
        self.view.shared.refuse_all(refused, why);
    }
}

/// The executor stops at once: refuses what waits.
fn stop<E: Executor + 'static>(view: &Arc<Queue<View<E>>>) {
    let mut runners = view.lock();
    let refused = runners.pop_all();
    runners.finish();
    view.shared.refuse_all(refused, &Error::ShutDown);
}

/// Runs the jobs of the view on this thread, until there are none or the time slice is over.
fn run_jobs<E: Executor + 'static>(queue: &Arc<Queue<View<E>>>) {
    let view = &queue.shared;
    // On a thread of a pool, what runs is the job, not the runner.
    let worker = pool::current_worker();
    let began = Instant::now();
    let mut is_lent = false;
    // At least one job: a thread that was kept from running for a whole slice would otherwise pass the turn on for nothing.
    let mut has_run = false;
    loop {
        if is_cancelled() {
            stop(queue);
        }
        let mut runners = queue.lock();
        runners.lent -= usize::from(std::mem::take(&mut is_lent));
        if has_run && began.elapsed() >= SLICE && view.parent.is_some() && runners.has_next() {
            // Other jobs of the executor have their turn.
            runners.count -= 1;
            let successor = add_runner(&mut runners, true);
            runners.finish();
            return execute(queue, successor);
        }
        let is_beyond = runners.is_beyond(view.limit);
        let next = if is_beyond { runners.pop_awaited() } else { runners.pop() };
        let Some((job, stamp)) = next else {
            runners.count -= 1;
            return runners.finish();
        };
        is_lent = runners.waiting > 0 && job.is_awaited();
        runners.lent += usize::from(is_lent);
        runners.finish();
        has_run = true;
        let (tally, is_owed) = (view.sites.tally(job.origin()), job.is_owed());
        let since = tally.started(stamp);
        let note = |end: End<'_>| {
            tally.ended(end, stamp, since);
            view.release(is_owed);
        };
        drop(match &worker {
            Some(worker) => job.run_shown(&worker.shown, since, note),
            None => job.run_noting(note),
        });
    }
}
