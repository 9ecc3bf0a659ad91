//! [`ProcessPoolBuilder`].

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use super::config::{Config, OnDrop};
use super::{ProcessPool, start, supervisor};
use crate::error::Error;

/// Configures a [`ProcessPool`]. Made by [`ProcessPool::builder`].
///
/// # Examples
/// ```no_run
/// use offload_runtime::process::{self, ProcessPool};
/// use std::time::Duration;
///
/// fn main() -> Result<(), offload_runtime::Error> {
///     process::init();
///     let pool = ProcessPool::builder()
///         .max_workers(4)
///         .time_limit(Duration::from_secs(10))
///         .memory_limit(512 << 20)
///         .calls_per_worker(1_000)
///         .name("decoder")
///         .build()?;
///     # drop(pool);
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder makes nothing before `build`"]
pub struct ProcessPoolBuilder {
    config: Config,
    program: Option<PathBuf>,
    on_start: Option<fn()>,
}

impl ProcessPoolBuilder {
    pub(super) fn new() -> Self {
        Self { config: Config::default(), program: None, on_start: None }
    }

    /// How many workers there may be. Default: the number of cores.
    ///
    /// Workers that are starting or ending count, so there are never more processes than this.
    ///
    /// # Panics
    /// If `n` is zero.
    ///
    /// # Examples
    /// ```
    /// # use offload_runtime::process::ProcessPool;
    /// let builder = ProcessPool::builder().max_workers(4);
    /// ```
    pub fn max_workers(mut self, n: usize) -> Self {
        assert!(n > 0, "`ProcessPoolBuilder::max_workers`: a pool needs at least one worker");
        self.config.max_workers = n;
        self
    }

    /// How many workers are started at once and stay while they have nothing to do. Default: 0. At most `max_workers`.
    ///
    /// # Examples
    /// ```
    /// # use offload_runtime::process::ProcessPool;
    /// let builder = ProcessPool::builder().max_workers(4).min_workers(1);
    /// ```
    pub fn min_workers(mut self, n: usize) -> Self {
        self.config.min_workers = n;
        self
    }

    /// How long a worker beyond `min_workers` stays without a call. Default: 60 seconds.
    ///
    /// # Examples
    /// ```
    /// # use offload_runtime::process::ProcessPool;
    /// # use std::time::Duration;
    /// let builder = ProcessPool::builder().keep_alive(Duration::from_secs(60));
    /// ```
    pub fn keep_alive(mut self, time: Duration) -> Self {
        self.config.keep_alive = time;
        self
    }

    /// Refuses a call with [`Error::QueueFull`] where `n` calls wait already. Default: no bound.
    ///
    /// Calls for which a worker is idle or may be started do not count.
    ///
    /// # Examples
    /// ```
    /// # use offload_runtime::process::ProcessPool;
    /// let builder = ProcessPool::builder().queue_capacity(100);
    /// ```
    pub fn queue_capacity(mut self, n: usize) -> Self {
        self.config.queue_capacity = n;
        self
    }

    /// How long a body may run. After that its worker is killed, and the call resolves as [`Error::TimedOut`]. Default: no limit.
    ///
    /// The time counts from when the call is sent to a worker; waiting in the queue is not part of it.
    ///
    /// # Examples
    /// ```
    /// # use offload_runtime::process::ProcessPool;
    /// # use std::time::Duration;
    /// let builder = ProcessPool::builder().time_limit(Duration::from_secs(10));
    /// ```
    pub fn time_limit(mut self, time: Duration) -> Self {
        self.config.time_limit = Some(time);
        self
    }

    /// How many bytes of memory a worker may occupy. One that has more is killed, and its call resolves as [`Error::Died`]. Default: no limit.
    ///
    /// It is resident memory that counts, not what is reserved. It is looked at every 20 milliseconds while calls run. Linux only.
    ///
    /// # Examples
    /// ```
    /// # use offload_runtime::process::ProcessPool;
    /// let builder = ProcessPool::builder().memory_limit(512 << 20);
    /// ```
    pub fn memory_limit(mut self, bytes: u64) -> Self {
        self.config.memory_limit = Some(bytes);
        self
    }

    /// After how many calls a worker is replaced, for native code that leaks. Default: never.
    ///
    /// # Panics
    /// If `n` is zero.
    ///
    /// # Examples
    /// ```
    /// # use offload_runtime::process::ProcessPool;
    /// let builder = ProcessPool::builder().calls_per_worker(1_000);
    /// ```
    pub fn calls_per_worker(mut self, n: u64) -> Self {
        assert!(n > 0, "`ProcessPoolBuilder::calls_per_worker`: a worker needs at least one call");
        self.config.calls_per_worker = Some(n);
        self
    }

    /// Runs `hook` in each worker before its first call.
    ///
    /// It has to be registered by [`worker_start!`](crate::process::worker_start), as a function has no address that another process knows.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::process::{self, ProcessPool};
    ///
    /// fn load_tables() {}
    /// process::worker_start!(load_tables);
    /// let builder = ProcessPool::builder().on_worker_start(load_tables);
    /// ```
    pub fn on_worker_start(mut self, hook: fn()) -> Self {
        self.on_start = Some(hook);
        self
    }

    /// The program that workers run. Default: the program that is running, even if its file is replaced.
    ///
    /// It has to call [`process::init`](super::init) first in its `main`, and to link the crate with the functions that are called; this process
    /// need not have called `init`. Both must be built from the same sources: functions are found by their names and those of their types.
    /// This is how tests use a pool, as the harness of `cargo test` has a `main` of its own.
    ///
    /// # Examples
    /// ```
    /// # use offload_runtime::process::ProcessPool;
    /// let builder = ProcessPool::builder().program("target/debug/worker");
    /// ```
    pub fn program(mut self, path: impl Into<PathBuf>) -> Self {
        self.program = Some(path.into());
        self
    }

    /// Adds a variable to the environment of the workers, which is this process's otherwise.
    ///
    /// # Examples
    /// ```
    /// # use offload_runtime::process::ProcessPool;
    /// let builder = ProcessPool::builder().env("OMP_NUM_THREADS", "1");
    /// ```
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        let pair: (OsString, OsString) = (name.as_ref().to_owned(), value.as_ref().to_owned());
        self.config.env.push(pair);
        self
    }

    /// The working directory of the workers. Default: that of this process.
    ///
    /// # Examples
    /// ```
    /// # use offload_runtime::process::ProcessPool;
    /// let builder = ProcessPool::builder().current_dir("/");
    /// ```
    pub fn current_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.config.current_dir = Some(path.into());
        self
    }

    /// What the pool is called in its metrics. Default: `offload-process`.
    ///
    /// # Examples
    /// ```
    /// # use offload_runtime::process::ProcessPool;
    /// let builder = ProcessPool::builder().name("decoder");
    /// ```
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.config.name = name.into().into();
        self
    }

    /// Whether the figures go to the recorder of the `metrics` facade, with the feature `metrics`. Default: yes.
    ///
    /// Without it the pool calls no recorder. [`metrics`](ProcessPool::metrics) counts all the same.
    ///
    /// # Examples
    /// ```
    /// # use offload_runtime::process::ProcessPool;
    /// let builder = ProcessPool::builder().publish_metrics(false);
    /// ```
    pub fn publish_metrics(mut self, publish: bool) -> Self {
        self.config.publish_metrics = publish;
        self
    }

    /// What dropping or cancelling the handle of a running call does. Default: [`OnDrop::Kill`].
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::process::{OnDrop, ProcessPool};
    ///
    /// let builder = ProcessPool::builder().on_drop(OnDrop::Signal);
    /// ```
    pub fn on_drop(mut self, on_drop: OnDrop) -> Self {
        self.config.on_drop = on_drop;
        self
    }

    /// How long a worker has to end after it was asked to, before it is killed. Default: 5 seconds.
    ///
    /// This applies to [`OnDrop::Signal`] and to workers that retire.
    ///
    /// # Examples
    /// ```
    /// # use offload_runtime::process::ProcessPool;
    /// # use std::time::Duration;
    /// let builder = ProcessPool::builder().grace(Duration::from_secs(1));
    /// ```
    pub fn grace(mut self, time: Duration) -> Self {
        self.config.grace = time;
        self
    }

    /// How long a worker has to start. One that takes longer is killed, and the start has failed. Default: 10 seconds.
    ///
    /// # Examples
    /// ```
    /// # use offload_runtime::process::ProcessPool;
    /// # use std::time::Duration;
    /// let builder = ProcessPool::builder().start_timeout(Duration::from_secs(30));
    /// ```
    pub fn start_timeout(mut self, time: Duration) -> Self {
        self.config.start_timeout = time;
        self
    }

    /// How many bytes the encoded arguments of a call may have, and its encoded result. Default: 128 MiB.
    ///
    /// A call over the limit resolves as [`Error::Codec`].
    ///
    /// # Examples
    /// ```
    /// # use offload_runtime::process::ProcessPool;
    /// let builder = ProcessPool::builder().payload_limit(16 << 20);
    /// ```
    pub fn payload_limit(mut self, bytes: u64) -> Self {
        self.config.payload_limit = bytes;
        self
    }

    /// Makes the pool. No worker is started before the first call, unless `min_workers` says otherwise.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if [`process::init`](super::init) was not called in this process, or if this process is itself a worker; if the function of
    /// `on_worker_start` is not registered; if two remote functions have the same name; if the system cannot measure memory and there is a
    /// `memory_limit`. [`Error::Spawn`] if the pool's threads cannot be started, or the path of the program cannot be found.
    ///
    /// # Examples
    /// See [`ProcessPoolBuilder`].
    pub fn build(self) -> Result<ProcessPool, Error> {
        let Self { mut config, program, on_start } = self;
        start::guard(program.is_none())?;
        if let Some(hook) = on_start {
            let name = start::hook_name(hook).ok_or_else(|| {
                let why = "the function of `on_worker_start` is not registered: write `offload_runtime::process::worker_start!(name);`";
                Error::Unavailable(why.into())
            })?;
            config.on_start = Some(name);
        }
        if config.memory_limit.is_some() && !cfg!(target_os = "linux") {
            return Err(Error::Unavailable("`memory_limit` needs Linux".into()));
        }
        config.own_program = program.is_none();
        config.program = match program {
            None => start::own_program(),
            // A relative path is this process's, not that of the `current_dir` of its workers. A bare name is looked up in `PATH`.
            Some(path) if path.components().count() > 1 => std::path::absolute(path),
            Some(path) => Ok(path),
        }
        .map_err(Error::Spawn)?;
        config.min_workers = config.min_workers.min(config.max_workers);
        supervisor::start(config)
    }
}
