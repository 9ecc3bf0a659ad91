//! What the checks are made of: the executor under test, doors, counted values, waits that end.
//!
//! Nothing here panics: a check says what is wrong in its result, so that a report lists all that is.

use std::any::Any;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::Promises;
use crate::error::Error;
use crate::executor::Executor;
use crate::ext::ExecutorExt;
use crate::job::JobHandle;

pub(super) type Checked<T = ()> = Result<T, String>;

/// Fails a check unless `holds`.
pub(super) fn verify(holds: bool, otherwise: impl Into<String>) -> Checked {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}

/// The executor under test.
pub(super) struct Subject {
    /// `None` once it was abandoned.
    executor: Mutex<Option<Parts>>,
    pub(super) promises: Promises,
    pub(super) patience: Duration,
}

/// The executor, and how it is closed.
struct Parts {
    executor: Arc<dyn Executor>,
    close: Box<dyn Fn() + Send>,
}

impl Subject {
    pub(super) fn new(
        executor: Arc<dyn Executor>,
        close: Box<dyn Fn() + Send>,
        promises: Promises,
        patience: Duration,
    ) -> Self {
        Self { executor: Mutex::new(Some(Parts { executor, close })), promises, patience }
    }

    fn parts(&self) -> MutexGuard<'_, Option<Parts>> {
        self.executor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The executor.
    pub(super) fn get(&self) -> Arc<dyn Executor> {
        Arc::clone(&self.parts().as_ref().expect("it is the last thing that a check does to abandon it").executor)
    }

    pub(super) fn close(&self) {
        self.parts().iter().for_each(|parts| (parts.close)());
    }

    /// Drops the executor.
    pub(super) fn abandon(&self) {
        let parts = self.parts().take();
        drop(parts);
    }

    pub(super) fn submit<T: Send + 'static>(&self, f: impl FnOnce() -> T + Send + 'static) -> JobHandle<T> {
        self.get().submit(f)
    }

    /// A closed door.
    pub(super) fn gate(&self) -> Gate {
        Gate { shared: Arc::default(), patience: self.patience }
    }

    /// Awaits a job's result.
    pub(super) fn result<T>(&self, handle: JobHandle<T>) -> Checked<Result<T, Error>> {
        block_on(handle, self.patience).ok_or_else(|| "the handle of a job stays pending".into())
    }

    /// Awaits a job that has to return a value.
    pub(super) fn value<T>(&self, handle: JobHandle<T>) -> Checked<T> {
        self.result(handle)?.map_err(|error| format!("a job was expected to return a value: {error}"))
    }

    /// Looks until `condition` holds.
    pub(super) fn eventually(&self, otherwise: &str, condition: impl Fn() -> bool) -> Checked {
        let deadline = Instant::now() + self.patience;
        while !condition() {
            verify(Instant::now() < deadline, otherwise)?;
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Checks that the executor has come through what was done to it.
    pub(super) fn still_works(&self) -> Checked {
        for _ in 0..self.promises.parallel.unwrap_or(1).max(4) {
            verify(self.value(self.submit(|| 1))? == 1, "a job returned another's value")?;
        }
        Ok(())
    }

    /// Holds `n` threads by jobs at a door.
    pub(super) fn occupy(&self, n: usize) -> Checked<Occupied> {
        let gate = self.gate();
        let job = |_| {
            let gate = gate.clone();
            self.submit(move || gate.pass())
        };
        let occupied = Occupied { jobs: (0..n).map(job).collect(), gate };
        occupied.gate.wait_for(n)?;
        Ok(occupied)
    }
}

/// Threads that are held by jobs. Dropping it lets them go.
pub(super) struct Occupied {
    gate: Gate,
    jobs: Vec<JobHandle<()>>,
}

impl Occupied {
    pub(super) fn release(mut self, subject: &Subject) -> Checked {
        self.gate.open();
        std::mem::take(&mut self.jobs).into_iter().try_for_each(|job| subject.value(job))
    }
}

impl Drop for Occupied {
    fn drop(&mut self) {
        self.gate.open();
    }
}

/// A door, closed at first, at which jobs wait.
#[derive(Clone)]
pub(super) struct Gate {
    shared: Arc<(Mutex<(usize, bool)>, Condvar)>,
    patience: Duration,
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, (usize, bool)> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Arrives, and waits until the door is open.
    pub(super) fn pass(&self) {
        let mut door = self.lock();
        door.0 += 1;
        self.shared.1.notify_all();
        // Bounded, for a check that hangs opens no door; and long after the check has given up, or its end would look like progress.
        drop(self.shared.1.wait_timeout_while(door, self.patience.saturating_mul(4), |door| !door.1));
    }

    /// Waits until `n` have arrived.
    pub(super) fn wait_for(&self, n: usize) -> Checked {
        let door = self.lock();
        let door = self.shared.1.wait_timeout_while(door, self.patience, |door| door.0 < n);
        let arrived = door.unwrap_or_else(PoisonError::into_inner).0.0;
        verify(arrived >= n, format!("of {n} jobs that have to run at once {arrived} began"))
    }

    pub(super) fn open(&self) {
        self.lock().1 = true;
        self.shared.1.notify_all();
    }
}

/// Counted values: how many are alive.
#[derive(Clone, Default)]
pub(super) struct Tokens(Arc<AtomicUsize>);

impl Tokens {
    pub(super) fn token(&self) -> Token {
        self.0.fetch_add(1, Ordering::SeqCst);
        Token(Arc::clone(&self.0))
    }

    pub(super) fn alive(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// One of them.
pub(super) struct Token(Arc<AtomicUsize>);

impl Drop for Token {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Awaits `future` on this thread. `None`: it stays pending.
pub(super) fn block_on<F: Future>(future: F, patience: Duration) -> Option<F::Output> {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let deadline = Instant::now() + patience;
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(output);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        thread::park_timeout(left);
    }
}

/// Runs a check on a thread of its own. One that hangs is left behind.
pub(super) fn within(patience: Duration, check: impl FnOnce() -> Checked + Send + 'static) -> Checked {
    let (done, wait) = mpsc::channel();
    let thread = thread::spawn(move || done.send(check()));
    // The waits inside a check say more when they give up: they come first.
    match wait.recv_timeout(patience.saturating_mul(3)) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => Err("hangs: a call of the executor does not return".into()),
        Err(mpsc::RecvTimeoutError::Disconnected) => match thread.join() {
            Err(payload) => Err(format!("the executor panicked: {}", message(&*payload))),
            Ok(_) => Err("the check's thread is gone".into()),
        },
    }
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
