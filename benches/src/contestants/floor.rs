//! The floor: what the machine takes, whoever has the pool.
//!
//! For one caller, two threads that hand one word over and back, without queue, allocation, result or future: no pool can be faster on the same
//! machine at the same moment. For many, a thread that does nothing but wake them: what their runtime takes, and none of the pool's.

use std::mem;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use super::{Contestant, Setup};

// What the word says: the caller's call, the other's answer to it, or that there will be no more.
const CALL: u32 = 1;
const ANSWER: u32 = 2;
const END: u32 = 3;

/// How a thread waits until the word has changed, and how it tells the other that it has changed it.
pub(crate) trait HandOver: 'static {
    const NAME: &'static str;

    /// Returns once `word` is not `old`.
    fn wait(word: &AtomicU32, old: u32);

    fn notify(word: &AtomicU32);
}

/// By the system call that every lock of this platform sleeps in.
pub(crate) struct Futex;

impl HandOver for Futex {
    const NAME: &'static str = "floor: futex";

    fn wait(word: &AtomicU32, old: u32) {
        while word.load(Ordering::Acquire) == old {
            atomic_wait::wait(word, old);
        }
    }

    fn notify(word: &AtomicU32) {
        atomic_wait::wake_one(word);
    }
}

/// By looking at the word until it changes.
pub(crate) struct Spin;

impl HandOver for Spin {
    const NAME: &'static str = "floor: spin";

    fn wait(word: &AtomicU32, old: u32) {
        while word.load(Ordering::Acquire) == old {
            std::hint::spin_loop();
        }
    }

    fn notify(_: &AtomicU32) {}
}

/// `calls` hand-overs and back, `pause` between two of them; tells `each` how long it took.
pub(crate) fn hand_over<H: HandOver>(calls: usize, pause: Option<Duration>, mut each: impl FnMut(Duration)) {
    let word = AtomicU32::new(ANSWER);
    let word = &word;
    thread::scope(|scope| {
        scope.spawn(move || answer::<H>(word));
        call::<H>(word); // the other thread is there
        for _ in 0..calls {
            if let Some(pause) = pause {
                thread::sleep(pause);
            }
            let begun = Instant::now();
            call::<H>(word);
            each(begun.elapsed());
        }
        word.store(END, Ordering::Release);
        H::notify(word);
    });
}

fn call<H: HandOver>(word: &AtomicU32) {
    word.store(CALL, Ordering::Release);
    H::notify(word);
    H::wait(word, CALL);
}

fn answer<H: HandOver>(word: &AtomicU32) {
    loop {
        H::wait(word, ANSWER);
        if word.load(Ordering::Acquire) == END {
            return;
        }
        word.store(ANSWER, Ordering::Release);
        H::notify(word);
    }
}

/// What a thread is called that wakes those who await, however it looks.
pub(crate) const WAKING: &str = "floor: waking";

/// A thread that wakes those who await. They run their own jobs, then: none is handed over, no result comes back, and nothing is done for who
/// does not await. It looks so many times before it sleeps; after each hundred it gives its core away.
#[derive(Debug)]
pub(crate) struct Waking<const LOOKS: u32>(Arc<Awaiting>);

#[derive(Debug, Default)]
struct Awaiting {
    list: Mutex<List>,
    changed: Condvar,
    /// Whether somebody awaits, as a hint. Written under the lock.
    any: AtomicBool,
}

#[derive(Debug, Default)]
struct List {
    wakers: Vec<Waker>,
    /// Nobody will await any more.
    closed: bool,
}

impl Awaiting {
    fn lock(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes all who await, once there are any, into `wakers`, which is empty. Returns whether there may be more later.
    fn take(&self, looks: u32, wakers: &mut Vec<Waker>) -> bool {
        for look in 1..=looks {
            if self.any.load(Ordering::Relaxed) {
                break;
            }
            if look.is_multiple_of(100) {
                thread::yield_now();
            } else {
                std::hint::spin_loop();
            }
        }
        let sleeps = |list: &mut List| list.wakers.is_empty() && !list.closed;
        let mut list = self.changed.wait_while(self.lock(), sleeps).unwrap_or_else(PoisonError::into_inner);
        self.any.store(false, Ordering::Relaxed);
        mem::swap(&mut list.wakers, wakers);
        !wakers.is_empty()
    }
}

impl<const LOOKS: u32> Contestant for Waking<LOOKS> {
    const NAME: &'static str = WAKING;

    fn start(_: &Setup) -> Self {
        let awaiting = Arc::new(Awaiting::default());
        let of_thread = Arc::clone(&awaiting);
        thread::spawn(move || {
            let mut wakers = Vec::new();
            while of_thread.take(LOOKS, &mut wakers) {
                wakers.drain(..).for_each(Waker::wake);
            }
        });
        Self(awaiting)
    }

    #[inline]
    fn submit<F, T>(&self, f: F) -> impl Future<Output = T> + Send + 'static
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Woken { awaiting: Arc::clone(&self.0), asked: false, job: Some(f) }
    }
}

impl<const LOOKS: u32> Drop for Waking<LOOKS> {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_one();
    }
}

/// Ready with the result of `job` when it is polled for the second time.
struct Woken<F> {
    awaiting: Arc<Awaiting>,
    asked: bool,
    job: Option<F>,
}

// Nothing in it is pinned.
impl<F> Unpin for Woken<F> {}

impl<F, T> Future for Woken<F>
where
    F: FnOnce() -> T,
{
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        if mem::replace(&mut self.asked, true) {
            let job = self.job.take().expect("polled again after it was ready");
            return Poll::Ready(job());
        }
        let mut list = self.awaiting.lock();
        list.wakers.push(cx.waker().clone());
        let first = list.wakers.len() == 1;
        if first {
            self.awaiting.any.store(true, Ordering::Relaxed);
        }
        drop(list);
        if first {
            self.awaiting.changed.notify_one();
        }
        Poll::Pending
    }
}
