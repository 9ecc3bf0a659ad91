//! A pool whose threads own something: [`StatefulPool`].
//!
//! It is a [`ThreadPool`] with hooks. `stateful/thread.rs` what a thread owns · `stateful/builder.rs` options · `stateful/room.rs`
//! waiting for room.
//! A job of it is a closure that looks for the state in a thread-local, so queueing, running and cancelling are those of the pool. A thread
//! drops its state before it stops to count as one of the pool's: there are never more states than threads.

mod builder;
mod room;
mod thread;

use std::error::Error as StdError;
use std::fmt;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::LazyLock;

pub use builder::StatefulPoolBuilder;

use crate::context::CallerContext;
#[cfg(doc)]
use crate::error::Error;
use crate::executor::Executor;
use crate::job::{self, Job, JobHandle, Judge, Origin, QueueId, Unjudged};
use crate::limited::Limited;
use crate::metrics::{PoolMetrics, States};
use crate::permits::Permits;
use crate::pool::{RunningJob, Shutdown, ThreadPool};
use crate::site::Site;
use crate::stream::{self, BlockingStream, Produced, Yielder};
use crate::sync::Arc;
use thread::WithState;

/// A pool whose threads each own a state of type `S`: a database connection, a GPU context, an interpreter.
///
/// A job is given `&mut S`, that of the thread it runs on. The state is opened, used and dropped on that one thread, so `S` need be neither `Send` nor
/// `Clone`. Everything else is as with a [`ThreadPool`]: order, elasticity, capacity, nested use, cancellation, shutdown.
///
/// In a `#[blocking]` method, the argument that is marked `#[state]` is the state, and callers do not pass it; see
/// [`blocking`](macro@crate::blocking#owned-state). By hand it is [`submit_with`](Self::submit_with). The pool is an [`Executor`], too: plain jobs run
/// on its threads without the state, and open none.
///
/// # The life of a state
/// * The first job that needs one on a thread **opens** it. If `open` fails or panics, that job resolves as [`Error::State`] with the cause, and the
///   next job tries again.
/// * It is **kept** for the next job on its thread, unless [`keep_if`](StatefulPoolBuilder::keep_if) says otherwise.
/// * It is **dropped** if a job panics or ends itself by [`check_cancelled`](crate::check_cancelled), as the job may have left it half changed; when its
///   thread retires after the keep-alive; and when the pool is shut down, before [`shutdown`](Self::shutdown) resolves. A panic of its
///   destructor is caught.
///
/// # One thread: an actor
/// With `max_threads(1)` there is at most one state at any moment, and one job at a time has it, in the order of submission. The old
/// state is dropped before the next one is opened.
///
/// # Nested use
/// A job may await other jobs of its pool. They run on other threads, with other states. As in a [`ThreadPool`](ThreadPool#nested-use), one thread more
/// than the maximum may run them. It opens a state of its own, so for a while there may be more states than `max_threads`.
/// A pool of one thread starts no second thread, as it would break the exclusive access: there the awaited job is refused as [`Error::Unavailable`]. Work on the
/// state directly, [`detach`](JobHandle::detach) the job, or await it outside. This holds for plain jobs, and for jobs of views, too.
///
/// # Examples
/// ```
/// use offload_runtime::StatefulPool;
/// use std::cell::Cell;
/// use std::rc::Rc;
///
/// // Four threads, each with a counter that could not cross to another.
/// let pool = StatefulPool::new(4, || Ok::<_, std::io::Error>(Rc::new(Cell::new(0))));
/// let count = pool.submit_with(|counter| {
///     counter.set(counter.get() + 1);
///     counter.get()
/// });
/// assert_eq!(pollster::block_on(count).unwrap(), 1);
/// ```
pub struct StatefulPool<S: 'static> {
    pool: ThreadPool,
    states: Arc<States>,
    state: PhantomData<fn(&mut S)>,
}

// No user code runs under a lock, and `open` and `keep_if` are called as `Fn`: a panic leaves nothing half done.
impl<S> UnwindSafe for StatefulPool<S> {}
impl<S> RefUnwindSafe for StatefulPool<S> {}

/// An executor whose jobs find a state on their thread: a [`StatefulPool`], and views of it.
///
/// Implement it for an executor of your own that passes its jobs on to one of these. A job that comes to run elsewhere resolves as
/// [`Error::State`].
///
/// # Examples
/// ```
/// use offload_runtime::{Executor, Job, StatefulExecutor, StatefulPool, blocking};
///
/// /// Prints what it passes on.
/// struct Logged(StatefulPool<String>);
///
/// impl Executor for Logged {
///     fn execute(&self, job: Job) {
///         println!("{}", job.site());
///         self.0.execute(job);
///     }
/// }
///
/// impl StatefulExecutor for Logged {
///     type State = String;
/// }
///
/// fn assert_stateful<E: StatefulExecutor<State = String>>(_: &E) {}
/// assert_stateful(&Logged(StatefulPool::new(1, || Ok::<_, std::io::Error>(String::new()))));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an executor whose threads own a state",
    label = "this has no state to lend",
    note = "a `#[state]` argument needs an `offload_runtime::StatefulPool`, or a view of one: `StatefulPool::new(4, || Connection::open(..))`"
)]
pub trait StatefulExecutor: Executor {
    /// What each thread owns.
    type State: 'static;
}

impl<S: 'static> StatefulPool<S> {
    /// Makes a pool of at most `threads` threads, which open their states by `open`, with the other defaults of
    /// [`ThreadPool::builder`].
    ///
    /// No thread is started yet, and nothing opened.
    ///
    /// # Panics
    /// If `threads` is zero.
    ///
    /// # Examples
    /// See [`StatefulPool`].
    #[must_use]
    pub fn new<F, E>(threads: usize, open: F) -> Self
    where
        F: Fn() -> Result<S, E> + Send + Sync + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        assert!(threads > 0, "`StatefulPool::new`: a pool needs at least one thread");
        Self::builder().max_threads(threads).open(open)
    }

    /// Configures a pool.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::StatefulPool;
    /// use std::fs::File;
    /// use std::time::Duration;
    ///
    /// let logs = StatefulPool::builder()
    ///     .max_threads(4)
    ///     .min_threads(1)
    ///     .keep_alive(Duration::from_secs(60))
    ///     .queue_capacity(1_000)
    ///     .thread_name("log")
    ///     .keep_if(|log: &mut File| log.metadata().is_ok_and(|of| of.len() < 1 << 20))
    ///     .open(|| File::options().append(true).open("app.log"));
    /// # drop(logs);
    /// ```
    pub fn builder() -> StatefulPoolBuilder<S> {
        StatefulPoolBuilder::new()
    }

    /// Submits `f`, which is given the state of the thread it runs on, and returns the handle that awaits it.
    ///
    /// As [`submit`](crate::ExecutorExt::submit), but for the state.
    ///
    /// # Cancel safety
    /// Dropping the handle cancels the job, see [`JobHandle`].
    ///
    /// # Errors
    /// None here: the handle resolves to [`Error::State`] if the state cannot be opened, or to a refusal.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{Error, StatefulPool};
    /// use std::fs::File;
    ///
    /// let pool = StatefulPool::new(1, || File::open("no/such/file"));
    /// let size = pool.submit_with(|file| file.metadata().map(|of| of.len()));
    /// assert!(matches!(pollster::block_on(size), Err(Error::State(_))));
    /// ```
    #[track_caller]
    #[inline]
    pub fn submit_with<F, T>(&self, f: F) -> JobHandle<T>
    where
        F: FnOnce(&mut S) -> T + Send + 'static,
        T: Send + 'static,
    {
        submit_with(self, Origin::of_caller(), Unjudged, f)
    }

    /// Returns a stream of what `f` sends, which is given the state of its thread. It runs on this pool, from the first poll on.
    ///
    /// As [`ExecutorExt::generate`](crate::ExecutorExt::generate): a slow consumer holds the thread, and with it the state.
    ///
    /// # Panics
    /// Not here. Where `f` returns `()`, polling panics if the stream is refused, unless [`refused`](BlockingStream::refused) makes an item of that.
    ///
    /// # Errors
    /// Where `f` returns a `Result<(), E>`, a refusal is the last item: `Err(E::from(error))`. So is a state that cannot be opened.
    ///
    /// # Examples
    /// ```
    /// use futures::TryStreamExt as _;
    /// use offload_runtime::{Error, StatefulPool, Yielder};
    ///
    /// let pool = StatefulPool::new(1, || Ok::<_, Error>(vec![1, 2, 3]));
    /// let numbers = pool.generate_with(|state: &mut Vec<u32>, out: &mut Yielder<u32>| {
    ///     for number in state.iter() {
    ///         out.send(*number)?;
    ///     }
    ///     Ok::<(), Error>(())
    /// });
    /// assert_eq!(pollster::block_on(numbers.try_collect::<Vec<_>>()).unwrap(), [1, 2, 3]);
    /// ```
    #[track_caller]
    pub fn generate_with<F, T, R>(&self, f: F) -> BlockingStream<R::Item>
    where
        F: FnOnce(&mut S, &mut Yielder<T>) -> R + Send + 'static,
        T: 'static,
        R: Produced<T> + 'static,
    {
        generate_with_at(self, Origin::of_caller(), f)
    }

    /// A view of this pool that runs at most `n` of its jobs at once. Its jobs have states, too, by [`Limited::submit_with`].
    ///
    /// # Panics
    /// If `n` is zero.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::StatefulPool;
    ///
    /// let pool = StatefulPool::new(4, || Ok::<_, std::io::Error>(String::from("state")));
    /// let reports = pool.limited(1); // leaves three threads to others
    /// let length = reports.submit_with(|text| text.len());
    /// assert_eq!(pollster::block_on(length).unwrap(), 5);
    /// ```
    #[must_use]
    pub fn limited(&self, n: usize) -> Limited<Self> {
        Limited::new(self.clone(), n)
    }

    /// Closes the pool: jobs submitted from now on are refused as [`Error::ShutDown`]. What is queued still runs. See [`ThreadPool::close`].
    ///
    /// # Examples
    /// See [`shutdown`](Self::shutdown).
    pub fn close(&self) {
        self.pool.close();
    }

    /// Closes the pool and returns a future that resolves when all work is done and all states are dropped. See [`ThreadPool::shutdown`].
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::StatefulPool;
    ///
    /// let pool = StatefulPool::new(2, || Ok::<_, std::io::Error>(String::new()));
    /// let handle = pool.submit_with(|text| text.push('x'));
    /// pollster::block_on(pool.shutdown());
    /// assert!(handle.is_finished());
    /// assert_eq!(pool.metrics().states_open(), 0);
    /// ```
    pub fn shutdown(&self) -> Shutdown {
        self.pool.shutdown()
    }

    /// Closes the pool, refuses what is queued, and cancels what runs. See [`ThreadPool::shutdown_now`].
    ///
    /// # Examples
    /// See [`ThreadPool::shutdown_now`].
    pub fn shutdown_now(&self) -> Shutdown {
        self.pool.shutdown_now()
    }

    /// Returns the jobs that the pool's threads run. See [`ThreadPool::running_jobs`].
    ///
    /// # Examples
    /// See [`ThreadPool::running_jobs`].
    #[must_use]
    pub fn running_jobs(&self) -> Vec<RunningJob> {
        self.pool.running_jobs()
    }

    /// Returns how many jobs wait now. See [`ThreadPool::queued`].
    ///
    /// # Examples
    /// See [`ThreadPool::queued`].
    #[must_use]
    pub fn queued(&self) -> usize {
        self.pool.queued()
    }

    /// Returns how many jobs run now. See [`ThreadPool::running`].
    ///
    /// # Examples
    /// See [`ThreadPool::queued`].
    #[must_use]
    pub fn running(&self) -> usize {
        self.pool.running()
    }

    /// Returns what the pool is doing, and has done: as [`ThreadPool::metrics`], and how many states there are.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::StatefulPool;
    ///
    /// let pool = StatefulPool::new(4, || Ok::<_, std::io::Error>(String::new()));
    /// pollster::block_on(pool.submit_with(|_| ())).unwrap();
    /// let metrics = pool.metrics();
    /// assert_eq!((metrics.states_open(), metrics.states_opened(), metrics.states_failed()), (1, 1, 0));
    /// ```
    #[must_use]
    pub fn metrics(&self) -> PoolMetrics {
        // The states first: a state is dropped by a thread that is there.
        let states = self.states.read();
        PoolMetrics { states, ..self.pool.metrics() }
    }
}

#[cfg(feature = "metrics")]
impl<S> StatefulPool<S> {
    /// Sets the gauges of the pool that no event keeps up to date. See [`ThreadPool::publish_gauges`].
    ///
    /// # Examples
    /// See [`ThreadPool::publish_gauges`].
    pub fn publish_gauges(&self) {
        self.pool.publish_gauges();
    }
}

impl<E: StatefulExecutor> Limited<E> {
    /// Submits `f`, which is given the state of the thread it runs on. See [`StatefulPool::submit_with`].
    ///
    /// # Examples
    /// See [`StatefulPool::limited`].
    #[track_caller]
    #[inline]
    pub fn submit_with<F, T>(&self, f: F) -> JobHandle<T>
    where
        F: FnOnce(&mut E::State) -> T + Send + 'static,
        T: Send + 'static,
    {
        submit_with(self, Origin::of_caller(), Unjudged, f)
    }

    /// As [`StatefulPool::generate_with`], on a thread that the view may use.
    ///
    /// # Examples
    /// See [`StatefulPool::generate_with`].
    #[track_caller]
    pub fn generate_with<F, T, R>(&self, f: F) -> BlockingStream<R::Item>
    where
        F: FnOnce(&mut E::State, &mut Yielder<T>) -> R + Send + 'static,
        T: 'static,
        R: Produced<T> + 'static,
    {
        generate_with_at(self, Origin::of_caller(), f)
    }
}

/// A stream of what `f` sends, which is given the state. Called by generated code.
pub(crate) fn generate_with_at<E, F, T, R>(executor: &E, origin: Origin, f: F) -> BlockingStream<R::Item>
where
    E: StatefulExecutor + Clone + 'static,
    F: FnOnce(&mut E::State, &mut Yielder<T>) -> R + Send + 'static,
    T: 'static,
    R: Produced<T> + 'static,
{
    stream::push_with(executor.clone(), origin, |executor, origin, job| submit_with(executor, origin, Unjudged, job), f)
}

/// Submits `f`, which is given the state, from `site`; `judge` tells which results are errors. Called by generated code.
pub(crate) fn submit_with_at<E, F, T>(executor: &E, site: &'static Site, judge: impl Judge<T>, f: F) -> JobHandle<T>
where
    E: StatefulExecutor + ?Sized,
    F: FnOnce(&mut E::State) -> T + Send + 'static,
    T: Send + 'static,
{
    submit_with(executor, Origin::of_site(site), judge, f)
}

#[inline]
fn submit_with<E, F, T>(executor: &E, origin: Origin, judge: impl Judge<T>, f: F) -> JobHandle<T>
where
    E: StatefulExecutor + ?Sized,
    F: FnOnce(&mut E::State) -> T + Send + 'static,
    T: Send + 'static,
{
    let context = CallerContext::entering(executor.enters_runtime(), origin);
    let (job, handle) = pair_with::<E::State, _, _>(origin, judge, f, context);
    executor.execute(job);
    handle
}

/// A job that calls `f` with the state of its thread, and the handle that awaits the result.
#[inline]
fn pair_with<S, F, T>(origin: Origin, judge: impl Judge<T>, f: F, context: CallerContext) -> (Job, JobHandle<T>)
where
    S: 'static,
    F: FnOnce(&mut S) -> T + Send + 'static,
    T: Send + 'static,
{
    if const { job::is_large::<F>() } {
        job::pair_of(origin, WithState::<S, _>::new(Box::new(f)), judge, context)
    } else {
        job::pair_of(origin, WithState::<S, _>::new(f), judge, context)
    }
}

impl<S> Executor for StatefulPool<S> {
    #[inline]
    fn execute(&self, job: Job) {
        self.pool.execute(job);
    }

    fn is_closed(&self) -> bool {
        self.pool.is_closed()
    }

    fn queue_id(&self) -> Option<QueueId> {
        self.pool.queue_id()
    }

    fn label(&self) -> Option<String> {
        self.pool.label()
    }

    fn permits(&self) -> Option<Arc<Permits>> {
        self.pool.permits()
    }

    fn execute_permitted(&self, job: Job) {
        self.pool.execute_permitted(job);
    }

    fn closes(&self, permits: &Arc<Permits>) {
        self.pool.closes(permits);
    }

    fn count_items(&self, of: Origin, items: usize) {
        self.pool.count_items(of, items);
    }

    fn publishes_metrics(&self) -> bool {
        self.pool.publishes_metrics()
    }

    #[inline]
    fn enters_runtime(&self) -> bool {
        self.pool.enters_runtime()
    }
}

impl<S> StatefulExecutor for StatefulPool<S> {
    type State = S;
}

impl<E: StatefulExecutor> StatefulExecutor for Limited<E> {
    type State = E::State;
}

impl<E: StatefulExecutor + ?Sized> StatefulExecutor for &E {
    type State = E::State;
}

impl<E: StatefulExecutor + ?Sized> StatefulExecutor for Arc<E> {
    type State = E::State;
}

impl<E: StatefulExecutor + ?Sized> StatefulExecutor for Box<E> {
    type State = E::State;
}

impl<E: StatefulExecutor, F: FnOnce() -> E + Send> StatefulExecutor for LazyLock<E, F> {
    type State = E::State;
}

impl<S> Clone for StatefulPool<S> {
    fn clone(&self) -> Self {
        Self { pool: self.pool.clone(), states: Arc::clone(&self.states), state: PhantomData }
    }
}

impl<S> fmt::Debug for StatefulPool<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatefulPool").field("pool", &self.pool).finish_non_exhaustive()
    }
}
