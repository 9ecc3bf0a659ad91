//! A view of an executor that runs at most so many of its jobs at once.
//!
//! The view has a queue of its own. While jobs wait in it, up to `n` *drivers* are with the executor: jobs of the crate's own that
//! run what waits, one after the other, and hand the thread back after a time slice. A job waits here, not on a thread.
//!
//! The invariant: a queue that is not empty has a driver (running, or with the executor, or about to be given to it). A
//! driver that the executor refuses takes the queue down with it only if it was the last one.

use std::cell::Cell;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::executor::Executor;
use crate::job::{self, Begun, Ended, Job, Origin, Owner, Queue, QueueId, Registration, Taken, Work};
use crate::metrics::{Ledger, LimitedMetrics, Notes};
use crate::pool;
use crate::site::Site;
use crate::sync::{Arc, Condvar, thread};

#[cfg(all(test, not(offload_loom)))]
mod tests;

/// How long a driver keeps its thread while jobs wait in the view. Other users of the executor wait no longer than this, plus the
/// job that is running, for a thread that a view holds.
/// In a model every slice is over at once.
const SLICE: Duration = if cfg!(offload_loom) { Duration::ZERO } else { Duration::from_millis(1) };

/// A view of an executor that runs at most `n` of its jobs at once.
///
/// Made by [`ExecutorExt::limited`](crate::ExecutorExt::limited). It shares the executor's threads and takes none while its jobs wait:
/// for a resource that bears only so many users (connections of a database, a disk), beside others on the same pool.
///
/// * Its jobs begin in the order of their submission; with `n = 1` each ends before the next begins.
/// * A job occupies its place until it has really ended, cancelled or not.
/// * Its queue is unbounded unless [`queue_capacity`](Self::queue_capacity) says otherwise; a full one refuses with
///   [`Error::QueueFull`].
/// * A job that blocks on another job of the same view shares its place with it: that job begins at once. A job of the executor itself
///   that blocks on a job of the view waits for a place of the view, not for a thread of the executor (C10).
/// * It hands a thread back to the executor at least every millisecond, between two jobs.
/// * When the executor refuses to run the view at all (shut down, or full), the waiting jobs are refused for the same reason. A pool does not
///   refuse a view whose jobs it has begun to run: what waits in the view when the pool is [closed](crate::ThreadPool::close) still runs.
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
    view: Arc<Queue<View<E>>>,
}

// No user code runs under the view's lock (C6): a panic leaves nothing half done.
impl<E: Executor> UnwindSafe for Limited<E> {}
impl<E: Executor> RefUnwindSafe for Limited<E> {}

/// The part of a view that never changes.
struct View<E> {
    executor: E,
    limit: usize,
    capacity: usize,
    /// Kept only if there is a capacity.
    ended: Option<Ended>,
    /// Where jobs wait that somebody waits for.
    place: Condvar,
    /// That the view gets its threads from another queue of this crate.
    registration: Registration,
}

/// The part of a view that its queue's lock guards.
#[derive(Default)]
struct Drivers {
    /// At most `limit`.
    count: usize,
    /// Jobs that run: those of drivers, and those that run in a place of the view without one (C10). At most `limit`.
    running: usize,
    /// Jobs that somebody waits for, and that wait for a place. They come first.
    awaited: usize,
    /// Of the drivers, how many are handing their thread back.
    handing_back: usize,
    /// Of these again, how many the executor has refused: they keep their threads.
    bounced: usize,
}

impl<E: Executor + 'static> Owner for View<E> {
    type Guarded = Drivers;

    fn run_nested(_: &Arc<Queue<Self>>, job: Begun, _own: bool) {
        // A thread of a foreign executor. The place is that of the job that waits.
        let name = thread::current().name().unwrap_or("offload").to_owned();
        job::run_on_stand_in(thread::Builder::new().name(name), job, Begun::run);
    }

    fn run_in_a_place(queue: &Arc<Queue<Self>>, job: Begun, run: fn(Begun)) {
        let mut view = queue.lock();
        view.awaited += 1;
        while view.running == queue.shared.limit {
            view = view.wait(&queue.shared.place);
        }
        view.awaited -= 1;
        view.running += 1;
        drop(view);
        // What the job waits for in turn shares its place.
        job::host(queue, || run(job));
        let mut view = queue.lock();
        view.running -= 1;
        if view.awaited > 0 {
            queue.shared.place.notify_one();
            return;
        }
        // Drivers may have left on account of this job, or of one that waited with it.
        let missing = (queue.shared.limit - view.count).min(view.len());
        view.count += missing;
        drop(view);
        for _ in 0..missing {
            call_driver_from_a_job(queue, Kind::Owed);
        }
    }
}

/// Gives the executor a driver, which the caller has counted.
fn call_driver<E: Executor + 'static>(queue: &Arc<Queue<View<E>>>, kind: Kind) {
    // What the executor's own figures call the turns that its views have on its threads.
    static TURN: Site = Site::function("Limited", module_path!(), file!(), line!(), column!());
    let (view, origin) = (Arc::clone(queue), Origin::of_site(&TURN));
    queue.shared.executor.execute(match kind {
        Kind::Owed => Job::unobserved(origin, Driver::<E, true> { view, kind }),
        Kind::New | Kind::Relief => Job::unobserved(origin, Driver::<E, false> { view, kind }),
    });
}

/// As `call_driver`, on a thread that others count on: that an executor panics is no more to them than that it refuses.
fn call_driver_from_a_job<E: Executor + 'static>(queue: &Arc<Queue<View<E>>>, kind: Kind) {
    job::contain(|| call_driver(queue, kind));
}

impl<E: Executor + 'static> Limited<E> {
    pub(crate) fn new(executor: E, limit: usize) -> Self {
        assert!(limit > 0, "`ExecutorExt::limited`: a view needs to run at least one job at once");
        let (place, registration) = (Condvar::new(), Registration::default());
        Self::with(View { executor, limit, capacity: usize::MAX, ended: None, place, registration })
    }

    fn with(view: View<E>) -> Self {
        let label = match view.executor.label() {
            Some(label) => format!("{label}.limited({})", view.limit).into(),
            None => format!("limited({})", view.limit).into(),
        };
        let view = Queue::new(view, Drivers::default(), Ledger::new(true, label));
        if let Some(parent) = view.shared.executor.queue_id() {
            view.shared.registration.enter(Queue::id(&view), parent);
        }
        Self { view }
    }

    /// Refuses a job with [`Error::QueueFull`] where `capacity` jobs wait in the view already. Default: no bound.
    ///
    /// Jobs that a free place of the view takes up do not count.
    ///
    /// # Panics
    /// If the view has been cloned or used: the capacity is a part of making it.
    ///
    /// # Examples
    /// See [`Limited`].
    #[must_use]
    pub fn queue_capacity(self, capacity: usize) -> Self {
        let mut view = self.view;
        if let Some(queue) = Arc::get_mut(&mut view) {
            // Before its memory is free: a view is registered by its address, and the next one there may be anyone's.
            queue.shared.registration.leave();
        }
        let Ok(queue) = Arc::try_unwrap(view) else {
            panic!("`Limited::queue_capacity` has to be called before the view is cloned or used");
        };
        let View { executor, limit, .. } = queue.into_shared();
        let (place, registration) = (Condvar::new(), Registration::default());
        Self::with(View { executor, limit, capacity, ended: Some(Ended::new()), place, registration })
    }

    /// The executor whose threads the view uses.
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
        &self.view.shared.executor
    }

    /// What the view is doing, and has done, as [`ThreadPool::metrics`](crate::ThreadPool::metrics) tells of a pool.
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
        let mut view = self.view.lock();
        let (peak_queued, snapshot) = (view.ledger().peak_queued(), view.ledger().snapshot());
        drop(view);
        let (figures, sites) = snapshot.finish();
        LimitedMetrics { limit: self.view.shared.limit, peak_queued, figures, sites }
    }

    fn turn_away(&self, job: Job, why: Error) {
        let ticket = self.view.lock().ledger().turned_away(job.origin(), &why);
        ticket.announce();
        job.refuse(why);
    }
}

impl<E: Executor + 'static> Executor for Limited<E> {
    fn execute(&self, job: Job) {
        // What is owed to a view of this one is owed to this one.
        let owed = job.is_owed();
        if !owed && self.view.shared.executor.is_closed() {
            return self.turn_away(job, Error::ShutDown);
        }
        let now = self.view.now();
        let mut view = self.view.lock();
        let View { limit, capacity, ended, .. } = &self.view.shared;
        let free = limit - view.running + ended.as_ref().map_or(0, Ended::get);
        if !owed && view.len() >= capacity.saturating_add(free) {
            drop(view);
            return self.turn_away(job, Error::QueueFull);
        }
        let (ticket, pushed) = view.push(job, now);
        let call = pushed.is_ok() && view.count < *limit;
        view.count += usize::from(call);
        drop(view);
        // First: others count on that driver, and the ticket may call a recorder that waits for it.
        if call {
            call_driver(&self.view, if owed { Kind::Owed } else { Kind::New });
        }
        ticket.announce();
        drop(pushed);
    }

    fn is_closed(&self) -> bool {
        self.view.shared.executor.is_closed()
    }

    fn queue_id(&self) -> Option<QueueId> {
        Some(Queue::id(&self.view))
    }

    fn label(&self) -> Option<String> {
        self.view.shared.executor.label().map(|label| format!("{label}.limited({})", self.view.shared.limit))
    }
}

impl<E: Executor + 'static> Clone for Limited<E> {
    fn clone(&self) -> Self {
        Self { view: Arc::clone(&self.view) }
    }
}

impl<E: Executor + fmt::Debug + 'static> fmt::Debug for Limited<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let view = &self.view.shared;
        f.debug_struct("Limited").field("limit", &view.limit).field("executor", &view.executor).finish_non_exhaustive()
    }
}

/// A job of the crate's own, which runs the jobs of a view.
struct Driver<E: Executor + 'static, const OWED: bool> {
    view: Arc<Queue<View<E>>>,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    /// For a job that found a free place.
    New,
    /// Instead of a driver that hands its thread back.
    Relief,
    /// Instead of a driver that has left its place to a job that somebody waits for.
    Owed,
}

impl<E: Executor + 'static, const OWED: bool> Work for Driver<E, OWED> {
    type Output = ();
    const OWED: bool = OWED;

    fn run(self) {
        // An executor that runs its jobs at once has it run inside `hand_back`, and so on, one inside the other.
        let is_back_at_once = matches!(self.kind, Kind::Relief) && HANDING_BACK.get() == Some(Queue::id(&self.view));
        if is_back_at_once && bounce(&mut self.view.lock()) {
            return;
        }
        job::host(&self.view, || drive(&self.view));
    }

    fn refuse(self, why: &Error) {
        let mut view = self.view.lock();
        if matches!(self.kind, Kind::Relief) && bounce(&mut view) {
            return;
        }
        view.count -= 1;
        if view.count + view.running + view.awaited > 0 {
            // Another driver will come to what waits, or be called.
            return;
        }
        let refused = view.drain(why);
        drop(view);
        job::refuse_all(refused, why);
    }
}

// `std`'s, as it is the thread's own.
std::thread_local! {
    /// The view for which this thread is in `hand_back`.
    static HANDING_BACK: Cell<Option<QueueId>> = const { Cell::new(None) };
}

/// A driver that was to come instead of one that hands its thread back does not: that one keeps the place. `false`: none does any more.
fn bounce(drivers: &mut Drivers) -> bool {
    let bounces = drivers.handing_back > drivers.bounced;
    drivers.bounced += usize::from(bounces);
    bounces
}

/// Runs what waits, until nothing does or the slice is over.
fn drive<E: Executor + 'static>(queue: &Arc<Queue<View<E>>>) {
    let ended = queue.shared.ended.as_ref();
    // On a thread of a pool, what it is running is the job, not the view.
    let worker = pool::current_worker();
    let mut notes = Notes::new();
    let mut since = Instant::now();
    let mut view = queue.lock();
    // A job that runs, or waits for its place, without a driver calls one when it ends.
    while view.awaited == 0
        && view.running < queue.shared.limit
        && let Some(Taken { job, stamp, place }) = view.pop()
    {
        view.running += 1;
        // A view has no say in how many threads are of use.
        let _: Option<u64> = notes.meet(view.ledger(), place);
        drop(view);
        let began = notes.began(place, stamp);
        let mut note = |ran| {
            notes.ended(ran);
            if let Some(ended) = ended {
                ended.note();
            }
        };
        drop(match &worker {
            Some(worker) => worker.running.run(job, began, &mut note),
            None => job.run_noting(&mut note),
        });
        let slice_over = since.elapsed() >= SLICE;
        view = queue.lock();
        view.running -= 1;
        if let Some(ended) = ended {
            ended.come_back();
        }
        if view.awaited > 0 {
            queue.shared.place.notify_one();
        }
        if slice_over && !view.is_empty() {
            view.handing_back += 1;
            drop(view);
            if hand_back(queue) {
                return;
            }
            since = Instant::now();
            view = queue.lock();
        }
    }
    view.count -= 1;
}

/// Gives the thread back, with another driver to come later. `false`: the executor refused that one, or would have run it here; go on.
fn hand_back<E: Executor + 'static>(queue: &Arc<Queue<View<E>>>) -> bool {
    let outer = HANDING_BACK.replace(Some(Queue::id(queue)));
    call_driver_from_a_job(queue, Kind::Relief);
    HANDING_BACK.set(outer);
    let mut view = queue.lock();
    view.handing_back -= 1;
    if view.bounced == 0 {
        return true;
    }
    view.bounced -= 1;
    false
}
