//! Child processes: a crash, a leak or a hang in a call ends a child, not this process. Feature `process`, Unix only.
//!
//! [`ProcessPool`] runs the calls of `#[blocking(remote)]` methods in processes that run this same program. [`init`], called first in `main`, is where a
//! child serves them. See the [guide](crate::guide::processes).
//!
//! # How it works
//! | File | What lives there |
//! |---|---|
//! | `start.rs`, `child.rs` | the guards and the start of a child; its side |
//! | `wire.rs` | frames and sockets |
//! | `state.rs`, `worker.rs`, `tick.rs` | what the lock guards: every step of a worker, its phases, what time does |
//! | `calls.rs` | the queue, and which call goes to which worker |
//! | `after.rs` | what a step leaves to be done without the lock |
//! | `supervisor.rs`, `helper.rs` | the two threads: one waits for all workers, one starts them |
//! | `breaker.rs`, `builder.rs`, `metrics.rs`, `shutdown.rs` | as their names say |
//!
//! A worker goes through these phases, and each step between them is one function of `state.rs` or `calls.rs`:
//! ```text
//!             process       hello          call
//!  Starting ──────────▶ Greeting ─────▶ Idle ─────▶ Busy      reply: back to Idle, or on to Retiring
//!     │ failed            │              │  ◀───────── │
//!     ▼                   │              ▼             │
//!  (breaker)              │           Retiring         │      by keep-alive, by number of calls, at the end of the pool
//!                         ▼              ▼             ▼
//!                       Dying ◀──────────┴─────────────┘      killed: time, memory, cancellation, a closed socket, an exit
//!                         │ waited for
//!                         ▼
//!                      (gone)
//! ```
//! * **One call** is with a worker at a time, and bears a number that its reply repeats: no reply can be taken for another's.
//! * **A call moves** to another worker if its worker has died before it had read all of it. No other call is given twice.
//! * **Whatever ends a worker** ends in `Dying`: its process group is killed, and its exit status is what its call is told.
//! * **Never more** than `max_workers` are in any of these phases.
//! * **Two threads** serve the pool, whatever the number of workers. A call that finds an idle worker is sent by its caller.
//! * **Two sockets** lead to a worker. Calls and replies go through one. The other one stays quiet but for cancellations, and its end tells the child that the
//!   parent is gone.

mod after;
mod breaker;
mod builder;
mod calls;
mod child;
mod config;
mod helper;
mod metrics;
mod shutdown;
mod start;
mod state;
mod supervisor;
mod tick;
mod wire;
mod worker;

use std::fmt;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

pub use crate::worker_start;
pub use builder::ProcessPoolBuilder;
pub use config::OnDrop;
pub use metrics::{ProcessMetrics, WorkerMetrics};
pub use shutdown::{Shutdown, StillRunning};
#[doc(hidden)]
pub use start::StartHook;

#[cfg(feature = "tracing")]
pub use crate::remote::{caller_level, propagate};

use crate::error::Error;
use crate::metrics::Sites;
use crate::remote::{Call, Format, RemoteExecutor};
use crate::site::Site;
use crate::sync::{self, Arc, Mutex};
use after::After;
use config::Config;
use helper::Task;
use state::State;
use supervisor::Poke;
use worker::Phase;

/// Serves calls in a child process, and returns at once in any other. To be called first in `main`.
///
/// A [`ProcessPool`] starts this same program again. In that child `init` serves calls until the parent retires the child or ends, and then ends the
/// process. It never returns there, so nothing after it runs in a child. What stands before it runs in each child.
///
/// # Panics
/// If two remote functions of this program have the same name.
///
/// # Examples
/// ```
/// offload_runtime::process::init();
/// // What follows runs in the parent alone.
/// ```
pub fn init() {
    start::init();
}

/// Registers a function for [`ProcessPoolBuilder::on_worker_start`].
///
/// # Examples
/// ```
/// fn warm_up() {}
/// offload_runtime::process::worker_start!(warm_up);
/// ```
#[macro_export]
#[doc(hidden)]
macro_rules! worker_start {
    ($hook:ident) => {
        $crate::__private::remote::inventory::submit! {
            $crate::process::StartHook { name: ::core::concat!(::core::module_path!(), "::", ::core::stringify!($hook)), hook: $hook }
        }
    };
}

/// An elastic pool of child processes for remote calls.
///
/// Workers are started while calls wait, up to a maximum, and leave after having had nothing to do for a while. Calls begin in the order of their
/// submission, each on the worker that has been idle for the shortest time.
///
/// A worker that dies fails its own call only, as [`Error::Died`], and is replaced. No call that may have begun is repeated: it may have had effects. One
/// that its worker has not read before it died, because it had just been killed, goes to another worker, three times at most. Workers end with this
/// process, also when that is killed. Their stdout and stderr are this process's; their stdin is empty.
///
/// * A **panic** of a body is resumed in the awaiting task, with its message and location as a `String`.
/// * **Dropping** the handle of a queued call takes it out of the queue. What happens to a running one is chosen by
///   [`on_drop`](ProcessPoolBuilder::on_drop). Its handle does not wait for that: cancelled, it has resolved as [`Error::Cancelled`].
/// * Workers that die **at their start**, five times in a row, are not started again for a while. It is 100 milliseconds at first, and doubles with
///   each further failure up to 30 seconds. Calls fail at once meanwhile, with the reason.
/// * **Clones** are handles to the same pool. **Dropping** the last lets the calls that are there end, then the workers leave. It never waits.
///
/// # Examples
/// ```no_run
/// use offload_runtime::process::{self, ProcessPool};
///
/// fn main() -> Result<(), offload_runtime::Error> {
///     process::init(); // first: a child serves calls here and never returns
///     let workers = ProcessPool::new(4)?;
///     println!("{}", workers.metrics());
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct ProcessPool {
    handles: Arc<Handles>,
}

/// Closes the pool when the last [`ProcessPool`] is dropped. The pool's threads have `pool` alone.
struct Handles {
    pool: Arc<Pool>,
}

impl Drop for Handles {
    fn drop(&mut self) {
        self.pool.step(|state, config, after| state.close(None, config, after));
    }
}

/// What the handles, the threads and the calls of a pool share.
struct Pool {
    config: Config,
    sites: Arc<Sites>,
    state: Mutex<State>,
    poke: Poke,
    tasks: Sender<Task>,
}

impl Pool {
    /// Takes one step under the lock, and does the rest without it.
    fn step<R>(&self, step: impl FnOnce(&mut State, &Config, &mut After) -> R) -> R {
        let mut after = After::default();
        let result = step(&mut sync::lock(&self.state), &self.config, &mut after);
        after.perform(self);
        result
    }

    fn ask_helper(&self, task: Task) {
        // The helper leaves after the supervisor, when no worker and no call is left.
        let _ = self.tasks.send(task);
    }

    fn running(&self) -> Vec<RunningCall> {
        let state = sync::lock(&self.state);
        let calls = state.workers().filter_map(|(_, worker)| match &worker.phase {
            Phase::Busy(running) => Some(RunningCall {
                site: *running.site,
                process_id: worker.process_id()?,
                elapsed: running.began.elapsed(),
                cancelled: running.call.is_none(),
            }),
            _ => None,
        });
        calls.collect()
    }
}

impl ProcessPool {
    /// Makes a pool of at most `max_workers` processes, with the other defaults of [`ProcessPool::builder`].
    ///
    /// # Panics
    /// If `max_workers` is zero.
    ///
    /// # Errors
    /// See [`ProcessPoolBuilder::build`].
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::Error;
    /// use offload_runtime::process::ProcessPool;
    ///
    /// let refused = ProcessPool::new(4); // without `process::init`
    /// assert!(matches!(refused, Err(Error::Unavailable(why)) if why.contains("process::init")));
    /// ```
    pub fn new(max_workers: usize) -> Result<Self, Error> {
        assert!(max_workers > 0, "`ProcessPool::new`: a pool needs at least one worker");
        Self::builder().max_workers(max_workers).build()
    }

    /// Configures a pool.
    ///
    /// # Examples
    /// See [`ProcessPoolBuilder`].
    pub fn builder() -> ProcessPoolBuilder {
        ProcessPoolBuilder::new()
    }

    fn of(pool: Arc<Pool>) -> Self {
        Self { handles: Arc::new(Handles { pool }) }
    }

    fn pool(&self) -> &Arc<Pool> {
        &self.handles.pool
    }

    /// Takes no more calls: those submitted from now on are refused as [`Error::ShutDown`]. What is queued still runs. Returns at once.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn f(workers: offload_runtime::process::ProcessPool) {
    /// workers.close();
    /// # }
    /// ```
    pub fn close(&self) {
        self.pool().step(|state, config, after| state.close(None, config, after));
    }

    /// Whether the pool takes no more calls.
    ///
    /// # Examples
    /// ```no_run
    /// # fn f(workers: offload_runtime::process::ProcessPool) {
    /// workers.close();
    /// assert!(workers.is_closed());
    /// # }
    /// ```
    #[must_use]
    pub fn is_closed(&self) -> bool {
        sync::lock(&self.pool().state).closed
    }

    /// Closes the pool and returns what resolves when its last worker has gone. Returns at once.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn f(workers: offload_runtime::process::ProcessPool) {
    /// workers.shutdown().await;
    /// # }
    /// ```
    pub fn shutdown(&self) -> Shutdown {
        self.close();
        Shutdown::of(self.pool())
    }

    /// As [`shutdown`](Self::shutdown), but as [`shutdown_now`](Self::shutdown_now) once `time` is over.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn f(workers: offload_runtime::process::ProcessPool) {
    /// workers.shutdown_within(std::time::Duration::from_secs(10)).await;
    /// # }
    /// ```
    pub fn shutdown_within(&self, time: Duration) -> Shutdown {
        let until = Instant::now().checked_add(time);
        self.pool().step(|state, config, after| state.close(until, config, after));
        Shutdown::of(self.pool())
    }

    /// Closes the pool, refuses what is queued as [`Error::ShutDown`], and kills all workers. Calls that run resolve as [`Error::Cancelled`]. Returns at
    /// once.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn f(workers: offload_runtime::process::ProcessPool) {
    /// workers.shutdown_now().await;
    /// # }
    /// ```
    pub fn shutdown_now(&self) -> Shutdown {
        self.pool().step(State::stop);
        Shutdown::of(self.pool())
    }

    /// What the pool is doing, and has done.
    ///
    /// # Examples
    /// ```no_run
    /// # fn f(workers: offload_runtime::process::ProcessPool) {
    /// let metrics = workers.metrics();
    /// println!("{metrics}"); // decoder: 2 of 4 workers, 1 running, 0 queued; 17 completed, 1 restarted (died)
    /// println!("{} has {} of {} workers idle", metrics.name(), metrics.idle(), metrics.max_workers());
    /// println!("at most {} workers, and {} calls waiting", metrics.peak_workers(), metrics.peak_queued());
    /// for worker in metrics.workers() {
    ///     let (process, calls) = (worker.process_id(), worker.calls());
    ///     println!("worker {} is process {process}, has had {calls} calls and has {:?} bytes", worker.index(), worker.resident_bytes());
    /// }
    /// println!("{} workers were replaced", metrics.restarted());
    /// for (reason, count) in metrics.restarts() {
    ///     println!("{count} of them: {reason}");
    /// }
    /// for site in metrics.by_site() {
    ///     println!("{}: {} calls", site.site(), site.completed());
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn metrics(&self) -> ProcessMetrics {
        let config = &self.pool().config;
        let state = sync::lock(&self.pool().state);
        let known = state.workers().filter_map(|(_, worker)| Some((worker.index, worker.process_id()?, worker.calls)));
        let known: Vec<_> = known.collect();
        let (idle, peak_workers) = (state.idle(), state.books.peak_workers);
        let peak_queued = state.books.peak_queued;
        let restarts = state.books.restarts();
        drop(state);
        let worker = |(index, process_id, calls)| WorkerMetrics {
            index,
            process_id,
            calls,
            resident: metrics::resident(process_id),
        };
        ProcessMetrics {
            name: Arc::clone(&config.name),
            max_workers: config.max_workers,
            idle,
            peak_workers,
            peak_queued,
            workers: known.into_iter().map(worker).collect(),
            restarts,
            sites: self.pool().sites.read().1,
        }
    }

    /// The calls that are with a worker at this moment.
    ///
    /// # Examples
    /// ```no_run
    /// # fn f(workers: offload_runtime::process::ProcessPool) {
    /// for call in workers.running_jobs() {
    ///     println!("{} for {:?} in process {}", call.site(), call.elapsed(), call.process_id());
    ///     if call.is_cancelled() {
    ///         println!("its caller has left");
    ///     }
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn running_jobs(&self) -> Vec<RunningCall> {
        self.pool().running()
    }
}

impl RemoteExecutor for ProcessPool {
    fn format(&self) -> Format {
        Format::Postcard
    }

    fn execute(&self, call: Call) {
        let canceller = call.canceller();
        self.pool().sites.tally(call.origin()).submitted();
        let number = self.pool().step(|state, config, after| state.submit(call, config, after));
        if let Some(number) = number {
            let pool = Arc::downgrade(self.pool());
            // If it was cancelled meanwhile, this runs at once. If it has ended, never.
            canceller.on_cancel(move || {
                if let Some(pool) = pool.upgrade() {
                    pool.step(|state, config, after| state.cancel(number, config, after));
                }
            });
        }
    }
}

impl fmt::Debug for ProcessPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (workers, queued) = {
            let state = sync::lock(&self.pool().state);
            (state.workers().count(), state.waiting())
        };
        let config = &self.pool().config;
        f.debug_struct("ProcessPool")
            .field("name", &config.name)
            .field("max_workers", &config.max_workers)
            .field("workers", &workers)
            .field("queued", &queued)
            .finish_non_exhaustive()
    }
}

/// A call that is with a worker, as [`ProcessPool::running_jobs`] saw it.
///
/// # Examples
/// See [`ProcessPool::running_jobs`].
#[derive(Clone, Debug)]
pub struct RunningCall {
    site: Site,
    process_id: u32,
    elapsed: Duration,
    cancelled: bool,
}

impl RunningCall {
    /// Where in the source the call comes from.
    ///
    /// # Examples
    /// See [`ProcessPool::running_jobs`].
    #[must_use]
    pub fn site(&self) -> Site {
        self.site
    }

    /// The process that runs it.
    ///
    /// # Examples
    /// See [`ProcessPool::running_jobs`].
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.process_id
    }

    /// For how long it has been with the worker.
    ///
    /// # Examples
    /// See [`ProcessPool::running_jobs`].
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Whether its handle was dropped or cancelled.
    ///
    /// # Examples
    /// See [`ProcessPool::running_jobs`].
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled
    }
}
