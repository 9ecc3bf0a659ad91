//! [`ThreadPool`], the handle of a pool.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

use super::builder::ThreadPoolBuilder;
use super::inspect;
use super::running::RunningJob;
use super::shutdown::{self, Shutdown};
use super::state::Pool;
use super::submit::{submit, submit_permitted, try_submit};
use super::worker::set_max_threads;
use crate::context::CallerContext;
use crate::executor::Executor;
use crate::ext::ExecutorExt;
use crate::idle::Idle;
use crate::job::{self, Job, JobHandle, Origin, Queue, QueueId, Unjudged};
use crate::limited::Limited;
use crate::metrics::PoolMetrics;
use crate::permits::Permits;
use crate::refused::Refused;
use crate::sync::Arc;

/// An elastic pool of threads for jobs that block.
///
/// Threads are started while jobs wait, up to a maximum, and leave after having had nothing to do for a while. Jobs begin in the
/// order of their submission. Submitting takes one allocation, and a short lock where a thread has to be woken.
///
/// A `ThreadPool` is a handle: clones are cheap and share the threads. It is `Debug` and an [`Executor`].
///
/// **Dropping** the last handle closes the pool, as [`close`](Self::close) does: queued and running jobs still end, then the
/// threads leave. It never waits. To wait, or to give up what is queued, see [`shutdown`](Self::shutdown) and
/// [`shutdown_now`](Self::shutdown_now). Threads do not keep a process alive: when `main` returns, they end with it.
///
/// # Nested use
/// A job may await jobs that it submitted to its own pool, by `pollster::block_on(handle)`, tokio's `Handle::block_on` and the like. While
/// it waits, one thread beyond [`max_threads`](ThreadPoolBuilder::max_threads) may run awaited jobs, which come before all others. So a
/// pool cannot deadlock on itself, even with one thread. The poll itself returns at once, so that `join!`, `select!` and timeouts work
/// inside a job as anywhere else. This holds for jobs of [`Limited`](crate::Limited) views of the pool, too. With `n` jobs that wait for
/// each other in a chain there are up to `n` threads beyond the maximum. They park when there is no awaited job, and leave after the
/// keep-alive.
///
/// A job that waits for something *else* which needs the pool can still deadlock it. Examples: a channel that a queued job is to
/// fill; an async task that awaits a job of the pool; jobs of two executors that wait for each other's threads. An awaited job
/// that was given up (its handle dropped) keeps its thread until it ends: if it ignores the cancellation, later awaited jobs may have to
/// wait for it. Submit from the task before entering the job, or use another pool.
///
/// # Threads
/// A new thread inherits the scheduling attributes of the thread whose submission starts it, as all threads do: its CPU affinity and niceness.
/// Where that matters, set them in [`on_thread_start`](ThreadPoolBuilder::on_thread_start).
///
/// # Fork
/// A process that was made by `fork` alone has none of the threads, and a pool that had some counts on them: make the pools of such a child in
/// the child, the [default executor](crate::default_executor) included. (`std::process::Command`, which runs another program, is not
/// concerned.)
///
/// # Panics
/// A panic of a job is passed to its handle and ends neither the thread nor the pool.
///
/// # Examples
/// ```
/// use offload_runtime::{ExecutorExt, ThreadPool};
///
/// let pool = ThreadPool::new(4);
/// let handles: Vec<_> = (0..8).map(|i| pool.submit(move || i * i)).collect();
/// let squares: Vec<i32> = handles.into_iter().map(|handle| pollster::block_on(handle).unwrap()).collect();
/// assert_eq!(squares, [0, 1, 4, 9, 16, 25, 36, 49]);
/// ```
#[derive(Clone)]
pub struct ThreadPool {
    handles: Arc<Handles>,
}

// No user code runs under the pool's lock, and hooks are called as `Fn`: a panic leaves nothing half done.
impl UnwindSafe for ThreadPool {}
impl RefUnwindSafe for ThreadPool {}

/// Closes the pool when the last [`ThreadPool`] is dropped. The workers share `queue` alone.
struct Handles {
    queue: Arc<Queue<Pool>>,
}

impl Drop for Handles {
    fn drop(&mut self) {
        shutdown::close(&self.queue);
    }
}

impl ThreadPool {
    /// Makes a pool of at most `max_threads` threads, with the other defaults of [`ThreadPool::builder`].
    ///
    /// # Panics
    /// If `max_threads` is zero.
    ///
    /// # Examples
    /// See [`ThreadPool`].
    #[must_use]
    pub fn new(max_threads: usize) -> Self {
        assert!(max_threads > 0, "`ThreadPool::new`: a pool needs at least one thread");
        Self::builder().max_threads(max_threads).build()
    }

    /// Configures a pool.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::ThreadPool;
    /// use std::time::Duration;
    ///
    /// let pool = ThreadPool::builder()
    ///     .max_threads(16)
    ///     .keep_alive(Duration::from_secs(60))
    ///     .queue_capacity(1_000)
    ///     .thread_name("db")
    ///     .build();
    /// # drop(pool);
    /// ```
    pub fn builder() -> ThreadPoolBuilder {
        ThreadPoolBuilder::new()
    }

    pub(super) fn with_queue(queue: Arc<Queue<Pool>>) -> Self {
        Self { handles: Arc::new(Handles { queue }) }
    }

    pub(super) fn queue(&self) -> &Arc<Queue<Pool>> {
        &self.handles.queue
    }

    /// Closes the pool: jobs submitted from now on are refused as [`Error::ShutDown`](crate::Error::ShutDown). What is queued still
    /// runs. Returns at once; a second call does nothing.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{Error, ExecutorExt, ThreadPool};
    ///
    /// let pool = ThreadPool::new(1);
    /// let before = pool.submit(|| "runs");
    /// pool.close();
    /// let after = pool.submit(|| "never runs");
    /// assert_eq!(pollster::block_on(before).unwrap(), "runs");
    /// assert!(matches!(pollster::block_on(after), Err(Error::ShutDown)));
    /// ```
    pub fn close(&self) {
        shutdown::close(self.queue());
    }

    /// Closes the pool and returns a future that resolves when all work is done. Returns at once.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    ///
    /// let pool = ThreadPool::new(2);
    /// let handle = pool.submit(|| 1);
    /// pollster::block_on(pool.shutdown()); // or `pool.shutdown().await`
    /// assert!(handle.is_finished());
    /// ```
    pub fn shutdown(&self) -> Shutdown {
        self.close();
        Shutdown::of(Arc::clone(self.queue()))
    }

    /// Closes the pool, refuses what is queued as [`Error::ShutDown`](crate::Error::ShutDown), and cancels what runs:
    /// [`is_cancelled`](crate::is_cancelled) turns true in all jobs, and [`on_cancel`](crate::on_cancel) callbacks run, on this thread.
    /// What waits in a [`Limited`](crate::Limited) view is refused, too.
    /// Returns without waiting for any job.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{Error, ExecutorExt, ThreadPool, is_cancelled};
    ///
    /// let pool = ThreadPool::new(1);
    /// let (started, wait) = std::sync::mpsc::channel();
    /// let running = pool.submit(move || {
    ///     started.send(()).unwrap();
    ///     while !is_cancelled() {
    ///         std::thread::yield_now();
    ///     }
    ///     "ended early"
    /// });
    /// let queued = pool.submit(|| unreachable!());
    /// wait.recv().unwrap();
    /// pollster::block_on(pool.shutdown_now());
    /// assert_eq!(pollster::block_on(running).unwrap(), "ended early");
    /// assert!(matches!(pollster::block_on(queued), Err::<(), _>(Error::ShutDown)));
    /// ```
    pub fn shutdown_now(&self) -> Shutdown {
        shutdown::stop(self.queue());
        Shutdown::of(Arc::clone(self.queue()))
    }

    /// Returns the jobs that the pool's threads run, in the order in which the threads were started. Each was running at some moment
    /// during the call.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    ///
    /// let pool = ThreadPool::builder().thread_name("db").build();
    /// let (started, wait) = std::sync::mpsc::channel();
    /// let (end, wait_end) = std::sync::mpsc::channel::<()>();
    /// let handle = pool.submit(move || {
    ///     started.send(()).unwrap();
    ///     wait_end.recv().unwrap();
    /// });
    /// wait.recv().unwrap();
    /// let jobs = pool.running_jobs();
    /// assert_eq!(jobs.len(), 1);
    /// assert!(jobs[0].thread_name().starts_with("db-") && !jobs[0].is_cancelled());
    /// println!("{} has been running for {:?}", jobs[0].site(), jobs[0].elapsed());
    /// # end.send(()).unwrap();
    /// # pollster::block_on(handle).unwrap();
    /// ```
    #[must_use]
    pub fn running_jobs(&self) -> Vec<RunningJob> {
        let workers = self.queue().lock().workers.clone();
        inspect::jobs_of(&workers)
    }

    /// Submits `f` if the pool has room, and gives it back otherwise.
    ///
    /// # Cancel safety
    /// Dropping the handle cancels the job, see [`JobHandle`].
    ///
    /// # Errors
    /// [`Refused`], which holds `f` and the reason: [`Error::QueueFull`](crate::Error::QueueFull) or
    /// [`Error::ShutDown`](crate::Error::ShutDown).
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{Error, ThreadPool};
    ///
    /// let (pool, spare) = (ThreadPool::new(1), ThreadPool::new(1));
    /// pool.close();
    /// let message = String::from("moved, and not lost");
    /// let refused = pool.try_submit(move || message.len()).unwrap_err();
    /// assert!(matches!(refused.error(), Error::ShutDown));
    /// let handle = spare.try_submit(refused.into_inner())?;
    /// assert_eq!(handle.wait()?, 19);
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

    /// Submits the job that `pair` makes of `f`, or gives `f` back.
    pub(crate) fn try_submit_as<F, T>(
        &self,
        origin: Origin,
        f: F,
        pair: impl FnOnce(F, CallerContext) -> (Job, JobHandle<T>),
    ) -> Result<JobHandle<T>, Refused<F>> {
        try_submit(self.queue(), origin, f, pair)
    }

    /// Returns a view of this pool that runs at most `n` of its jobs at once, on the pool's threads. See [`Limited`].
    ///
    /// # Panics
    /// If `n` is zero.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    ///
    /// struct Service { pool: ThreadPool }
    ///
    /// let service = Service { pool: ThreadPool::default() };
    /// let database = service.pool.limited(4);
    /// assert_eq!(database.submit(|| 1).wait().unwrap(), 1);
    /// ```
    #[must_use]
    pub fn limited(&self, n: usize) -> Limited<Self> {
        ExecutorExt::limited(self, n)
    }

    /// Resolves when nothing is queued and no job runs. The jobs of the pool's [`Limited`] views count.
    ///
    /// The pool accepts jobs all the while. What is submitted after that moment may run already when the caller goes on.
    ///
    /// Awaited inside a job of the same pool, it does not count that job. Two jobs of one pool that both await it wait for each other.
    ///
    /// # Cancel safety
    /// The future may be dropped at any time, and made again.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    ///
    /// # pollster::block_on(async {
    /// let pool = ThreadPool::new(2);
    /// for i in 0..10 {
    ///     pool.submit(move || println!("{i}")).detach();
    /// }
    /// pool.wait_idle().await;
    /// assert_eq!(pool.metrics().completed(), 10);
    /// # });
    /// ```
    pub fn wait_idle(&self) -> impl Future<Output = ()> + Send + Sync + Unpin + use<> {
        Idle::of(self.queue())
    }

    /// Changes how many jobs may run at once, and so how many threads there are.
    ///
    /// Raised, it lets waiting jobs begin at once. Lowered below the number of jobs that run, it stops none of them: they end, and no job
    /// begins until fewer run. Threads that are too many leave after the keep-alive. A
    /// [`queue_capacity`](ThreadPoolBuilder::queue_capacity) stays, so the jobs that the pool holds change by as many as the threads.
    ///
    /// # Panics
    /// If `n` is zero.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    ///
    /// let pool = ThreadPool::new(2);
    /// pool.set_max_threads(8); // at night
    /// assert_eq!(pool.metrics().max_threads(), 8);
    /// # pool.submit(|| ()).wait().unwrap();
    /// ```
    pub fn set_max_threads(&self, n: usize) {
        assert!(n > 0, "`ThreadPool::set_max_threads`: a pool needs at least one thread");
        set_max_threads(self.queue(), n);
    }

    /// Returns how many jobs wait. Costs a lock, and no more: [`metrics`](Self::metrics) has all figures.
    ///
    /// For jobs that wait in a [`Limited`] view see [`Limited::queued`]; here a view counts with the turns that it waits for.
    ///
    /// # Examples
    /// See [`running`](Self::running).
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queue().queued()
    }

    /// Returns how many threads run a job. Costs a lock, and no more.
    ///
    /// A job that has just ended may still count, until its thread has looked for the next.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    ///
    /// let pool = ThreadPool::new(1);
    /// let (started, wait) = std::sync::mpsc::channel();
    /// let (end, wait_end) = std::sync::mpsc::channel::<()>();
    /// let running = pool.submit(move || {
    ///     started.send(()).unwrap();
    ///     wait_end.recv().unwrap();
    /// });
    /// wait.recv().unwrap();
    /// let waiting = pool.submit(|| ());
    /// assert_eq!((pool.running(), pool.queued()), (1, 1));
    /// # end.send(()).unwrap();
    /// # (running.wait().unwrap(), waiting.wait().unwrap());
    /// ```
    #[must_use]
    pub fn running(&self) -> usize {
        self.queue().lock().running()
    }

    /// Returns what the pool is doing, and has done: threads, counts of jobs, and how long they waited and ran; for all jobs, and for each
    /// method.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    ///
    /// let pool = ThreadPool::new(4);
    /// pollster::block_on(pool.submit(|| ())).unwrap();
    /// let metrics = pool.metrics();
    /// assert_eq!((metrics.submitted(), metrics.completed(), metrics.queued()), (1, 1, 0));
    /// println!("99% waited for less than {:?}", metrics.wait().quantile(0.99).unwrap());
    /// ```
    #[must_use]
    pub fn metrics(&self) -> PoolMetrics {
        inspect::metrics(self.queue())
    }
}

#[cfg(feature = "metrics")]
impl ThreadPool {
    /// Sets the gauges of the feature `metrics` that no event keeps up to date: `offload.pool.max_threads`, `.idle`, `.peak_threads`,
    /// `.peak_running`, `.peak_queued` and `.oldest_wait`. Between two calls they keep their values.
    ///
    /// Call it before each scrape, or where the exporter's upkeep runs.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::ThreadPool;
    ///
    /// let pool = ThreadPool::builder().thread_name("db").build();
    /// // What a route `/metrics` does:
    /// pool.publish_gauges();
    /// // ... prometheus.render()
    /// ```
    pub fn publish_gauges(&self) {
        self.queue().shared.gauges.refresh(&self.metrics());
    }
}

/// At most 64 threads, or as many as there are cores if that is more; 10 seconds of keep-alive; none kept; no bound on the queue.
impl Default for ThreadPool {
    fn default() -> Self {
        Self::builder().build()
    }
}

impl Executor for ThreadPool {
    #[inline]
    fn execute(&self, job: Job) {
        submit(self.queue(), job);
    }

    fn is_closed(&self) -> bool {
        self.queue().is_sealed()
    }

    fn queue_id(&self) -> Option<QueueId> {
        Some(Queue::id(self.queue()))
    }

    fn label(&self) -> Option<String> {
        Some(self.queue().shared.config.name.as_ref().to_owned())
    }

    fn permits(&self) -> Option<Arc<Permits>> {
        self.queue().shared.accounts.permits().cloned()
    }

    fn execute_permitted(&self, job: Job) {
        submit_permitted(self.queue(), job);
    }

    fn closes(&self, permits: &Arc<Permits>) {
        self.queue().shared.lines.add(permits);
    }

    fn count_items(&self, of: Origin, items: usize) {
        self.queue().shared.accounts.sites.tally(of).items(items);
    }

    fn publishes_metrics(&self) -> bool {
        self.queue().shared.config.publish_metrics
    }

    #[inline]
    fn enters_runtime(&self) -> bool {
        self.queue().shared.config.enter_runtime
    }
}

impl fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pool = self.queue().lock();
        let (max_threads, threads, running, closed) = (pool.max_threads, pool.threads, pool.running(), pool.closed);
        drop(pool);
        let queued = self.queue().queued();
        let config = &self.queue().shared.config;
        f.debug_struct("ThreadPool")
            .field("name", &config.name)
            .field("max_threads", &max_threads)
            .field("threads", &threads)
            .field("running", &running)
            .field("queued", &queued)
            .field("closed", &closed)
            .finish()
    }
}
