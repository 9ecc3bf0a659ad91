//! Streams: blocking iterators and bodies whose items are awaited.
//!
//! `pull` and `push` what each kind does · `attribute` `#[blocking(stream)]` · `ends` dropped, panicked, refused, shut down, in each phase · `contract` the clauses of the
//! contract that are left: nested use, turns, context, what lingers · `real` directories, files, databases, archives · `state` with a `StatefulPool`.

mod attribute;
mod contract;
mod ends;
mod pull;
mod push;
mod real;
mod state;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;

use futures::Stream;
use offload_runtime::{BlockingStream, ThreadPool};
use tests::support::{Gate, Occupied, eventually};

/// Polls a stream once, with a waker that does nothing.
fn poll<T: Send + 'static>(stream: &mut BlockingStream<T>) -> Poll<Option<T>> {
    Pin::new(stream).poll_next(&mut Context::from_waker(Waker::noop()))
}

/// Polls a stream for the first time, while the one thread of its pool is occupied: no item is taken. Adds a job.
#[track_caller]
fn begin<T: Send + 'static>(pool: &ThreadPool, stream: &mut BlockingStream<T>) {
    let occupied = Occupied::new(pool, 1);
    assert!(poll(stream).is_pending());
    occupied.release();
}

/// Waits until no job runs or waits.
fn idle(pool: &ThreadPool) {
    eventually("the pool is idle", || {
        let metrics = pool.metrics();
        metrics.running() + metrics.queued() == 0
    });
}

/// Counts its items, and the threads that drop it.
#[derive(Clone, Default)]
struct Watched {
    made: Arc<AtomicUsize>,
    dropped_on: Arc<std::sync::Mutex<Vec<String>>>,
}

impl Watched {
    /// An iterator without end. `gate`: before its second item it waits there.
    fn endless(&self, gate: Option<Gate>) -> Endless {
        Endless { watched: self.clone(), gate }
    }

    fn made(&self) -> usize {
        self.made.load(Ordering::SeqCst)
    }

    /// The threads that have dropped such an iterator.
    fn dropped_on(&self) -> Vec<String> {
        self.dropped_on.lock().unwrap().clone()
    }

    #[track_caller]
    fn wait_until_dropped(&self) -> String {
        eventually("the iterator is dropped", || !self.dropped_on().is_empty());
        assert_eq!(self.dropped_on().len(), 1);
        self.dropped_on().remove(0)
    }
}

struct Endless {
    watched: Watched,
    gate: Option<Gate>,
}

impl Iterator for Endless {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.watched.made() == 1
            && let Some(gate) = &self.gate
        {
            gate.pass();
        }
        Some(self.watched.made.fetch_add(1, Ordering::SeqCst))
    }
}

impl Drop for Endless {
    fn drop(&mut self) {
        let name = thread::current().name().unwrap_or("?").to_owned();
        self.watched.dropped_on.lock().unwrap().push(name);
    }
}
