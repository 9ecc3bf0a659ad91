//! What can be chosen about a pool.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::running::RunningJob;
use super::state::{Config, Hooks, Pool, State};
use super::thread_pool::ThreadPool;
use super::worker::start_ahead;
use crate::job::Queue;
use crate::unwind::contain;

/// The default maximum of threads: enough for jobs that wait, without regard to the cores.
const MAX_THREADS: usize = 64;

/// The default keep-alive.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// Configures a [`ThreadPool`]. Made by [`ThreadPool::builder`].
///
/// # Examples
/// See [`ThreadPool::builder`].
#[must_use = "a builder does nothing until `build`"]
#[derive(Clone)]
pub struct ThreadPoolBuilder {
    config: Config,
    hooks: Hooks,
}

impl ThreadPoolBuilder {
    pub(super) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            config: Config {
                max_threads: cores.max(MAX_THREADS),
                start_threads: 0,
                min_threads: 0,
                keep_alive: KEEP_ALIVE,
                queue_capacity: None,
                name: "offload".into(),
                timing: true,
                publish_metrics: true,
                enter_runtime: true,
                stack_size: None,
                warn_after: None,
                is_stateful: false,
            },
            hooks: Hooks::default(),
        }
    }

    /// Sets how many jobs may run at once, and so how many threads there are. Default: 64, or the number of cores if that is more.
    /// [`ThreadPool::set_max_threads`] changes it later.
    ///
    /// Jobs that are awaited inside a job of the same pool may run beyond that ([nested use](ThreadPool#nested-use)).
    ///
    /// # Panics
    /// If `n` is zero.
    ///
    /// # Examples
    /// See [`ThreadPool::builder`].
    pub fn max_threads(mut self, n: usize) -> Self {
        assert!(n > 0, "`ThreadPoolBuilder::max_threads`: a pool needs at least one thread");
        self.config.max_threads = n;
        self
    }

    /// Starts `n` threads in [`build`](Self::build), ahead of the first jobs, or `max_threads` if that is less. Default: 0.
    ///
    /// The first jobs do not wait for their threads, nor for [`on_thread_start`](Self::on_thread_start). Threads that find nothing to do leave after
    /// the keep-alive, as all do: set [`min_threads`](Self::min_threads) to keep them.
    ///
    /// If the system refuses a thread, no more of them are started. The pool keeps the threads that it has, and starts more as jobs need them.
    /// [`metrics`](ThreadPool::metrics) says how many there are. A job without a thread asks the system again. If the system still refuses, the job is
    /// refused with [`Error::Spawn`](crate::Error::Spawn).
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::ThreadPool;
    ///
    /// let pool = ThreadPool::builder().max_threads(8).start_threads(2).min_threads(2).build();
    /// assert_eq!(pool.metrics().threads(), 2);
    /// ```
    pub fn start_threads(mut self, n: usize) -> Self {
        self.config.start_threads = n;
        self
    }

    /// Sets how many threads stay when there is nothing to do. Default: 0, so that an idle pool has no threads.
    ///
    /// They are started by jobs, unless [`start_threads`](Self::start_threads) starts some. At most `max_threads` are kept.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::ThreadPool;
    ///
    /// let pool = ThreadPool::builder().max_threads(8).min_threads(2).build();
    /// # drop(pool);
    /// ```
    pub fn min_threads(mut self, n: usize) -> Self {
        self.config.min_threads = n;
        self
    }

    /// Sets how long a thread beyond the minimum waits for a job before it leaves. Default: 10 seconds.
    ///
    /// # Examples
    /// See [`ThreadPool::builder`].
    pub fn keep_alive(mut self, time: Duration) -> Self {
        self.config.keep_alive = time;
        self
    }

    /// Sets how many jobs may wait. Beyond that, submitting refuses at once with [`Error::QueueFull`](crate::Error::QueueFull). Default: no
    /// bound.
    ///
    /// Jobs that run, and jobs that a thread is free to take or may be started for, do not count: a pool of `m` threads with a
    /// capacity of `n` holds `m + n` jobs. To wait for room instead, see [`ThreadPool::reserve`].
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{Error, ExecutorExt, ThreadPool};
    ///
    /// let pool = ThreadPool::builder().max_threads(1).queue_capacity(0).build();
    /// let (end, wait) = std::sync::mpsc::channel::<()>();
    /// let first = pool.submit(move || wait.recv().unwrap());
    /// let second = pool.submit(|| ());
    /// assert!(matches!(pollster::block_on(second), Err(Error::QueueFull)));
    /// end.send(()).unwrap();
    /// pollster::block_on(first).unwrap();
    /// ```
    pub fn queue_capacity(mut self, n: usize) -> Self {
        self.config.queue_capacity = Some(n);
        self
    }

    /// Sets the names of threads: `name-0`, `name-1`, and so on. Default: `offload`.
    ///
    /// Linux shows no more than 15 bytes of a thread's name.
    ///
    /// # Panics
    /// If `name` contains a zero byte.
    ///
    /// # Examples
    /// See [`ThreadPool::builder`].
    pub fn thread_name(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        assert!(!name.contains('\0'), "`ThreadPoolBuilder::thread_name`: a thread's name has no zero byte");
        self.config.name = name.into();
        self
    }

    /// Sets whether wait and run times are recorded. Default: yes.
    ///
    /// Recording reads the clock when a job is queued, begins and ends. After 64 jobs of a site in a row that ran for less than
    /// 10 microseconds, one in 16 is timed, chosen at random, and counts for 16. Without it, the histograms of [`metrics`](ThreadPool::metrics) stay empty; jobs are
    /// counted all the same.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    ///
    /// let pool = ThreadPool::builder().timing(false).build();
    /// pollster::block_on(pool.submit(|| ())).unwrap();
    /// assert_eq!((pool.metrics().completed(), pool.metrics().run().count()), (1, 0));
    /// ```
    pub fn timing(mut self, timing: bool) -> Self {
        self.config.timing = timing;
        self
    }

    /// Whether the figures go to the recorder of the `metrics` facade, with the feature `metrics`. Default: yes.
    ///
    /// Without it the pool calls no recorder. [`metrics`](ThreadPool::metrics) counts all the same, and
    /// `publish_gauges` does nothing. The pool's [`Limited`](crate::Limited) views do not publish either, unless
    /// [they are told to](crate::LimitedBuilder::publish_metrics).
    ///
    /// A crate that makes a pool of its own should decline: another crate of the program may enable the feature for pools that have nothing
    /// to do with it.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    ///
    /// let pool = ThreadPool::builder().publish_metrics(false).build();
    /// pollster::block_on(pool.submit(|| ())).unwrap();
    /// assert_eq!(pool.metrics().completed(), 1);
    /// ```
    pub fn publish_metrics(mut self, publish: bool) -> Self {
        self.config.publish_metrics = publish;
        self
    }

    /// Whether the caller's tokio runtime is current inside the jobs, with the feature `tokio`. Default: yes.
    ///
    /// Without it a job keeps no handle of the runtime and sees none: `Handle::current()` and `tokio::spawn` panic in it, and
    /// `Handle::try_current()` is an error. A body that needs a runtime captures a `Handle`. The same holds for jobs of the pool's
    /// [`Limited`](crate::Limited) views.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    /// # #[cfg(feature = "tokio")]
    /// # fn main() {
    /// use tokio::runtime::Handle;
    ///
    /// let sees_runtime = || Handle::try_current().is_ok();
    /// let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// runtime.block_on(async {
    ///     let (pool, without) = (ThreadPool::new(1), ThreadPool::builder().enter_runtime(false).build());
    ///     assert!(pool.submit(sees_runtime).await.unwrap());
    ///     assert!(!without.submit(sees_runtime).await.unwrap());
    /// });
    /// # }
    /// # #[cfg(not(feature = "tokio"))]
    /// # fn main() {}
    /// ```
    pub fn enter_runtime(mut self, enter: bool) -> Self {
        self.config.enter_runtime = enter;
        self
    }

    /// Sets the size of each thread's stack, in bytes. Default: that of `std::thread`, 2 MiB unless `RUST_MIN_STACK` is set.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::ThreadPool;
    ///
    /// let pool = ThreadPool::builder().stack_size(256 * 1024).build();
    /// # drop(pool);
    /// ```
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.config.stack_size = Some(bytes);
        self
    }

    /// Calls `f` on each thread before its first job. A panic in it is caught, and the thread keeps running.
    ///
    /// It may take its time: jobs go to other threads meanwhile, and where more jobs wait than threads are in `f`, another thread is started. It
    /// must not await a job of the same pool, which may need this very thread: that panics.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    /// use std::cell::Cell;
    ///
    /// thread_local!(static READY: Cell<bool> = const { Cell::new(false) });
    /// let pool = ThreadPool::builder().on_thread_start(|| READY.set(true)).build();
    /// assert!(pollster::block_on(pool.submit(|| READY.get())).unwrap());
    /// ```
    pub fn on_thread_start(mut self, f: impl Fn() + Send + Sync + 'static) -> Self {
        self.hooks.thread_start = Some(Arc::new(f));
        self
    }

    /// Calls `f` on each thread after its last job. A panic in it is caught.
    ///
    /// [`Shutdown`](super::Shutdown) waits for it.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    /// use std::sync::mpsc;
    ///
    /// let (stopped, wait) = mpsc::channel();
    /// let pool = ThreadPool::builder().on_thread_stop(move || stopped.send(()).unwrap()).build();
    /// pollster::block_on(pool.submit(|| ())).unwrap();
    /// drop(pool);
    /// wait.recv().unwrap();
    /// ```
    pub fn on_thread_stop(mut self, f: impl Fn() + Send + Sync + 'static) -> Self {
        self.hooks.thread_stop = Some(Arc::new(f));
        self
    }

    /// Reports each job that has been running for longer than `time`, once, while it still runs. Default: none.
    ///
    /// A report is an event of `tracing` (feature `tracing`, level `WARN`, target `offload_runtime::job`) and a call of
    /// [`on_slow_job`](Self::on_slow_job), by a thread `name-watch`, which is there while the pool has threads.
    /// A job that is not [timed](Self::timing) is reported later, by one `time` at most.
    ///
    /// # Panics
    /// If `time` is zero.
    ///
    /// # Examples
    /// See [`on_slow_job`](Self::on_slow_job).
    pub fn warn_after(mut self, time: Duration) -> Self {
        assert!(!time.is_zero(), "`ThreadPoolBuilder::warn_after`: every job runs for longer than no time");
        self.config.warn_after = Some(time);
        self
    }

    /// Calls `f` with each job that has been running for longer than [`warn_after`](Self::warn_after), which has to be set. On a thread of
    /// its own, without a lock; a panic in it is caught.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    /// use std::{sync::mpsc, time::Duration};
    ///
    /// let (report, wait) = mpsc::channel();
    /// let pool = ThreadPool::builder()
    ///     .warn_after(Duration::from_millis(5))
    ///     .on_slow_job(move |job| report.send(job.clone()).unwrap())
    ///     .build();
    /// let handle = pool.submit(move || wait.recv().unwrap()); // runs until it is reported
    /// let slow = pollster::block_on(handle).unwrap();
    /// assert!(slow.elapsed() >= Duration::from_millis(5));
    /// println!("{} has been running for {:?}", slow.site(), slow.elapsed());
    /// ```
    pub fn on_slow_job(mut self, f: impl Fn(&RunningJob) + Send + Sync + 'static) -> Self {
        self.hooks.slow_job = Some(Arc::new(f));
        self
    }

    /// The name under which metrics are published, if they are.
    pub(crate) fn label(&self) -> Option<&Arc<str>> {
        self.config.label()
    }

    /// Makes each thread own something: `install` is called before the start hook, `close` where the thread is about to leave and counts still,
    /// `remove` after the stop hook.
    ///
    /// If there is one thread, there is never a second one, not even for an awaited job: that is refused.
    pub(crate) fn owning(mut self, install: impl Fn() + Send + Sync + 'static, close: fn(), remove: fn()) -> Self {
        let (start, stop) = (self.hooks.thread_start.take(), self.hooks.thread_stop.take());
        self.hooks.thread_start = Some(Arc::new(move || {
            install();
            if let Some(start) = &start {
                start();
            }
        }));
        self.hooks.thread_retire = Some(Arc::new(close));
        self.hooks.thread_stop = Some(Arc::new(move || {
            if let Some(stop) = &stop {
                contain(|| stop());
            }
            remove();
        }));
        self.config.is_stateful = true;
        self
    }

    /// Makes the pool, and starts the threads of [`start_threads`](Self::start_threads).
    ///
    /// # Examples
    /// See [`ThreadPool::builder`].
    #[must_use]
    pub fn build(self) -> ThreadPool {
        let (max_threads, start_threads) = (self.config.max_threads, self.config.start_threads);
        let queue = Queue::new(Pool::new(self.config), State::new(max_threads, self.hooks), None);
        start_ahead(&queue, start_threads);
        ThreadPool::with_queue(queue)
    }
}

impl fmt::Debug for ThreadPoolBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = &self.config;
        f.debug_struct("ThreadPoolBuilder")
            .field("max_threads", &config.max_threads)
            .field("start_threads", &config.start_threads)
            .field("min_threads", &config.min_threads)
            .field("keep_alive", &config.keep_alive)
            .field("queue_capacity", &config.queue_capacity)
            .field("thread_name", &config.name)
            .field("timing", &config.timing)
            .field("publish_metrics", &config.publish_metrics)
            .field("enter_runtime", &config.enter_runtime)
            .field("stack_size", &config.stack_size)
            .field("warn_after", &config.warn_after)
            .finish_non_exhaustive()
    }
}
