//! The end of a pool of processes, as it is awaited.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use super::{Pool, RunningCall};
use crate::sync::{self, Arc, thread};

/// Resolves when the last worker of a pool has gone.
///
/// Made by [`ProcessPool::shutdown`](super::ProcessPool::shutdown) and its like, which have taken effect by then. **Dropping** it changes nothing.
///
/// # Cancel safety
/// It can be dropped and made again at any time.
///
/// # Examples
/// See [`ProcessPool::shutdown`](super::ProcessPool::shutdown).
#[must_use = "a `Shutdown` only says when the pool has ended: await it, or call `wait_timeout`"]
pub struct Shutdown {
    pool: Arc<Pool>,
    number: u64,
}

impl Shutdown {
    pub(super) fn of(pool: &Arc<Pool>) -> Self {
        let number = sync::lock(&pool.state).number();
        Self { pool: Arc::clone(pool), number }
    }

    /// Blocks the thread until the pool has ended, for `timeout` at most. For synchronous callers.
    ///
    /// # Errors
    /// [`StillRunning`] when the time is over; it lists the calls that are left. The shutdown goes on, and the wait may be repeated.
    ///
    /// # Examples
    /// ```no_run
    /// # fn f(workers: offload_runtime::process::ProcessPool) {
    /// if let Err(left) = workers.shutdown().wait_timeout(std::time::Duration::from_secs(10)) {
    ///     println!("{} calls wait", left.queued());
    ///     for call in left.running() {
    ///         println!("{} runs in process {}", call.site(), call.process_id());
    ///     }
    /// }
    /// # }
    /// ```
    pub fn wait_timeout(&self, timeout: Duration) -> Result<(), StillRunning> {
        struct Unpark(thread::Thread);
        impl Wake for Unpark {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }

        let deadline = Instant::now().checked_add(timeout);
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let this = Self::of(&self.pool);
        while this.poll_end(&waker).is_pending() {
            match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                None => thread::park(),
                Some(Duration::ZERO) => {
                    let running = this.pool.running();
                    let queued = sync::lock(&this.pool.state).waiting();
                    return Err(StillRunning { running, queued });
                }
                Some(left) => thread::park_timeout(left),
            }
        }
        Ok(())
    }

    fn poll_end(&self, waker: &Waker) -> Poll<()> {
        let waker = waker.clone();
        let mut state = sync::lock(&self.pool.state);
        if state.is_over() {
            // Before the waker is dropped, which is user code.
            drop(state);
            return Poll::Ready(());
        }
        let old = state.await_end(self.number, Some(waker));
        drop(state);
        drop(old);
        Poll::Pending
    }
}

impl Future for Shutdown {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_end(cx.waker())
    }
}

impl Drop for Shutdown {
    fn drop(&mut self) {
        let old = sync::lock(&self.pool.state).await_end(self.number, None);
        drop(old);
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shutdown").finish_non_exhaustive()
    }
}

/// The calls that were left when [`Shutdown::wait_timeout`] gave up.
///
/// # Examples
/// See [`Shutdown::wait_timeout`].
#[derive(Clone, Debug)]
pub struct StillRunning {
    running: Vec<RunningCall>,
    queued: usize,
}

impl StillRunning {
    /// The calls that run.
    ///
    /// # Examples
    /// See [`Shutdown::wait_timeout`].
    #[must_use]
    pub fn running(&self) -> &[RunningCall] {
        &self.running
    }

    /// How many calls wait.
    ///
    /// # Examples
    /// See [`Shutdown::wait_timeout`].
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queued
    }
}

impl fmt::Display for StillRunning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} calls still run, {} wait", self.running.len(), self.queued)?;
        for (i, call) in self.running.iter().enumerate() {
            f.write_str(if i == 0 { ": " } else { ", " })?;
            write!(f, "{} for {:.1?} in process {}", call.site(), call.elapsed(), call.process_id())?;
        }
        Ok(())
    }
}

impl std::error::Error for StillRunning {}
