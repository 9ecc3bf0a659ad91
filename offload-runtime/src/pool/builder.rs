//! What can be chosen about a pool.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::queue::{Config, Pool};
use super::running::RunningJob;
use super::sleep::max_scouts;
use super::{KEEP_ALIVE, ThreadPool};

/// How many threads a pool may have if nothing is said: enough for jobs that wait, without regard to the cores.
const MAX_THREADS: usize = 64;

/// Chooses what a [`ThreadPool`] is like. Made by [`ThreadPool::builder`].
///
/// # Examples
/// See [`ThreadPool::builder`].
#[must_use = "a builder does nothing until `build`"]
#[derive(Clone)]
pub struct ThreadPoolBuilder {
    config: Config,
}

impl ThreadPoolBuilder {
    pub(super) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let max_scouts = if cfg!(offload_loom) { 2 } else { max_scouts(cores) };
        Self {
            config: Config {
                max_threads: cores.max(MAX_THREADS),
                min_threads: 0,
                max_scouts,
                keep_alive: KEEP_ALIVE,
                queue_capacity: usize::MAX,
                name: "offload".into(),
                timing: true,
                stack_size: None,
                on_thread_start: None,
                on_thread_stop: None,
                warn_after: None,
                on_slow_job: None,
            },
        }
    }

    /// How many threads there may be at once. Default: 64, or the number of cores if that is more.
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

    /// How many threads stay when there is nothing to do. Default: 0, so that an idle pool has no threads.
    ///
    /// They are started by jobs, as all threads are, not by [`build`](Self::build). At most `max_threads` are kept.
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

    /// How long a thread beyond the minimum waits for a job before it leaves. Default: 10 seconds.
    ///
    /// # Examples
    /// See [`ThreadPool::builder`].
    pub fn keep_alive(mut self, time: Duration) -> Self {
        self.config.keep_alive = time;
        self
    }

    /// How many jobs may wait. Beyond that, submitting refuses at once with [`Error::QueueFull`](crate::Error::QueueFull). Default: no
    /// bound.
    ///
    /// Jobs that run, and jobs that a thread is free to take or may be started for, do not count: a pool of `m` threads with a
    /// capacity of `n` holds `m + n` jobs.
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
        self.config.queue_capacity = n;
        self
    }

    /// What threads are called: `name-0`, `name-1`, and so on. Default: `offload`.
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

    /// Whether it is noted how long jobs wait and run. Default: yes.
    ///
    /// It takes a look at the clock when a job is queued, 30 nanoseconds of its submitter's time, and one each when it begins and when it ends. Where
    /// more than 16 jobs wait, or some come within 10 microseconds of one another, one in 16 is looked at, and counts for 16 (each, still, in
    /// how long it runs, where that is more than 10 microseconds). Without, the histograms of
    /// [`metrics`](ThreadPool::metrics) stay empty; counts are kept all the same.
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

    /// How many bytes of stack each thread has. Default: what `std::thread` gives, 2 MiB unless `RUST_MIN_STACK` says otherwise.
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

    /// Calls `f` on each thread before its first job. A panic in it is caught; the thread goes on.
    ///
    /// It may take its time, to open a connection, say: jobs go to other threads meanwhile, and where more wait than threads are in `f`, the next is
    /// started.
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
        self.config.on_thread_start = Some(Arc::new(f));
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
        self.config.on_thread_stop = Some(Arc::new(f));
        self
    }

    /// Tells of each job that has been running for longer than `time`, once, while it still runs. Default: of none.
    ///
    /// It is told as an event of `tracing` (feature `tracing`, level `WARN`, target `offload_runtime::job`) and to
    /// [`on_slow_job`](Self::on_slow_job). A thread `name-watch` sees to it, there while the pool has threads; jobs pay nothing for it.
    /// A job of which it is not known when it began ([`RunningJob::elapsed`](super::RunningJob::elapsed)) is told of later, by one `time`
    /// at most.
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
    /// let (told, wait) = mpsc::channel();
    /// let pool = ThreadPool::builder()
    ///     .warn_after(Duration::from_millis(5))
    ///     .on_slow_job(move |job| told.send(job.clone()).unwrap())
    ///     .build();
    /// let handle = pool.submit(move || wait.recv().unwrap()); // runs until it is told of
    /// let slow = pollster::block_on(handle).unwrap();
    /// assert!(slow.elapsed() >= Duration::from_millis(5));
    /// println!("{} has been running for {:?}", slow.site(), slow.elapsed());
    /// ```
    pub fn on_slow_job(mut self, f: impl Fn(&RunningJob) + Send + Sync + 'static) -> Self {
        self.config.on_slow_job = Some(Arc::new(f));
        self
    }

    /// How many threads may be on their way at once, whatever the machine.
    #[cfg(all(test, not(offload_loom)))]
    pub(super) fn max_scouts(mut self, n: usize) -> Self {
        self.config.max_scouts = n;
        self
    }

    /// Makes the pool. No thread is started yet.
    ///
    /// # Examples
    /// See [`ThreadPool::builder`].
    #[must_use]
    pub fn build(self) -> ThreadPool {
        ThreadPool::with_queue(Pool::queue(self.config))
    }
}

impl fmt::Debug for ThreadPoolBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = &self.config;
        f.debug_struct("ThreadPoolBuilder")
            .field("max_threads", &config.max_threads)
            .field("min_threads", &config.min_threads)
            .field("keep_alive", &config.keep_alive)
            .field("queue_capacity", &config.queue_capacity)
            .field("thread_name", &config.name)
            .field("timing", &config.timing)
            .field("stack_size", &config.stack_size)
            .field("warn_after", &config.warn_after)
            .finish_non_exhaustive()
    }
}
