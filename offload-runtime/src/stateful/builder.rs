//! What can be chosen about a pool whose threads own something.

use std::error::Error as StdError;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use super::StatefulPool;
use super::thread::{self, KeepIf, OpenState, Opener};
use crate::context::CallerContext;
use crate::error::Error;
use crate::executor::Executor;
use crate::job::{self, Origin, Unjudged};
use crate::metrics::States;
use crate::pool::{RunningJob, ThreadPool, ThreadPoolBuilder};
use crate::site::Site;
use crate::sync::Arc;

/// Configures a [`StatefulPool`]. Made by [`StatefulPool::builder`].
///
/// The options are those of [`ThreadPoolBuilder`], and [`keep_if`](Self::keep_if).
///
/// # Examples
/// See [`StatefulPool::builder`].
#[must_use = "a builder does nothing until `open` or `open_now`"]
pub struct StatefulPoolBuilder<S: 'static> {
    pool: ThreadPoolBuilder,
    keep_if: Option<KeepIf<S>>,
}

impl<S: 'static> StatefulPoolBuilder<S> {
    pub(super) fn new() -> Self {
        Self { pool: ThreadPool::builder(), keep_if: None }
    }

    fn with(mut self, change: impl FnOnce(ThreadPoolBuilder) -> ThreadPoolBuilder) -> Self {
        self.pool = change(self.pool);
        self
    }

    /// Sets how many threads there are, and so how many states. Default: 64, or the number of cores if that is more.
    ///
    /// With one thread the pool is an [actor](StatefulPool#one-thread-an-actor). With more, one thread beyond `n` may run
    /// what a job awaits, with a state of its own ([nested use](StatefulPool#nested-use)).
    ///
    /// # Panics
    /// If `n` is zero.
    ///
    /// # Examples
    /// See [`StatefulPool::builder`].
    pub fn max_threads(self, n: usize) -> Self {
        self.with(|pool| pool.max_threads(n))
    }

    /// Starts `n` threads at once, see [`ThreadPoolBuilder::start_threads`]. Each opens its state with its first job. Default: 0.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::StatefulPool;
    ///
    /// let pool = StatefulPool::<String>::builder().start_threads(1).open(|| Ok::<_, std::io::Error>(String::new()));
    /// assert_eq!(pool.metrics().threads(), 1);
    /// ```
    pub fn start_threads(self, n: usize) -> Self {
        self.with(|pool| pool.start_threads(n))
    }

    /// Sets how many threads stay, with their states, when there is nothing to do. Default: 0. See
    /// [`ThreadPoolBuilder::min_threads`].
    ///
    /// # Examples
    /// See [`StatefulPool::builder`].
    pub fn min_threads(self, n: usize) -> Self {
        self.with(|pool| pool.min_threads(n))
    }

    /// Sets how long a thread beyond the minimum waits for a job before it drops its state and leaves. Default: 10 seconds. See
    /// [`ThreadPoolBuilder::keep_alive`].
    ///
    /// # Examples
    /// See [`StatefulPool::builder`].
    pub fn keep_alive(self, time: Duration) -> Self {
        self.with(|pool| pool.keep_alive(time))
    }

    /// Sets how many jobs may wait. Default: no bound. See [`ThreadPoolBuilder::queue_capacity`].
    ///
    /// # Examples
    /// See [`StatefulPool::builder`].
    pub fn queue_capacity(self, n: usize) -> Self {
        self.with(|pool| pool.queue_capacity(n))
    }

    /// Sets the names of threads. Default: `offload`. See [`ThreadPoolBuilder::thread_name`].
    ///
    /// # Panics
    /// If `name` contains a zero byte.
    ///
    /// # Examples
    /// See [`StatefulPool::builder`].
    pub fn thread_name(self, name: impl Into<String>) -> Self {
        self.with(|pool| pool.thread_name(name))
    }

    /// Sets whether wait and run times are recorded. Default: yes. See [`ThreadPoolBuilder::timing`].
    ///
    /// # Examples
    /// See [`ThreadPoolBuilder::timing`].
    pub fn timing(self, timing: bool) -> Self {
        self.with(|pool| pool.timing(timing))
    }

    /// Sets whether the figures go to the recorder of the `metrics` facade, those of the states included. Default: yes. See
    /// [`ThreadPoolBuilder::publish_metrics`].
    ///
    /// # Examples
    /// See [`ThreadPoolBuilder::publish_metrics`].
    pub fn publish_metrics(self, publish: bool) -> Self {
        self.with(|pool| pool.publish_metrics(publish))
    }

    /// Sets whether the caller's tokio runtime is current inside the jobs. Default: yes. See [`ThreadPoolBuilder::enter_runtime`].
    ///
    /// # Examples
    /// See [`ThreadPoolBuilder::enter_runtime`].
    pub fn enter_runtime(self, enter: bool) -> Self {
        self.with(|pool| pool.enter_runtime(enter))
    }

    /// Sets the size of each thread's stack, in bytes. See [`ThreadPoolBuilder::stack_size`].
    ///
    /// # Examples
    /// See [`ThreadPoolBuilder::stack_size`].
    pub fn stack_size(self, bytes: usize) -> Self {
        self.with(|pool| pool.stack_size(bytes))
    }

    /// Calls `f` on each thread before its first job. The state is opened later, by that job. See [`ThreadPoolBuilder::on_thread_start`].
    ///
    /// # Examples
    /// See [`ThreadPoolBuilder::on_thread_start`].
    pub fn on_thread_start(self, f: impl Fn() + Send + Sync + 'static) -> Self {
        self.with(|pool| pool.on_thread_start(f))
    }

    /// Calls `f` on each thread after its last job, when its state has been dropped. See [`ThreadPoolBuilder::on_thread_stop`].
    ///
    /// # Examples
    /// See [`ThreadPoolBuilder::on_thread_stop`].
    pub fn on_thread_stop(self, f: impl Fn() + Send + Sync + 'static) -> Self {
        self.with(|pool| pool.on_thread_stop(f))
    }

    /// Reports each job that has been running for longer than `time`. Default: none. See [`ThreadPoolBuilder::warn_after`].
    ///
    /// # Panics
    /// If `time` is zero.
    ///
    /// # Examples
    /// See [`ThreadPoolBuilder::on_slow_job`].
    pub fn warn_after(self, time: Duration) -> Self {
        self.with(|pool| pool.warn_after(time))
    }

    /// Calls `f` with each job that has been running for longer than [`warn_after`](Self::warn_after). See [`ThreadPoolBuilder::on_slow_job`].
    ///
    /// # Examples
    /// See [`ThreadPoolBuilder::on_slow_job`].
    pub fn on_slow_job(self, f: impl Fn(&RunningJob) + Send + Sync + 'static) -> Self {
        self.with(|pool| pool.on_slow_job(f))
    }

    /// Checks the state after each job that had it: `false` drops it, and the next job opens another. Default: every state is kept.
    ///
    /// It runs on the thread of the state, before the job's result is there, so it should be quick. A panic in it is caught, and drops the state.
    ///
    /// # Examples
    /// A connection is good for two jobs:
    /// ```
    /// use offload_runtime::StatefulPool;
    /// use std::convert::Infallible;
    ///
    /// let pool = StatefulPool::builder()
    ///     .max_threads(1)
    ///     .keep_if(|used: &mut u32| *used < 2)
    ///     .open(|| Ok::<_, Infallible>(0));
    /// for expected in [1, 2, 1] {
    ///     let used = pool.submit_with(|used| {
    ///         *used += 1;
    ///         *used
    ///     });
    ///     assert_eq!(pollster::block_on(used).unwrap(), expected);
    /// }
    /// assert_eq!(pool.metrics().states_opened(), 2);
    /// ```
    pub fn keep_if(mut self, f: impl Fn(&mut S) -> bool + Send + Sync + 'static) -> Self {
        self.keep_if = Some(Arc::new(f));
        self
    }

    /// Makes the pool, whose threads open their states by `f`. No thread is started yet: the first job of each thread opens its state.
    ///
    /// # Examples
    /// See [`StatefulPool::builder`].
    #[must_use]
    pub fn open<F, E>(self, f: F) -> StatefulPool<S>
    where
        F: Fn() -> Result<S, E> + Send + Sync + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let states = Arc::new(States::new(self.pool.label()));
        let open = Box::new(move || f().map_err(Into::into));
        let opener = Arc::new(Opener { open, keep_if: self.keep_if, states: Arc::clone(&states) });
        let install = move || thread::install(&opener);
        let pool = self.pool.owning(install, thread::close::<S>, thread::remove).build();
        StatefulPool { pool, states, state: PhantomData }
    }

    /// As [`open`](Self::open), and starts one thread and blocks this one until it has opened its state.
    ///
    /// For programs that should not begin to serve with a wrong path or password. In async code, call it before the runtime starts.
    ///
    /// # Errors
    /// [`Error::State`] if the state cannot be opened, [`Error::Spawn`] if no thread can be started.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{Error, StatefulPool};
    /// use std::fs::File;
    ///
    /// let Err(error) = StatefulPool::builder().max_threads(2).open_now(|| File::open("no/such/file")) else { unreachable!() };
    /// assert!(matches!(error, Error::State(_)));
    /// assert!(String::from(error).starts_with("the state of the job could not be opened: No such file"));
    /// ```
    pub fn open_now<F, E>(self, f: F) -> Result<StatefulPool<S>, Error>
    where
        F: Fn() -> Result<S, E> + Send + Sync + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        static OPEN_NOW: Site = Site::function("open_now", module_path!(), file!(), line!(), column!());
        let pool = self.open(f);
        let origin = Origin::of_site(&OPEN_NOW);
        let context = CallerContext::entering(pool.enters_runtime(), origin);
        let (job, handle) = job::pair_of(origin, OpenState::<S>(PhantomData), Unjudged, context);
        pool.execute(job);
        handle.wait()?;
        Ok(pool)
    }
}

impl<S> Clone for StatefulPoolBuilder<S> {
    fn clone(&self) -> Self {
        Self { pool: self.pool.clone(), keep_if: self.keep_if.clone() }
    }
}

impl<S> fmt::Debug for StatefulPoolBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatefulPoolBuilder").field("pool", &self.pool).finish_non_exhaustive()
    }
}
