//! Cancellation as a running job sees it: a flag to check, an unwinding that is not a panic, callbacks.

use std::fmt;
use std::marker::PhantomData;
use std::panic::resume_unwind;

use crate::hooks::Hooks;
use crate::job::{self, CancelUnwind};
use crate::sync::Arc;

/// Whether the job that this thread runs should end: its handle was dropped or cancelled, a job that awaits it was cancelled, or its pool is
/// shut down by [`shutdown_now`](crate::ThreadPool::shutdown_now).
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
/// A `std::sync::MutexGuard` that is held while it unwinds poisons its mutex, as with any unwinding. Check before locking, or return early on
/// [`is_cancelled`] where a lock is held.
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

/// Registers `hook` to run when the job that this thread runs is cancelled, so that what blocks the job can be interrupted.
///
/// The callback runs exactly once or, if the guard is dropped first (or leaked, and the job ends), never. It runs on the thread that cancels,
/// which may be one that runs async tasks. If the job is cancelled already, and all callbacks before it have run, it runs at once, on this
/// thread. It has to be quick, must not block and must not wait for the job. Callbacks run in the order of their registration. A panic in one
/// is caught.
///
/// Outside a job nothing can be cancelled: `hook` is dropped.
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
    let hooks = job::current(|job| job.hooks());
    let armed = hooks.and_then(|hooks| hooks.add(Box::new(hook)).map(|id| (hooks, id)));
    CancelGuard { armed, not_send: PhantomData }
}

/// Takes the callback of [`on_cancel`] back when it is dropped.
///
/// **Dropping** it while the callback runs on another thread waits until that has returned, so that a later step of the job is not
/// interrupted in its place. A callback may drop its own guard.
///
/// # Examples
/// See [`on_cancel`].
#[must_use = "dropping the guard at once takes the callback back: bind it, `let _guard = on_cancel(...)`"]
pub struct CancelGuard {
    armed: Option<(Arc<Hooks>, u64)>,
    /// A guard belongs to the job's thread.
    not_send: PhantomData<*const ()>,
}

impl Drop for CancelGuard {
    fn drop(&mut self) {
        if let Some((hooks, id)) = self.armed.take() {
            hooks.remove_or_wait(id);
        }
    }
}

impl fmt::Debug for CancelGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelGuard").finish_non_exhaustive()
    }
}
