//! The pool's end: closed, drained or stopped, and waited for without joining a thread.
//!
//! Closing seals the queue under its lock: a job is in it before, and will run, or is refused. Threads leave by themselves once the
//! sealed queue is empty; the last one wakes all waiters. A thread of the pool that waits does not count itself, so that a job may shut its own
//! pool down.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::current::current;
use super::inspect;
use super::running::RunningJob;
use super::state::{Hooks, Pool, State};
use crate::error::Error;
use crate::job::{Guard, Queue};
use crate::sync::Arc;
use crate::unwind::discard;
use crate::wait::{block_on, wake};

/// Seals the queue and wakes idle threads, so that they leave.
pub(super) fn close(queue: &Arc<Queue<Pool>>) {
    end(queue, |_| {});
}

/// Closes, refuses what is queued, cancels what runs.
pub(super) fn stop(queue: &Arc<Queue<Pool>>) {
    let mut refused = Vec::new();
    end(queue, |state| {
        state.stopped = true;
        refused = state.pop_all();
    });
    // First of all: a destructor of what is refused may wait for a job that runs.
    queue.stop().run();
    queue.shared.accounts.refuse(refused, &Error::ShutDown);
}

fn end(queue: &Arc<Queue<Pool>>, then: impl FnOnce(&mut Guard<'_, Pool>)) {
    let mut state = queue.lock();
    state.closed = true;
    state.seal();
    then(&mut state);
    let idle = state.idle.clone();
    // If jobs wait, a thread will be started, and needs no hooks: it is the pool's last.
    let hooks = if state.threads + state.leaving == 0 { std::mem::take(&mut state.hooks) } else { Hooks::default() };
    // If jobs wait and no thread is there, one is started.
    state.finish();
    for worker in idle {
        worker.wake.notify_one();
    }
    wake(queue.shared.lines.close());
    discard(hooks);
}

/// A thread that has resigned leaves. The last one of a closed pool drops the hooks and wakes all waiters.
pub(super) fn count_out(mut state: Guard<'_, Pool>) {
    if state.closed && state.threads == 0 && state.leaving == 1 {
        let (queue, hooks) = (state.queue(), std::mem::take(&mut state.hooks));
        state.finish();
        discard(hooks);
        state = queue.lock();
    }
    state.leaving -= 1;
    let ended = take_wakers(&mut state);
    state.finish();
    wake(ended);
}

/// Whether this thread is one of the pool's.
pub(super) fn is_worker_of(state: &State) -> bool {
    current().is_some_and(|current| state.workers.iter().any(|worker| Arc::ptr_eq(worker, &current)))
}

/// Takes the wakers of all waiters, if the pool's end has come, or may have come for one of them.
pub(super) fn take_wakers(state: &mut State) -> Vec<Waker> {
    // For a waiting job of the pool it has come when one thread is left, its own. No thread waits before the pool is closed.
    if state.threads + state.leaving > 1 { Vec::new() } else { state.shutdowns.take() }
}

/// Resolves when all work of a pool is done and its threads have left, after their
/// [`on_thread_stop`](super::ThreadPoolBuilder::on_thread_stop), and what the pool's hooks had captured is dropped. (Destructors of their
/// thread-locals may still run, as the threads are not joined.)
///
/// Made by [`ThreadPool::shutdown`](super::ThreadPool::shutdown) and [`shutdown_now`](super::ThreadPool::shutdown_now), which have taken
/// effect by then: this only waits. **Dropping** it changes nothing.
///
/// Awaited, or waited for, inside a job of the same pool, it does not count that job's thread: it resolves when no other is left.
/// Two jobs of one pool that both wait for its end wait for each other; give [`wait_timeout`](Self::wait_timeout) a deadline there.
///
/// # Cancel safety
/// It can be dropped and made again at any time: [`shutdown`](super::ThreadPool::shutdown) may be called repeatedly.
///
/// # Examples
/// ```
/// use offload_runtime::{ExecutorExt, ThreadPool};
///
/// let pool = ThreadPool::new(2);
/// pool.submit(|| println!("runs before the pool ends")).detach();
/// pollster::block_on(pool.shutdown());
/// ```
#[must_use = "a `Shutdown` only waits for the pool's end: await it, or call `wait_timeout`"]
pub struct Shutdown {
    queue: Arc<Queue<Pool>>,
    /// The number under which its waker is registered.
    number: u64,
}

impl Shutdown {
    pub(super) fn of(queue: Arc<Queue<Pool>>) -> Self {
        let number = queue.lock().shutdowns.number();
        Self { queue, number }
    }

    /// Blocks the thread until the pool has ended, for `timeout` at most. For synchronous callers.
    ///
    /// # Errors
    /// [`StillRunning`] when the time is over; it lists the jobs that are left. The shutdown goes on, and the wait may be repeated.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    /// use std::time::Duration;
    ///
    /// let pool = ThreadPool::new(1);
    /// let (started, wait) = std::sync::mpsc::channel();
    /// let (end, wait_end) = std::sync::mpsc::channel::<()>();
    /// let handle = pool.submit(move || {
    ///     started.send(()).unwrap();
    ///     wait_end.recv().unwrap();
    /// });
    /// wait.recv().unwrap();
    /// let left = pool.shutdown().wait_timeout(Duration::from_millis(1)).unwrap_err();
    /// assert_eq!(left.running().len(), 1);
    /// println!("{left}"); // 1 job still runs: src/main.rs:7:19 for 1.1ms on offload-0
    /// end.send(()).unwrap();
    /// pool.shutdown().wait_timeout(Duration::MAX).unwrap();
    /// # drop(handle);
    /// ```
    pub fn wait_timeout(&self, timeout: Duration) -> Result<(), StillRunning> {
        // A registration of its own, taken back at the end.
        let this = Self::of(Arc::clone(&self.queue));
        block_on(Some(timeout), |waker| this.poll_ended(waker)).ok_or_else(|| self.still_running())
    }

    fn poll_ended(&self, waker: &Waker) -> Poll<()> {
        let new = waker.clone();
        let mut state = self.queue.lock();
        let own = usize::from(is_worker_of(&state));
        if state.threads + state.leaving <= own {
            return Poll::Ready(());
        }
        let unused = state.shutdowns.register(self.number, new);
        // In this order: the waker is user code.
        drop((state, unused));
        Poll::Pending
    }

    fn still_running(&self) -> StillRunning {
        let queued = self.queue.queued();
        let state = self.queue.lock();
        let (threads, workers) = (state.threads + state.leaving, state.workers.clone());
        drop(state);
        StillRunning { running: inspect::jobs_of(&workers), queued, threads }
    }
}

impl Future for Shutdown {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_ended(cx.waker())
    }
}

impl Drop for Shutdown {
    fn drop(&mut self) {
        // Nothing of the waiting task stays with a pool that goes on.
        let mut state = self.queue.lock();
        let waker = state.shutdowns.remove(self.number);
        // In this order: the waker is user code.
        drop((state, waker));
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.queue.lock();
        let threads = state.threads + state.leaving;
        drop(state);
        let queued = self.queue.queued();
        f.debug_struct("Shutdown").field("threads", &threads).field("queued", &queued).finish_non_exhaustive()
    }
}

/// The jobs that were left when [`Shutdown::wait_timeout`] gave up.
///
/// # Examples
/// See [`Shutdown::wait_timeout`].
#[derive(Clone, Debug)]
pub struct StillRunning {
    running: Vec<RunningJob>,
    queued: usize,
    threads: usize,
}

impl StillRunning {
    /// The jobs that run.
    #[must_use]
    pub fn running(&self) -> &[RunningJob] {
        &self.running
    }

    /// How many jobs wait. A [`Limited`](crate::Limited) view counts with the turns that it waits for, see
    /// [`Limited::queued`](crate::Limited::queued) for its jobs.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queued
    }

    /// How many threads have not ended. A thread may be in the pool's `on_thread_stop`, or between two jobs, though no job is seen to run.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads
    }
}

impl fmt::Display for StillRunning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.running.len() {
            0 if self.threads == 1 => f.write_str("no job runs, but 1 thread has not ended")?,
            0 => write!(f, "no job runs, but {} threads have not ended", self.threads)?,
            1 => f.write_str("1 job still runs")?,
            n => write!(f, "{n} jobs still run")?,
        }
        if self.queued > 0 {
            write!(f, ", {} wait", self.queued)?;
        }
        for (i, job) in self.running.iter().enumerate() {
            f.write_str(if i == 0 { ": " } else { ", " })?;
            write!(f, "{} for {:.1?} on {}", job.site(), job.elapsed(), job.thread_name())?;
        }
        Ok(())
    }
}

impl std::error::Error for StillRunning {}
