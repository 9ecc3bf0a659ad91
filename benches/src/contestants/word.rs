//! The floor of a submit: an allocation for the job, and a word in which it is counted, at which another thread looks.
//!
//! The thread does nothing but look; whoever awaits runs the job. To a thread that is awake a job can be handed with less only if its place in
//! memory is none that was just freed: what the other looks at has to be written, and its cache line has to come from the other's core first.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::thread;

use super::{Contestant, Setup};

/// On cache lines of its own: two, which some machines fetch together.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Apart<T>(T);

#[derive(Debug, Default)]
struct Words {
    /// How many jobs were submitted. With the highest bit: no more will be.
    posted: Apart<AtomicU64>,
    /// How many of them the thread has seen.
    seen: Apart<AtomicU64>,
    /// 1: the thread sleeps, since it looked in vain for a millisecond or so.
    asleep: Apart<AtomicU32>,
}

const END: u64 = 1 << 63;

impl Words {
    /// Looks at what is `posted`, until its end.
    fn watch(&self) {
        loop {
            let posted = self.posted.0.load(Ordering::Acquire);
            self.seen.0.store(posted, Ordering::Release);
            if posted & END != 0 {
                return;
            }
            // One of both sees what the other has written: all four are in one order.
            let is_next = || self.posted.0.load(Ordering::SeqCst) != posted;
            while !look(64, is_next) {
                self.asleep.0.store(1, Ordering::SeqCst);
                if !is_next() {
                    atomic_wait::wait(&self.asleep.0, 1);
                }
                self.asleep.0.store(0, Ordering::SeqCst);
            }
        }
    }

    #[inline]
    fn post(&self, what: u64) -> u64 {
        let before = self.posted.0.fetch_add(what, Ordering::SeqCst);
        if self.asleep.0.load(Ordering::SeqCst) == 1 {
            self.asleep.0.store(0, Ordering::SeqCst);
            atomic_wait::wake_one(&raw const self.asleep.0);
        }
        before + what
    }
}

/// Looks whether it is so, and gives the core away after each thousand looks, so many times. Returns whether it was.
fn look(times: u32, mut is_so: impl FnMut() -> bool) -> bool {
    let mut looks_like_it = || {
        (0..1_000).any(|_| {
            std::hint::spin_loop();
            is_so()
        })
    };
    (0..times).any(|_| {
        let seen = looks_like_it();
        if !seen {
            thread::yield_now();
        }
        seen
    })
}

/// A thread that looks at the number of jobs.
#[derive(Debug)]
pub(crate) struct Word(Arc<Words>);

impl Contestant for Word {
    const NAME: &'static str = "floor: word";

    fn start(_: &Setup) -> Self {
        let words = Arc::new(Words::default());
        let of_thread = Arc::clone(&words);
        thread::spawn(move || of_thread.watch());
        Self(words)
    }

    #[inline]
    fn submit<F, T>(&self, f: F) -> impl Future<Output = T> + Send + 'static
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let job = Some(Box::new(f));
        Counted { number: self.0.post(1), words: Arc::clone(&self.0), job }
    }
}

impl Drop for Word {
    fn drop(&mut self) {
        self.0.post(END);
    }
}

/// Ready, with the result of `job`, once the thread has seen it.
struct Counted<F> {
    words: Arc<Words>,
    number: u64,
    job: Option<Box<F>>,
}

impl<F, T> Future for Counted<F>
where
    F: FnOnce() -> T,
{
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        while !look(1, || self.words.seen.0.load(Ordering::Acquire) >= self.number) {}
        let job = self.job.take().expect("polled again after it was ready");
        Poll::Ready(job())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// While the thread looks, and after it has fallen asleep.
    #[test]
    fn every_job_is_seen() {
        let words = Arc::new(Words::default());
        let pool = Word(Arc::clone(&words));
        thread::scope(|scope| {
            scope.spawn(|| words.watch());
            for round in 0..4 {
                for i in 0..1_000 {
                    assert_eq!(pollster::block_on(pool.submit(move || i)), i);
                }
                while round < 3 && words.asleep.0.load(Ordering::SeqCst) == 0 {
                    thread::yield_now();
                }
            }
            drop(pool);
        });
    }
}
