//! Cancellation as a running job sees it: a flag to look at, an unwinding that is no panic, hooks.
//!
//! Who sets the flag and when is decided in `job/`; what is here is safe code around [`Hooks`], which belong to one job, and
//! [`Stop`], which belongs to a queue.

use std::fmt;
use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::sync::Weak;
use std::thread::ThreadId;

use crate::job::{self, contain, discard};
use crate::sync::{self, Arc, AtomicBool, Condvar, Mutex, Ordering};

/// What [`check_cancelled`] unwinds with.
pub(crate) struct CancelUnwind;

/// Whether the job that this thread runs should end: its handle was dropped or cancelled, or its pool is shut down by
/// [`shutdown_now`](crate::ThreadPool::shutdown_now).
///
/// Once `true` it stays so. `false` outside a job. Costs an atomic load or two: fit for an inner loop.
///
/// # Examples
/// ```
/// use offload_runtime::{ExecutorExt, ThreadPool, is_cancelled};
/// use std::sync::mpsc;
///
/// let (started, wait_started) = mpsc::channel();
/// let (ended, wait_ended) = mpsc::channel();
/// let handle = ThreadPool::new(1).submit(move || {
///     started.send(()).unwrap();
///     while !is_cancelled() {
///         std::thread::yield_now(); // one step of the work
///     }
///     ended.send("gave up").unwrap();
/// });
/// wait_started.recv().unwrap();
/// drop(handle); // the client has hung up
/// assert_eq!(wait_ended.recv().unwrap(), "gave up");
/// ```
#[must_use]
pub fn is_cancelled() -> bool {
    job::current(|job| job.is_cancelled()).unwrap_or(false)
}

/// Ends the job that this thread runs, if it [`is_cancelled`].
///
/// It unwinds to where the job began: destructors run, but no panic is reported and no panic hook is called. A handle that is
/// still there resolves to [`Error::Cancelled`](crate::Error::Cancelled). Does nothing outside a job.
///
/// # Panics
/// Unwinds, as said, with a payload of the crate's own. A `catch_unwind` inside the job sees it and should pass it on with
/// [`resume_unwind`]. With `panic = "abort"` the unwinding aborts the process: return early on [`is_cancelled`] instead.
///
/// # Examples
/// ```
/// use offload_runtime::{Error, ExecutorExt, ThreadPool, check_cancelled};
/// use std::sync::mpsc;
///
/// let (started, wait) = mpsc::channel();
/// let handle = ThreadPool::new(1).submit(move || {
///     started.send(()).unwrap();
///     loop {
///         check_cancelled(); // between two pieces of work
///         std::thread::yield_now();
///     }
/// });
/// wait.recv().unwrap();
/// handle.cancel();
/// assert!(matches!(pollster::block_on(handle), Err::<(), _>(Error::Cancelled)));
/// ```
pub fn check_cancelled() {
    if is_cancelled() {
        resume_unwind(Box::new(CancelUnwind));
    }
}

/// Arranges that `hook` runs when the job that this thread runs is cancelled, so that what blocks it can be interrupted.
///
/// The hook runs exactly once or, if the guard is dropped first (or leaked, and the job ends), never. It runs on the thread that cancels (which may
/// be one that runs async tasks), or at once, on this thread, if the job has been cancelled, and all hooks before it have run. It has to be quick,
/// must not block and must not wait for the job. Hooks run in the order of their registration. A panic in one is caught.
///
/// Outside a job nothing can cancel: `hook` is dropped.
///
/// # Examples
/// Closing a socket is what wakes a thread that reads from it:
/// ```
/// use offload_runtime::{ExecutorExt, ThreadPool, on_cancel};
/// use std::io::Read;
/// use std::net::{Shutdown, TcpListener, TcpStream};
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let mut stream = TcpStream::connect(listener.local_addr()?)?; // a server that never answers
/// let (started, wait_started) = std::sync::mpsc::channel();
/// let (ended, wait_ended) = std::sync::mpsc::channel();
/// let handle = ThreadPool::new(1).submit(move || {
///     let interrupt = stream.try_clone().unwrap();
///     let _guard = on_cancel(move || drop(interrupt.shutdown(Shutdown::Both)));
///     started.send(()).unwrap();
///     ended.send(stream.read(&mut [0; 16]).unwrap()).unwrap();
/// });
/// wait_started.recv().unwrap();
/// drop(handle);
/// assert_eq!(wait_ended.recv().unwrap(), 0); // `read` came back
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn on_cancel(hook: impl FnOnce() + Send + 'static) -> CancelGuard {
    let registered = job::current(|job| job.hooks());
    let armed = registered.and_then(|(hooks, cancelled)| {
        if cancelled {
            // What was registered here was cancelled before it had hooks; from now on it knows.
            hooks.run();
        }
        hooks.add(Box::new(hook)).map(|id| (hooks, id))
    });
    CancelGuard { armed, not_send: PhantomData }
}

/// Disarms the hook of [`on_cancel`] when it is dropped.
///
/// **Dropping** it takes the hook back. If the hook is running on another thread at that moment, `drop` waits until it has ended,
/// so that what the hook interrupts is not interrupted later, when the job has gone on to something else. (A hook may drop its own guard, where a job
/// cancels itself.)
///
/// # Examples
/// See [`on_cancel`].
#[must_use = "dropping the guard at once disarms the hook: bind it, `let _guard = on_cancel(...)`"]
pub struct CancelGuard {
    armed: Option<(Arc<Hooks>, u64)>,
    /// A guard belongs to the job's thread, which alone arms hooks.
    not_send: PhantomData<*const ()>,
}

impl Drop for CancelGuard {
    fn drop(&mut self) {
        if let Some((hooks, id)) = self.armed.take() {
            hooks.disarm(id);
        }
    }
}

impl fmt::Debug for CancelGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelGuard").finish_non_exhaustive()
    }
}

type Hook = Box<dyn FnOnce() + Send>;

/// The hooks of one job. Made by the job's own thread when it registers the first.
#[derive(Default)]
pub(crate) struct Hooks {
    state: Mutex<HooksState>,
    /// A hook has ended.
    ended: Condvar,
}

#[derive(Default)]
struct HooksState {
    cancelled: bool,
    next: u64,
    armed: Vec<(u64, Hook)>,
    /// The hook that runs, and where.
    running: Option<(u64, ThreadId)>,
}

impl Hooks {
    /// Arms `hook`, or runs it at once if the job is cancelled and those before it have run.
    fn add(&self, hook: Hook) -> Option<u64> {
        let mut state = sync::lock(&self.state);
        if state.cancelled && state.running.is_none() {
            drop(state);
            contain(hook);
            return None;
        }
        let id = state.next;
        state.next += 1;
        state.armed.push((id, hook));
        Some(id)
    }

    /// The job is cancelled: runs what is armed, in order, each once. A second call does nothing.
    pub(crate) fn run(&self) {
        let mut state = sync::lock(&self.state);
        if std::mem::replace(&mut state.cancelled, true) {
            return;
        }
        while !state.armed.is_empty() {
            let (id, hook) = state.armed.remove(0);
            state.running = Some((id, std::thread::current().id()));
            drop(state);
            contain(hook);
            state = sync::lock(&self.state);
            state.running = None;
            self.ended.notify_all();
        }
    }

    /// Takes the hook back, or waits until it has run.
    fn disarm(&self, id: u64) {
        let mut state = sync::lock(&self.state);
        while state.running.is_some_and(|(running, there)| running == id && there != std::thread::current().id()) {
            state = self.ended.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        let position = state.armed.iter().position(|(armed, _)| *armed == id);
        let hook = position.map(|position| state.armed.remove(position));
        drop(state);
        discard(hook);
    }

    /// The job has ended: drops hooks whose guards were leaked.
    pub(crate) fn close(&self) {
        // Nobody adds another: that takes the job's own thread, inside the job.
        let armed = std::mem::take(&mut sync::lock(&self.state).armed);
        for hook in armed {
            discard(hook);
        }
    }
}

/// Cancels every running job of one queue, once and for all.
#[derive(Default)]
pub(crate) struct Stop {
    set: AtomicBool,
    /// The hooks of jobs that are running, and of some that were.
    hooks: Mutex<Vec<Weak<Hooks>>>,
}

impl Stop {
    pub(crate) fn is_set(&self) -> bool {
        // ORDERING: Acquire pairs with the Release in `run`, as for the flag of a single job.
        self.set.load(Ordering::Acquire)
    }

    /// Registers the hooks of a job that runs. Returns whether the stop came before.
    pub(crate) fn register(&self, hooks: &Arc<Hooks>) -> bool {
        let mut registered = sync::lock(&self.hooks);
        if registered.len() == registered.capacity() {
            // Costs no more than the growing of the vector that it avoids.
            registered.retain(|hooks| hooks.strong_count() > 0);
        }
        registered.push(Arc::downgrade(hooks));
        self.is_set()
    }

    /// Sets the flag and runs the hooks.
    pub(crate) fn run(&self) {
        let mut guard = sync::lock(&self.hooks);
        // ORDERING: Release pairs with the Acquire in `is_set`. Against `register` the lock orders.
        self.set.store(true, Ordering::Release);
        let registered = std::mem::take(&mut *guard);
        drop(guard);
        for hooks in registered {
            if let Some(hooks) = hooks.upgrade() {
                hooks.run();
            }
        }
    }
}

#[cfg(all(test, not(offload_loom)))]
mod tests {
    use super::*;

    /// A pool in which jobs with hooks come and go remembers those that are there, not all that ever were.
    #[test]
    fn c07_a_stop_forgets_the_hooks_of_jobs_that_have_ended() {
        let stop = Stop::default();
        let lasting = Arc::new(Hooks::default());
        assert!(!stop.register(&lasting));
        for _ in 0..1_000 {
            assert!(!stop.register(&Arc::new(Hooks::default())));
        }
        let full = {
            let mut registered = sync::lock(&stop.hooks);
            assert!(registered.len() < 100, "{} of 1001 are remembered", registered.len());
            while registered.len() < registered.capacity() {
                registered.push(Weak::new());
            }
            registered.capacity()
        };
        assert!(!stop.register(&Arc::new(Hooks::default())));
        assert_eq!(sync::lock(&stop.hooks).capacity(), full, "it grows for those that have ended");
        stop.run();
        assert!(sync::lock(&lasting.state).cancelled, "those that are there are reached");
        assert!(stop.register(&lasting), "whoever comes later is told");
    }
}
