//! What a user reads: the figures of a pool, of a view, of a remote executor and of a site.

use std::fmt;
use std::time::Duration;

use super::{Figures, Histogram, PanicRecord, Refusal, StateFigures};
use crate::site::Site;
use crate::sync::Arc;

/// The figures that a pool, a view and a site have alike.
macro_rules! figures {
    ($type:ident) => {
        impl $type {
            /// How many jobs were submitted, refused ones included. Like all totals, since the executor was made.
            ///
            /// At any moment it is the sum of [`queued`](Self::queued), [`running`](Self::running), [`completed`](Self::completed),
            /// [`panicked`](Self::panicked), [`cancelled`](Self::cancelled) and [`refused`](Self::refused).
            #[must_use]
            pub fn submitted(&self) -> u64 {
                self.figures.submitted
            }

            /// How many jobs wait now.
            #[must_use]
            pub fn queued(&self) -> u64 {
                self.figures.queued
            }

            /// How many jobs have begun and not ended. A job that waits for one of its own executor is one of them, as is the other.
            #[must_use]
            pub fn running(&self) -> u64 {
                self.figures.running
            }

            /// Returns how many jobs returned a value, whether or not a caller was left to take it. [`failed`](Self::failed) jobs are among them.
            #[must_use]
            pub fn completed(&self) -> u64 {
                self.figures.completed
            }

            /// Returns how many of the [`completed`](Self::completed) jobs returned an `Err`.
            ///
            /// Known of `#[blocking]` methods that return a `Result`, on executors of threads. A closure given to
            /// [`submit`](crate::ExecutorExt::submit) never counts, as its type is not known there, nor does a remote call.
            #[must_use]
            pub fn failed(&self) -> u64 {
                self.figures.failed
            }

            /// Returns how many jobs ended after their caller had left, by dropping the handle or the future. However they ended, they are among
            /// the [`completed`](Self::completed), [`panicked`](Self::panicked) or [`cancelled`](Self::cancelled) jobs as well.
            ///
            /// A detached job is not one of them, and a job that was cancelled before it began did no work that could be abandoned.
            #[must_use]
            pub fn abandoned(&self) -> u64 {
                self.figures.abandoned
            }

            /// Returns how long [`abandoned`](Self::abandoned) jobs ran in all: time of threads that no caller had a use for at the end. Empty where
            /// [`timing`](crate::ThreadPoolBuilder::timing) is off.
            #[must_use]
            pub fn abandoned_run(&self) -> &Histogram {
                &self.figures.abandoned_run
            }

            /// Returns how many items [streams](crate::BlockingStream) have handed over to their consumers. An item that was awaited is counted.
            ///
            /// They are counted where a consumer collects them: up to half of the buffer at once. An item that
            /// [`refused`](crate::BlockingStream::refused) or [`panicked`](crate::BlockingStream::panicked) makes does not count.
            ///
            /// A stream of a body that sends its items is one job. An iterator is a job for each turn that it has on a thread, with times of its own
            /// to wait and to run: so a stream of a slow consumer is many [`submitted`](Self::submitted) jobs.
            #[must_use]
            pub fn items(&self) -> u64 {
                self.figures.items
            }

            /// How many jobs panicked.
            #[must_use]
            pub fn panicked(&self) -> u64 {
                self.figures.panicked
            }

            /// How many jobs were cancelled: before they began, or ended by [`check_cancelled`](crate::check_cancelled).
            #[must_use]
            pub fn cancelled(&self) -> u64 {
                self.figures.cancelled_before_start + self.figures.cancelled_after_start
            }

            /// How many jobs were cancelled while they waited, and never ran.
            #[must_use]
            pub fn cancelled_before_start(&self) -> u64 {
                self.figures.cancelled_before_start
            }

            /// How many jobs ended themselves by [`check_cancelled`](crate::check_cancelled). One that was cancelled and
            /// returned a value all the same is among the [`completed`](Self::completed).
            #[must_use]
            pub fn cancelled_after_start(&self) -> u64 {
                self.figures.cancelled_after_start
            }

            /// How many jobs were refused, for whatever reason.
            #[must_use]
            pub fn refused(&self) -> u64 {
                self.figures.refused_in_all()
            }

            /// How many jobs were refused as [`Error::QueueFull`](crate::Error::QueueFull).
            #[must_use]
            pub fn refused_queue_full(&self) -> u64 {
                self.figures.refused[Refusal::QueueFull as usize]
            }

            /// How many jobs were refused as [`Error::ShutDown`](crate::Error::ShutDown).
            #[must_use]
            pub fn refused_shut_down(&self) -> u64 {
                self.figures.refused[Refusal::ShutDown as usize]
            }

            /// How many jobs were refused as [`Error::Spawn`](crate::Error::Spawn).
            #[must_use]
            pub fn refused_spawn(&self) -> u64 {
                self.figures.refused[Refusal::Spawn as usize]
            }

            /// How many jobs were refused as their state could not be opened: as [`Error::State`](crate::Error::State), by a
            /// [`StatefulPool`](crate::StatefulPool). They began, so their times are among [`wait`](Self::wait) and [`run`](Self::run).
            #[must_use]
            pub fn refused_state(&self) -> u64 {
                self.figures.refused[Refusal::State as usize]
            }

            /// How long jobs waited, from being queued to beginning. Empty where [`timing`](crate::ThreadPoolBuilder::timing) is off.
            ///
            /// After 64 jobs of a site in a row that ran for less than 10 microseconds, one in 16 is timed, chosen at random, and counts for 16.
            #[must_use]
            pub fn wait(&self) -> &Histogram {
                &self.figures.wait
            }

            /// How long jobs ran, however they ended. Empty where [`timing`](crate::ThreadPoolBuilder::timing) is off.
            ///
            /// After 64 jobs of a site in a row that ran for less than 10 microseconds, one in 16 is timed, chosen at random, and counts for 16.
            #[must_use]
            pub fn run(&self) -> &Histogram {
                &self.figures.run
            }
        }
    };
}

/// What a pool, a view and a remote executor have beside that. `$note`: more on the sites.
macro_rules! of_executor {
    ($type:ident $(, $note:literal)?) => {
        impl $type {
            /// The figures of each method, or line that submits, in the order in which they first came. Together they are those of the executor.
            $(#[doc = $note])?
            #[must_use]
            pub fn by_site(&self) -> &[SiteMetrics] {
                &self.sites
            }

            /// Returns the last panics of its jobs, the latest first: 32 at most.
            ///
            /// # Examples
            /// See [`PanicRecord`].
            #[must_use]
            pub fn recent_panics(&self) -> &[PanicRecord] {
                &self.panics
            }
        }
    };
}

/// What an executor with a queue has.
macro_rules! of_queue {
    ($type:ident) => {
        impl $type {
            /// Returns how long the oldest of the jobs that wait now has waited. `None` if none waits, or none of the first 64 is timed.
            ///
            /// Unlike the [`wait`](Self::wait) times, which are those of jobs that have begun, it grows while nothing moves.
            #[must_use]
            pub fn oldest_wait(&self) -> Option<Duration> {
                self.oldest_wait
            }
        }
    };
}

/// What a [`ThreadPool`](crate::ThreadPool) is doing, and has done. Made by [`ThreadPool::metrics`](crate::ThreadPool::metrics).
///
/// The counts add up (see [`submitted`](Self::submitted)), and a job that was awaited is in them. Jobs that begin or end during the call may
/// be counted as of before or after. Its `Display` is a line for a log.
///
/// # Examples
/// ```
/// use offload_runtime::{ExecutorExt, ThreadPool};
///
/// let pool = ThreadPool::builder().max_threads(2).thread_name("db").build();
/// for _ in 0..3 {
///     pollster::block_on(pool.submit(|| ())).unwrap();
/// }
/// let metrics = pool.metrics();
/// assert_eq!((metrics.submitted(), metrics.completed(), metrics.queued()), (3, 3, 0));
/// assert!(metrics.threads() <= 2);
/// println!("{metrics}"); // db: 1 of 2 threads, 0 running, 0 queued; 3 completed, ...
/// ```
/// What an operator asks first: how full, how late, how many failed.
/// ```
/// use offload_runtime::{Error, ExecutorExt, ThreadPool, blocking, check_cancelled};
///
/// #[derive(Clone)]
/// struct Users { executor: ThreadPool }
///
/// impl Users {
///     #[blocking]
///     fn find(&self, id: u32) -> Result<u32, Error> {
///         if id == 0 { Err(Error::Cancelled) } else { Ok(id) }
///     }
/// }
///
/// let users = Users { executor: ThreadPool::builder().max_threads(1).queue_capacity(0).build() };
/// pollster::block_on(users.find(0)).unwrap_err();
/// let (started, wait) = std::sync::mpsc::channel();
/// let endless = users.executor.submit(move || {
///     started.send(()).unwrap();
///     loop { check_cancelled() }
/// });
/// wait.recv().unwrap();
/// pollster::block_on(users.find(1)).unwrap_err(); // the queue is full
///
/// let metrics = users.executor.metrics();
/// assert_eq!((metrics.running(), metrics.peak_running(), metrics.threads(), metrics.peak_threads()), (1, 1, 1, 1));
/// assert_eq!((metrics.queued(), metrics.peak_queued() <= 1, metrics.queue_capacity()), (0, true, Some(0)));
/// assert_eq!(metrics.oldest_wait(), None); // nothing waits
/// assert_eq!((metrics.completed(), metrics.failed(), metrics.panicked()), (1, 1, 0));
/// assert_eq!((metrics.refused(), metrics.refused_queue_full()), (1, 1));
/// assert_eq!(metrics.refused_shut_down() + metrics.refused_spawn() + metrics.refused_state(), 0);
///
/// drop(endless); // its caller leaves
/// pollster::block_on(users.executor.shutdown());
/// let metrics = users.executor.metrics();
/// assert_eq!((metrics.cancelled(), metrics.cancelled_before_start(), metrics.cancelled_after_start()), (1, 0, 1));
/// assert_eq!((metrics.abandoned(), metrics.abandoned_run().count()), (1, 1));
/// assert_eq!((metrics.wait().count(), metrics.run().count()), (2, 2));
/// ```
#[derive(Clone, Debug)]
pub struct PoolMetrics {
    pub(crate) name: Arc<str>,
    pub(crate) max_threads: usize,
    pub(crate) queue_capacity: Option<usize>,
    pub(crate) threads: usize,
    pub(crate) idle: usize,
    pub(crate) peak_threads: usize,
    pub(crate) peak_running: usize,
    pub(crate) peak_queued: usize,
    pub(crate) oldest_wait: Option<Duration>,
    pub(crate) states: StateFigures,
    pub(crate) figures: Figures,
    pub(crate) sites: Vec<SiteMetrics>,
    pub(crate) panics: Vec<PanicRecord>,
}

figures!(PoolMetrics);
of_executor!(
    PoolMetrics,
    "\n\nThe jobs of a [`Limited`](crate::Limited) view are in the [view's figures](crate::Limited::metrics); here, its turns on a thread are \
     jobs of a site `Limited`."
);
of_queue!(PoolMetrics);

impl PoolMetrics {
    /// What the pool's threads are called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many threads there may be.
    #[must_use]
    pub fn max_threads(&self) -> usize {
        self.max_threads
    }

    /// How many jobs may wait, if that is bounded.
    #[must_use]
    pub fn queue_capacity(&self) -> Option<usize> {
        self.queue_capacity
    }

    /// How many threads there are, or are being started.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// How many of them have no job.
    #[must_use]
    pub fn idle(&self) -> usize {
        self.idle
    }

    /// The most threads there were at once.
    #[must_use]
    pub fn peak_threads(&self) -> usize {
        self.peak_threads
    }

    /// The most threads that ran jobs at once.
    #[must_use]
    pub fn peak_running(&self) -> usize {
        self.peak_running
    }

    /// The most jobs that waited at once, as seen by the threads that took them. A job that finds an idle thread waits until that has come.
    #[must_use]
    pub fn peak_queued(&self) -> usize {
        self.peak_queued
    }

    /// How many states there are now. Like all figures of states, 0 if the pool is not a [`StatefulPool`](crate::StatefulPool).
    #[must_use]
    pub fn states_open(&self) -> u64 {
        self.states.opened - self.states.dropped
    }

    /// How many states were opened, in all.
    #[must_use]
    pub fn states_opened(&self) -> u64 {
        self.states.opened
    }

    /// How often a state could not be opened.
    #[must_use]
    pub fn states_failed(&self) -> u64 {
        self.states.failed
    }
}

impl fmt::Display for PoolMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} of {} threads, ", self.name, self.threads, self.max_threads)?;
        if self.states.opened + self.states.failed > 0 {
            write!(
                f,
                "{} states open, {} opened, {} failed, ",
                self.states_open(),
                self.states.opened,
                self.states.failed
            )?;
        }
        self.figures.fmt(f)
    }
}

/// What a [`Limited`](crate::Limited) view is doing, and has done. Made by [`Limited::metrics`](crate::Limited::metrics).
///
/// The counts add up, as in [`PoolMetrics`]. Its `Display` is a line for a log.
///
/// # Examples
/// See [`Limited::metrics`](crate::Limited::metrics).
#[derive(Clone, Debug)]
pub struct LimitedMetrics {
    pub(crate) limit: usize,
    pub(crate) peak_queued: usize,
    pub(crate) oldest_wait: Option<Duration>,
    pub(crate) figures: Figures,
    pub(crate) sites: Vec<SiteMetrics>,
    pub(crate) panics: Vec<PanicRecord>,
}

figures!(LimitedMetrics);
of_executor!(LimitedMetrics);
of_queue!(LimitedMetrics);

impl LimitedMetrics {
    /// How many of the view's jobs may run at once.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// The most jobs that waited at once.
    #[must_use]
    pub fn peak_queued(&self) -> usize {
        self.peak_queued
    }
}

impl fmt::Display for LimitedMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at once, ", self.limit)?;
        self.figures.fmt(f)
    }
}

/// What the calls of a remote executor are doing, and have done. Made by [`Meter::metrics`](crate::remote::Meter::metrics).
///
/// The counts add up (see [`submitted`](Self::submitted)), and a call that was awaited is in them. A call that failed with its worker counts as
/// panicked. When a call begins, the executor says. Its `Display` is a line for a log.
///
/// # Examples
/// See [`Meter`](crate::remote::Meter).
#[cfg(feature = "remote")]
#[derive(Clone, Debug)]
pub struct RemoteMetrics {
    pub(crate) name: Arc<str>,
    pub(crate) figures: Figures,
    pub(crate) sites: Vec<SiteMetrics>,
    pub(crate) panics: Vec<PanicRecord>,
}

#[cfg(feature = "remote")]
figures!(RemoteMetrics);
#[cfg(feature = "remote")]
of_executor!(RemoteMetrics);

#[cfg(feature = "remote")]
impl RemoteMetrics {
    /// The name that the meter was given: the label `pool` of what is published.
    ///
    /// # Examples
    /// See [`Meter`](crate::remote::Meter).
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

#[cfg(feature = "remote")]
impl fmt::Display for RemoteMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name)?;
        self.figures.fmt(f)
    }
}

/// The figures of one site: of one method, or of one line that submits.
///
/// # Examples
/// ```
/// use offload_runtime::{ThreadPool, blocking};
///
/// #[derive(Clone)]
/// struct Users { executor: ThreadPool }
///
/// impl Users {
///     #[blocking]
///     fn find(&self, id: u32) -> u32 { id }
/// }
///
/// let users = Users { executor: ThreadPool::new(1) };
/// pollster::block_on(users.find(7));
/// for site in users.executor.metrics().by_site() {
///     println!("{site}"); // Users::find: 0 running, 0 queued; 1 completed, ...
///     assert_eq!((site.site().name(), site.completed()), (Some("find"), 1));
/// }
/// ```
#[derive(Clone, Debug)]
pub struct SiteMetrics {
    pub(super) site: Site,
    pub(super) figures: Figures,
}

figures!(SiteMetrics);

impl SiteMetrics {
    /// Where the jobs come from.
    #[must_use]
    pub fn site(&self) -> Site {
        self.site
    }
}

impl fmt::Display for SiteMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.site)?;
        self.figures.fmt(f)
    }
}
