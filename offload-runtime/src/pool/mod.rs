//! The thread pool: an elastic number of threads behind one queue.
//!
//! `builder.rs` what can be chosen · `queue.rs` what the pool's lock guards, and who is let in · `sleep.rs` who is woken, who
//! sleeps, who retires · `pace.rs` how long to look for work, and how many threads are of use · `search.rs` how to look for it · `held.rs` who
//! is woken together with others · `worker.rs` a thread's life · `nested.rs` jobs that wait for jobs · `shutdown.rs` its end · `running.rs`
//! what runs · `watch.rs` who tells of jobs that run for long.
//!
//! The protocol of sleeping and waking is told in `sleep.rs`, that of the jobs in `job/mod.rs`.

mod builder;
mod held;
#[cfg(all(test, offload_loom))]
mod models;
mod nested;
mod pace;
mod queue;
mod running;
mod search;
mod shutdown;
mod sleep;
mod watch;
mod worker;

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::Duration;

pub use builder::ThreadPoolBuilder;
pub use running::RunningJob;
pub use shutdown::{Shutdown, StillRunning};

use crate::executor::Executor;
use crate::job::{Job, NewJob, Queue, QueueId};
use crate::metrics::PoolMetrics;
use crate::sync::Arc;
use queue::Pool;
pub(crate) use worker::current as current_worker;

/// An elastic pool of threads for jobs that block.
///
/// Threads are started while jobs wait, up to a maximum, and leave after having had nothing to do for a while (C8). Jobs begin in the
/// order of their submission. Submitting takes one allocation and, mostly, no lock; a short one where a thread has to be woken
/// for the job, or where the queue has a capacity (C3).
///
/// A `ThreadPool` is a handle: clones are cheap and share the threads. It is `Debug` and an [`Executor`].
///
/// **Dropping** the last handle closes the pool, as [`close`](Self::close) does: queued and running jobs still end, then the
/// threads leave. It never waits. To wait, or to give up what is queued, see [`shutdown`](Self::shutdown) and
/// [`shutdown_now`](Self::shutdown_now). Threads do not keep a process alive: when `main` returns, they end with it.
///
/// # Nested use
/// A job may block on jobs that it submitted to its own pool, by `pollster::block_on(handle)`, tokio's `Handle::block_on` and the
/// like: a job that somebody waits for in this way begins at once, on a thread that stands in for the waiting one if the pool is
/// at its maximum, so that a pool cannot deadlock on itself even with one thread (C10). This holds for jobs of a
/// [`Limited`](crate::Limited) view of the pool too (not of a view of such a view). With `n` jobs that wait for each
/// other in a chain there are up to `n` threads beyond the maximum, all but one of them waiting.
///
/// What cannot be helped is a job that waits for something *else* which needs the pool to go on: a channel that a queued job is to
/// fill, an async task elsewhere that awaits one, or jobs of two executors that wait for each other's threads or places.
///
/// # Fork
/// A process that was made by `fork` alone has none of the threads, and a pool that had some counts on them: make the pools of such a child in
/// the child. (`std::process::Command`, which runs another program, is not concerned.)
///
/// # Panics
/// A panic of a job is passed to its handle and ends neither the thread nor the pool (C4).
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

// No user code runs under the pool's lock (C6), and hooks are called as `Fn`: a panic leaves nothing half done.
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
    /// A pool of at most `max_threads` threads; otherwise as [`ThreadPool::builder`] has it.
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

    /// Chooses what a pool is like.
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

    fn with_queue(queue: Arc<Queue<Pool>>) -> Self {
        Self { handles: Arc::new(Handles { queue }) }
    }

    fn queue(&self) -> &Arc<Queue<Pool>> {
        &self.handles.queue
    }

    /// Takes no more jobs: those submitted from now on are refused as [`Error::ShutDown`](crate::Error::ShutDown). What is queued still
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

    /// Closes the pool and returns what tells when all work is done. Returns at once.
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
    /// [`is_cancelled`](crate::is_cancelled) turns true in all jobs, and [`on_cancel`](crate::on_cancel) hooks run, on this thread.
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

    /// What the pool's threads are running at this moment, in the order in which the threads were started.
    ///
    /// Threads move on while this looks: what it returns was true of each thread at some moment during the call.
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
        running::running_jobs(self.queue())
    }

    /// What the pool is doing, and has done: threads, counts of jobs, and how long they waited and ran; for all jobs, and for each method.
    ///
    /// The counts are of one moment, taken under the pool's lock for as long as it takes to copy them: some nanoseconds for each site. The
    /// times are copied after that, a few microseconds for each site.
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
        queue::metrics(self.queue())
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
        queue::accept(self.queue(), job);
    }

    #[inline]
    fn execute_new(&self, job: NewJob<'_>) {
        queue::accept_new(self.queue(), job);
    }

    fn is_closed(&self) -> bool {
        self.queue().lock().closed
    }

    fn queue_id(&self) -> Option<QueueId> {
        Some(Queue::id(self.queue()))
    }

    fn label(&self) -> Option<String> {
        Some(self.queue().shared.config.name.as_ref().to_owned())
    }
}

impl fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pool = self.queue().lock();
        let (threads, running, queued, closed) = (pool.threads, pool.running, pool.len(), pool.closed);
        drop(pool);
        let config = &self.queue().shared.config;
        f.debug_struct("ThreadPool")
            .field("name", &config.name)
            .field("max_threads", &config.max_threads)
            .field("threads", &threads)
            .field("running", &running)
            .field("queued", &queued)
            .field("closed", &closed)
            .finish()
    }
}

/// How long an idle thread stays, unless the builder is told otherwise.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
