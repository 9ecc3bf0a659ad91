//! The floor: two threads that hand one word over and back, without queue, allocation, result or future.
//!
//! No pool can be faster than this on the same machine at the same moment; it says how much of a round trip is the machine's.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

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

/// `calls` hand-overs and back, `pause` between two of them; returns the time spent on the calls alone.
pub(crate) fn hand_over<H: HandOver>(calls: usize, pause: Option<Duration>) -> Duration {
    let word = AtomicU32::new(ANSWER);
    let word = &word;
    thread::scope(|scope| {
        scope.spawn(move || answer::<H>(word));
        call::<H>(word); // the other thread is there
        let mut spent = Duration::ZERO;
        for _ in 0..calls {
            if let Some(pause) = pause {
                thread::sleep(pause);
            }
            let begun = Instant::now();
            call::<H>(word);
            spent += begun.elapsed();
        }
        word.store(END, Ordering::Release);
        H::notify(word);
        spent
    })
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
