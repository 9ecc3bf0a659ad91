//! A view of an executor that runs at most so many of its jobs at once.
//!
//! The view has a queue of its own. While jobs wait in it, up to `limit` *slot runners* are with the executor: jobs of the crate's own that
//! run what waits, one after the other, and hand the thread back after a time slice. A job waits here, not on a thread.
//!
//! `limited/runner.rs` says which jobs the runners run and when one is started; `limited/builder.rs` has the options.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

use crate::context::CallerContext;
#[cfg(doc)]
use crate::error::Error;
use crate::executor::Executor;
use crate::idle::Idle;
use crate::job::{self, Job, JobHandle, Origin, Queue, QueueId, Rejected, Unjudged};
#[cfg(feature = "metrics")]
use crate::metrics::publish_view;
use crate::metrics::{LimitedMetrics, Sites, Tally};
use crate::permits::Permits;
use crate::pool::Accounts;
use crate::refused::Refused;
use crate::sync::Arc;
use crate::wait::wake;

mod builder;
#[cfg(all(test, offload_loom))]
mod models;
mod runner;
#[cfg(all(test, not(offload_loom)))]
mod tests;

pub use builder::LimitedBuilder;
use runner::{Runners, View};

/// A view of an executor that runs at most `n` of its jobs at once.
///
/// Made by [`ExecutorExt::limited`](crate::ExecutorExt::limited), [`new`](Self::new) or [`builder`](Self::builder). It shares the
/// executor's threads and takes none while its jobs wait: for a resource that bears only so many users (connections of a database, a disk),
/// beside others on the same pool.
///
/// * Its jobs begin in the order of their submission. Jobs that a job of the same pool awaits come first. With `n = 1` each ends
///   before the next begins.
/// * A job occupies its place until it has really ended, cancelled or not.
/// * Its queue is unbounded unless [`queue_capacity`](Self::queue_capacity) is set; a full one refuses with [`Error::QueueFull`], and
///   [`reserve`](Self::reserve) waits for room.
/// * A job that awaits another job of the same view shares its place with it: the awaited job is the next to run, and while the other
///   waits, one job more may run. Where all threads of a foreign executor are busy, a new thread runs the awaited job.
/// * On a [`ThreadPool`](crate::ThreadPool), a view gives its thread back between two jobs, at least every millisecond. On other executors it
///   keeps its threads while its jobs wait.
/// * When the executor refuses to run the view at all (shut down, or full), the waiting jobs are refused for the same reason. What waits in
///   the view when a pool is [closed](crate::ThreadPool::close) still runs, if some of the view's jobs run then.
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

impl<E: Executor + 'static> Limited<E> {
    /// Makes a view of `executor` that runs at most `n` of its jobs at once.
    ///
    /// [`limited`](crate::ExecutorExt::limited) does the same for an executor that is `Clone`, and [`builder`](Self::builder) has more options.
    ///
    /// # Panics
    /// If `n` is zero.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, Limited, ThreadPool};
    ///
    /// let view = Limited::new(ThreadPool::new(2), 1);
    /// assert_eq!(view.submit(|| 1).wait().unwrap(), 1);
    /// ```
    #[must_use]
    pub fn new(executor: E, n: usize) -> Self {
        assert!(n > 0, "`Limited::new`: a view needs to run at least one job at once");
        Self::with_label(executor, n, None, None)
    }

    /// Configures a view of `executor`.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{Limited, ThreadPool};
    ///
    /// let pool = ThreadPool::default();
    /// let database = Limited::builder(pool).limit(4).queue_capacity(100).name("database").build();
    /// assert_eq!(database.metrics().limit(), 4);
    /// ```
    pub fn builder(executor: E) -> LimitedBuilder<E> {
        LimitedBuilder::new(executor)
    }

    /// `publish`: whether its figures are published; as its executor's, if nothing was chosen.
    fn with_label(executor: E, limit: usize, name: Option<String>, publish: Option<bool>) -> Self {
        let kind = format!("limited({limit})");
        let label = name.or_else(|| Some(format!("{}.{kind}", executor.label()?)));
        let publishes_metrics = publish.unwrap_or_else(|| executor.publishes_metrics());
        let published = publishes_metrics.then(|| label.clone().unwrap_or(kind).into());
        let sites = Sites::new(true, published.as_ref());
        let parent = executor.queue_id();
        let view = View { executor, parent, label, publishes_metrics, accounts: Accounts::new(sites) };
        Self { handles: Arc::new(Handles { view: Queue::new(view, Runners::new(limit), parent) }) }
    }

    fn view(&self) -> &Arc<Queue<View<E>>> {
        &self.handles.view
    }

    /// Refuses a job with [`Error::QueueFull`] where `capacity` jobs wait in the view already. Default: no bound.
    ///
    /// Jobs that can begin at once do not count.
    ///
    /// # Panics
    /// If the view has been cloned or used: the capacity is a part of making it.
    ///
    /// # Examples
    /// See [`Limited`].
    #[must_use]
    pub fn queue_capacity(self, capacity: usize) -> Self {
        let view = &self.view().shared;
        let is_new = Arc::strong_count(&self.handles) == 1 && view.accounts.sites.is_empty();
        assert!(is_new, "`Limited::queue_capacity` has to be called before the view is cloned or used");
        let permits = view.accounts.set_bound(capacity, self.view().lock().limit);
        let permits = permits.expect("`Limited::queue_capacity` was called before");
        view.executor.closes(&permits);
        self
    }

    /// Submits `f` if the view has room, and gives it back otherwise. As [`ThreadPool::try_submit`](crate::ThreadPool::try_submit).
    ///
    /// The view knows its own places and whether its executor was closed. What the executor refuses later, the handle resolves to.
    ///
    /// # Cancel safety
    /// Dropping the handle cancels the job, see [`JobHandle`].
    ///
    /// # Errors
    /// [`Refused`], which holds `f` and the reason: [`Error::QueueFull`] or [`Error::ShutDown`].
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{Error, ExecutorExt, Limited, ThreadPool};
    ///
    /// let view = Limited::builder(ThreadPool::new(1)).limit(1).queue_capacity(0).build();
    /// let (end, wait) = std::sync::mpsc::channel();
    /// let first = view.submit(move || wait.recv().unwrap());
    /// let refused = view.try_submit(|| 2).unwrap_err();
    /// assert!(matches!(refused.error(), Error::QueueFull));
    /// end.send(1).unwrap();
    /// assert_eq!(first.wait()?, 1);
    /// assert_eq!(view.try_submit(refused.into_inner())?.wait()?, 2);
    /// # Ok::<(), Error>(())
    /// ```
    #[track_caller]
    pub fn try_submit<F, T>(&self, f: F) -> Result<JobHandle<T>, Refused<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let origin = Origin::of_caller();
        self.try_submit_as(origin, f, |f, context| job::pair_for(origin, f, Unjudged, context))
    }

    /// Submits the job that `pair` makes of `f`, if the view has room.
    pub(crate) fn try_submit_as<F, T>(
        &self,
        origin: Origin,
        f: F,
        pair: impl FnOnce(F, CallerContext) -> (Job, JobHandle<T>),
    ) -> Result<JobHandle<T>, Refused<F>> {
        let accounts = &self.view().shared.accounts;
        let tally = accounts.sites.tally(origin);
        tally.submitted();
        let context = CallerContext::entering(self.enters_runtime(), origin);
        if let Err(why) = accounts.enter(self.is_closed()) {
            tally.refused(&why);
            context.refuse(&why);
            return Err(Refused::new(f, why));
        }
        let (job, handle) = pair(f, context);
        self.enqueue(job, tally);
        Ok(handle)
    }

    /// Returns a view of this view that runs at most `n` of its jobs at once.
    ///
    /// # Panics
    /// If `n` is zero.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    ///
    /// let disk = ThreadPool::default().limited(8);
    /// let writes = disk.limited(1); // one of the eight at most
    /// assert_eq!(writes.submit(|| 1).wait().unwrap(), 1);
    /// ```
    #[must_use]
    pub fn limited(&self, n: usize) -> Limited<Self> {
        Limited::new(self.clone(), n)
    }

    /// Changes how many of the view's jobs may run at once.
    ///
    /// Raised, it lets waiting jobs begin at once. Lowered below the number of jobs that run, it stops none of them: they end, and no job
    /// begins until fewer run. A [`queue_capacity`](Self::queue_capacity) stays, so the jobs that the view holds change by as many. So does
    /// the name of its metrics.
    ///
    /// # Panics
    /// If `n` is zero.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::ThreadPool;
    ///
    /// let database = ThreadPool::default().limited(4);
    /// database.set_limit(2); // it has become slow
    /// assert_eq!(database.metrics().limit(), 2);
    /// ```
    pub fn set_limit(&self, n: usize) {
        assert!(n > 0, "`Limited::set_limit`: a view needs to run at least one job at once");
        let mut runners = self.view().lock();
        let before = std::mem::replace(&mut runners.limit, n);
        let freed = self.view().shared.accounts.resize(before, n);
        // More jobs may run now.
        runners.finish();
        wake(freed);
    }

    /// Returns how many jobs wait in the view. Costs a lock, and no more.
    ///
    /// # Examples
    /// See [`running`](Self::running).
    #[must_use]
    pub fn queued(&self) -> usize {
        self.view().queued()
    }

    /// Returns how many of the view's jobs run. Costs a lock, and no more.
    ///
    /// A job that has just ended may still count, until its thread has looked for the next.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    ///
    /// let view = ThreadPool::new(2).limited(1);
    /// let (started, wait) = std::sync::mpsc::channel();
    /// let (end, wait_end) = std::sync::mpsc::channel::<()>();
    /// let running = view.submit(move || {
    ///     started.send(()).unwrap();
    ///     wait_end.recv().unwrap();
    /// });
    /// wait.recv().unwrap();
    /// let waiting = view.submit(|| ());
    /// assert_eq!((view.running(), view.queued()), (1, 1));
    /// # end.send(()).unwrap();
    /// # (running.wait().unwrap(), waiting.wait().unwrap());
    /// ```
    #[must_use]
    pub fn running(&self) -> usize {
        self.view().lock().running
    }

    /// Resolves when nothing is queued in the view and none of its jobs runs. Other jobs of the executor do not count.
    ///
    /// The view accepts jobs all the while. What is submitted after that moment may run already when the caller goes on. Awaited inside a
    /// job of the view, it does not count that job. Two jobs of one view that both await it wait for each other.
    ///
    /// # Cancel safety
    /// The future may be dropped at any time, and made again.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    ///
    /// # pollster::block_on(async {
    /// let writes = ThreadPool::default().limited(1);
    /// for i in 0..10 {
    ///     writes.submit(move || println!("{i}")).detach();
    /// }
    /// writes.wait_idle().await; // before a backup, say
    /// assert_eq!(writes.metrics().completed(), 10);
    /// # });
    /// ```
    pub fn wait_idle(&self) -> impl Future<Output = ()> + Send + Sync + Unpin + use<E> {
        Idle::of(self.view())
    }

    /// Enqueues a job that has a place.
    fn enqueue(&self, job: Job, tally: &Arc<Tally>) {
        match self.view().push(job, tally.stamp()) {
            Ok(()) => {}
            // The queue is sealed when the last handle goes, and this is one.
            Err(Rejected::Cancelled(job) | Rejected::Sealed(job)) => self.cancelled(job, false, tally),
        }
    }

    /// Enqueues a job that the executor is to accept though it is full.
    fn enqueue_promised(&self, job: Job, tally: &Arc<Tally>) {
        let (is_owed, stamp) = (job.is_owed(), tally.stamp());
        let mut runners = self.view().lock();
        // In one critical section: until the job is taken, the executor accepts the runners that come for it.
        runners.promised = true;
        let pushed = Queue::push_locked(&mut runners, job, stamp);
        runners.finish();
        if let Err(job) = pushed {
            self.cancelled(job, is_owed, tally);
        }
    }

    fn cancelled(&self, job: Job, is_owed: bool, tally: &Arc<Tally>) {
        wake(self.view().shared.accounts.release(is_owed));
        tally.cancelled();
        drop(job);
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
        let (limit, peak_queued, oldest_wait) = (runners.limit, runners.peak(), runners.oldest_wait());
        runners.finish();
        let sites = &self.view().shared.accounts.sites;
        let (figures, by_site) = sites.read();
        let panics = sites.recent_panics();
        LimitedMetrics { limit, peak_queued, oldest_wait, figures, sites: by_site, panics }
    }
}

#[cfg(feature = "metrics")]
impl<E: Executor + 'static> Limited<E> {
    /// Sets the gauges of the view, with the name of the view as `pool`: `offload.pool.limit`, `.queue_capacity`, `.peak_queued` and
    /// `.oldest_wait`. Between two calls they keep their values. A view for which it is never called has none.
    ///
    /// Call it before each scrape, as [`ThreadPool::publish_gauges`](crate::ThreadPool::publish_gauges), for views that stay. Give each a
    /// [`name`](LimitedBuilder::name): of two views with one name, the gauges are those of the last call.
    ///
    /// It does nothing for a view that [does not publish](LimitedBuilder::publish_metrics).
    ///
    /// How many of its jobs wait and run is published without it, as `offload.jobs.queued` and `offload.jobs.running`.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{Limited, ThreadPool};
    ///
    /// let reports = Limited::builder(ThreadPool::new(8)).limit(2).name("reports").build();
    /// // What a route `/metrics` does:
    /// reports.publish_gauges();
    /// // ... prometheus.render()
    /// ```
    pub fn publish_gauges(&self) {
        let view = &self.view().shared;
        if let Some(label) = view.accounts.sites.label() {
            publish_view(label, view.accounts.capacity(), &self.metrics());
        }
    }
}

impl<E: Executor + 'static> Executor for Limited<E> {
    fn execute(&self, job: Job) {
        let tally = self.view().shared.accounts.sites.tally(job.origin());
        tally.submitted();
        // What is owed to a stream, or to a view of this one, is owed to this one, and to its executor.
        if job.is_owed() {
            return self.enqueue_promised(job, tally);
        }
        match self.view().shared.accounts.enter(self.is_closed()) {
            Ok(()) => self.enqueue(job, tally),
            Err(why) => {
                tally.refused(&why);
                job.refuse(why);
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
        self.view().shared.label.clone()
    }

    fn permits(&self) -> Option<Arc<Permits>> {
        self.view().shared.accounts.permits().cloned()
    }

    fn execute_permitted(&self, job: Job) {
        let tally = self.view().shared.accounts.sites.tally(job.origin());
        tally.submitted();
        self.enqueue_promised(job, tally);
    }

    fn closes(&self, permits: &Arc<Permits>) {
        self.executor().closes(permits);
    }

    fn count_items(&self, of: Origin, items: usize) {
        self.view().shared.accounts.sites.tally(of).items(items);
    }

    fn publishes_metrics(&self) -> bool {
        self.view().shared.publishes_metrics
    }

    #[inline]
    fn enters_runtime(&self) -> bool {
        self.executor().enters_runtime()
    }
}

impl<E: Executor + 'static> Clone for Limited<E> {
    fn clone(&self) -> Self {
        Self { handles: Arc::clone(&self.handles) }
    }
}

impl<E: Executor + fmt::Debug + 'static> fmt::Debug for Limited<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = self.view().lock().limit;
        f.debug_struct("Limited").field("limit", &limit).field("executor", self.executor()).finish_non_exhaustive()
    }
}
