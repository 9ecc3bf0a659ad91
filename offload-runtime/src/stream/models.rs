//! Loom models of a stream: an iterator that leaves its thread against a consumer that makes room; a sender that waits; drop.
//!
//! A lost resubmission, or a lost wake-up of either side, shows as a deadlock. In a model each slice ends after one item. Run by `ci/loom.sh`.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_core::Stream;
use loom::future::block_on;
use loom::thread::{self, JoinHandle};

use super::{BlockingStream, Yielder};
use crate::executor::Executor;
use crate::ext::ExecutorExt;
use crate::job::Job;
use crate::job::models::{Tokens, explore};
use crate::sync::{self, Arc, Condvar, Mutex};

/// An executor of one thread.
#[derive(Clone)]
struct OneThread(Arc<(Mutex<Queue>, Condvar)>);

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    is_closed: bool,
}

impl OneThread {
    fn start() -> (Self, JoinHandle<()>) {
        let executor = Self(Arc::new((Mutex::new(Queue::default()), Condvar::new())));
        let of_thread = executor.clone();
        (executor, thread::spawn(move || while of_thread.run_next() {}))
    }

    fn run_next(&self) -> bool {
        let (queue, changed) = &*self.0;
        let mut locked = sync::lock(queue);
        while locked.jobs.is_empty() && !locked.is_closed {
            locked = changed.wait(locked).unwrap();
        }
        let Some(job) = locked.jobs.pop_front() else { return false };
        drop(locked);
        job.run();
        true
    }

    fn close(&self, thread: JoinHandle<()>) {
        sync::lock(&self.0.0).is_closed = true;
        self.0.1.notify_all();
        thread.join().unwrap();
    }
}

impl Executor for OneThread {
    fn execute(&self, job: Job) {
        sync::lock(&self.0.0).jobs.push_back(job);
        self.0.1.notify_all();
    }
}

fn next<T: Send + 'static>(stream: &mut BlockingStream<T>) -> Option<T> {
    block_on(poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx)))
}

#[test]
fn an_iterator_comes_back_when_there_is_room() {
    for (items, buffer, preemptions) in [(1, 1, 2), (2, 1, 1), (2, 2, 1)] {
        explore(&format!("an iterator of {items}, room for {buffer}"), Some(preemptions), move || {
            let (executor, thread) = OneThread::start();
            let mut stream = executor.stream(move || 0..items).buffer(buffer);
            for n in 0..items {
                assert_eq!(next(&mut stream), Some(n));
            }
            assert_eq!(next(&mut stream), None);
            drop(stream);
            executor.close(thread);
        });
    }
}

/// It is dropped once, and on the worker, wherever the stream's drop finds it.
#[test]
fn an_iterator_is_dropped_with_its_stream() {
    explore("an iterator whose stream is dropped half way", Some(2), || {
        let tokens = Tokens::default();
        let (executor, thread) = OneThread::start();
        let token = tokens.new_one();
        let (consumer, elsewhere) = (thread::current().id(), Arc::new(AtomicBool::new(false)));
        let seen = Arc::clone(&elsewhere);
        let mut stream = executor
            .stream(move || {
                let dropped_on_worker = OnDrop(consumer, seen);
                (0..2).map(move |n| {
                    let _ = (&token, &dropped_on_worker);
                    n
                })
            })
            .buffer(1);
        assert_eq!(next(&mut stream), Some(0));
        drop(stream);
        executor.close(thread);
        assert_eq!(tokens.alive(), 0);
        assert!(elsewhere.load(Ordering::SeqCst), "dropped on the thread of the consumer");
    });
}

/// Notes whether it is dropped on another thread than that one. A panic here would be contained, as one of any destructor is.
struct OnDrop(thread::ThreadId, Arc<AtomicBool>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.1.store(thread::current().id() != self.0, Ordering::SeqCst);
    }
}

#[test]
fn a_sender_waits_for_room() {
    explore("a sender of two items, room for one", Some(2), || {
        let (executor, thread) = OneThread::start();
        let mut stream = executor.generate(|out: &mut Yielder<u8>| {
            for n in 0..2 {
                out.send(n).unwrap();
            }
        });
        stream = stream.buffer(1);
        for n in 0..2 {
            assert_eq!(next(&mut stream), Some(n));
        }
        assert_eq!(next(&mut stream), None);
        drop(stream);
        executor.close(thread);
    });
}

/// It sends no more, leaves no room, and does not end: only the item itself can wake the consumer.
#[test]
fn an_item_reaches_a_consumer_that_is_about_to_wait() {
    explore("a sender that goes on once its item is taken", Some(2), || {
        let (executor, thread) = OneThread::start();
        let taken = Arc::new((Mutex::new(false), Condvar::new()));
        let of_body = Arc::clone(&taken);
        let body = move |out: &mut Yielder<u8>| {
            out.send(0).unwrap();
            let mut is_taken = sync::lock(&of_body.0);
            while !*is_taken {
                is_taken = of_body.1.wait(is_taken).unwrap();
            }
        };
        let mut stream = executor.generate(body).buffer(2);
        assert_eq!(next(&mut stream), Some(0));
        *sync::lock(&taken.0) = true;
        taken.1.notify_all();
        assert_eq!(next(&mut stream), None);
        drop(stream);
        executor.close(thread);
    });
}

#[test]
fn a_sender_is_told_that_the_stream_was_dropped() {
    explore("a sender whose stream is dropped", Some(2), || {
        let (executor, thread) = OneThread::start();
        let stream = executor.generate(|out: &mut Yielder<u8>| while out.send(0).is_ok() {});
        let mut stream = stream.buffer(1);
        assert_eq!(next(&mut stream), Some(0));
        drop(stream);
        executor.close(thread);
    });
}
