//! The bounded buffer between the worker that produces and the task that consumes.
//!
//! # The protocol
//! An item is *held* from the moment it is pushed until the consumer has taken it. The worker pushes while fewer than `capacity` items are held.
//! The consumer takes all that is ready at once, as its *batch*, and says how much is left of it when it comes to the lock: when the batch is
//! down to half of the capacity, and when it is empty.
//!
//! A producer that finds no room leaves its iterator here, *parked*, and its thread. It is then the consumer's turn: as it comes to the lock and
//! finds at most half of the capacity held, it takes the iterator and submits it again. The consumer comes there before it waits, because an
//! empty batch is what it waits with. So no parked iterator is forgotten:
//!
//! *While an iterator is parked, the consumer has items to take, or is about to come to the lock.*
//!
//! The consumer that was at the lock just before the iterator was parked polls the job's handle next, and is woken when the job ends.

use std::collections::VecDeque;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::source::Source;
use crate::job;
use crate::sync::thread::{self, ThreadId};
use crate::sync::{self, Condvar, Mutex, MutexGuard};
use crate::unwind::contain;
use crate::wait::stands_in;

/// For how long a producer without room spins before it sleeps, about what it costs to sleep and to be woken. A consumer that keeps up makes room
/// meanwhile. With 3 instead of 10 microseconds numbers came at a quarter of the rate through a buffer of 64 (`benches/src/rows/streams.rs`).
const BRIEFLY: Duration = Duration::from_micros(10);

pub(super) struct Channel<T> {
    capacity: usize,
    locked: Mutex<Locked<T>>,
    /// What a sender without room waits at.
    room: Condvar,
}

struct Locked<T> {
    ready: VecDeque<T>,
    /// The error that ends a stream. It needs no room.
    last: Option<T>,
    held: usize,
    /// Upper bound of the items that are still to be pushed.
    upper: Option<usize>,
    /// The consumer's, while it waits.
    waker: Option<Waker>,
    parked: Option<Box<dyn Source<T>>>,
    is_sender_waiting: bool,
    /// The stream was dropped.
    is_stopped: bool,
    /// The job was cancelled while a sender waited.
    is_interrupted: bool,
    /// The thread that gives the job to its executor: if that runs it at once, a sender must not wait for the consumer.
    submitter: Option<ThreadId>,
}

/// What has become of a pushed item.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    /// There is room for more. `woke`: the consumer waited for it.
    Room { woke: bool },
    /// There is no room for more.
    Full,
    /// The stream was dropped, and the item too.
    Stopped,
}

/// Why an item was not sent.
pub(super) enum Unsent<T> {
    Full(T),
    /// The stream was dropped, and the item too; or the job was cancelled.
    Stopped,
}

/// The end of a stream, once its job has ended by itself.
pub(super) enum Last<T> {
    Nothing,
    /// The error is the last item.
    Item(T),
    /// A sender was interrupted: there would have been more items.
    Interrupted,
}

/// The stream was dropped. What it leaves is to be dropped without the lock.
pub(super) struct Remains<T> {
    pub(super) parked: Option<Box<dyn Source<T>>>,
    pub(super) _items: (VecDeque<T>, Option<T>),
    pub(super) _waker: Option<Waker>,
}

impl<T> Channel<T> {
    pub(super) fn new(capacity: usize) -> Self {
        let locked = Locked {
            ready: VecDeque::new(),
            last: None,
            held: 0,
            upper: None,
            waker: None,
            parked: None,
            is_sender_waiting: false,
            is_stopped: false,
            is_interrupted: false,
            submitter: None,
        };
        Self { capacity, locked: Mutex::new(locked), room: Condvar::new() }
    }

    /// How many items of a batch are left when the consumer comes to the lock.
    pub(super) fn low(&self) -> usize {
        self.capacity / 2
    }

    fn lock(&self) -> MutexGuard<'_, Locked<T>> {
        sync::lock(&self.locked)
    }

    /// The worker has an item. Never waits.
    #[inline]
    pub(super) fn push(&self, item: T) -> Pushed {
        let mut locked = self.lock();
        if locked.is_stopped {
            drop(locked);
            return Pushed::Stopped;
        }
        let waker = locked.append(item);
        let is_full = locked.held >= self.capacity;
        drop(locked);
        let woke = wake(waker);
        if is_full { Pushed::Full } else { Pushed::Room { woke } }
    }

    /// As `push`, for a sender, which is told beforehand that there is no room.
    pub(super) fn try_send(&self, item: T) -> Result<(), Unsent<T>> {
        let mut locked = self.lock();
        if !locked.may_send(self.capacity) {
            return Err(Unsent::Full(item));
        }
        if locked.is_stopped || locked.is_interrupted {
            drop(locked);
            return Err(Unsent::Stopped);
        }
        let waker = locked.append(item);
        drop(locked);
        wake(waker);
        Ok(())
    }

    /// Blocks until a sender need not wait.
    pub(super) fn wait_for_room(&self) {
        if self.spin(|locked| locked.may_send(self.capacity)) {
            return;
        }
        let mut locked = self.lock();
        while !locked.may_send(self.capacity) {
            locked.is_sender_waiting = true;
            locked = self.room.wait(locked).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }

    /// Blocks until the consumer has made room, for `most` at most. Returns whether it has.
    pub(super) fn linger(&self, most: Duration) -> bool {
        let deadline = Instant::now() + most;
        if self.spin(|locked| locked.held < self.capacity || locked.is_stopped) {
            return true;
        }
        let mut locked = self.lock();
        while locked.held >= self.capacity && !locked.is_stopped {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            locked.is_sender_waiting = true;
            locked = self.room.wait_timeout(locked, left).unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
        true
    }

    /// The job of a sender that waits was cancelled.
    pub(super) fn interrupt(&self) {
        self.lock().is_interrupted = true;
        self.room.notify_all();
    }

    /// The error that is the last item.
    pub(super) fn end_with(&self, item: T) {
        let mut locked = self.lock();
        let unwanted = if locked.is_stopped { Some(item) } else { locked.last.replace(item) };
        drop(locked);
        drop(unwanted);
    }

    /// The worker leaves its thread. `Some`: the stream was dropped, and so is the source to be.
    pub(super) fn park(&self, source: Box<dyn Source<T>>) -> Option<Box<dyn Source<T>>> {
        let mut locked = self.lock();
        if locked.is_stopped {
            return Some(source);
        }
        locked.parked.replace(source)
    }

    /// A slice begins with a source that promises to have no more than `upper` items. Returns whether the stream was dropped.
    pub(super) fn begin(&self, upper: Option<usize>) -> bool {
        let mut locked = self.lock();
        locked.upper = upper;
        locked.is_stopped
    }

    /// The consumer has `batch` left. Fills it if it is empty, and returns the source that is to be submitted again.
    pub(super) fn collect(&self, batch: &mut VecDeque<T>) -> Option<Box<dyn Source<T>>> {
        let mut locked = self.lock();
        if batch.is_empty() {
            std::mem::swap(&mut locked.ready, batch);
        }
        locked.held = batch.len() + locked.ready.len();
        if locked.held > self.low() {
            return None;
        }
        let parked = locked.parked.take();
        let is_sender_waiting = std::mem::take(&mut locked.is_sender_waiting);
        drop(locked);
        if is_sender_waiting {
            self.room.notify_all();
        }
        parked
    }

    /// Spins until `is_done`, for [`BRIEFLY`] at most. Returns whether it is.
    fn spin(&self, is_done: impl Fn(&Locked<T>) -> bool) -> bool {
        !cfg!(offload_loom) && job::spin(BRIEFLY, || is_done(&self.lock()))
    }

    /// Whether the consumer had better take the items now than wait for more.
    pub(super) fn has_many(&self) -> bool {
        let locked = self.lock();
        locked.ready.len() > self.low() || locked.parked.is_some()
    }

    /// The consumer's batch is empty. Leaves `waker`, unless there is something to collect.
    pub(super) fn wait(&self, waker: Waker) -> bool {
        let mut locked = self.lock();
        let waits = locked.ready.is_empty() && locked.parked.is_none();
        let other = if waits { locked.waker.replace(waker) } else { Some(waker) };
        drop(locked);
        drop(other);
        waits
    }

    /// The job has ended by itself, and all items are taken.
    pub(super) fn take_last(&self) -> Last<T> {
        let mut locked = self.lock();
        match locked.last.take() {
            _ if locked.is_interrupted => Last::Interrupted,
            Some(item) => Last::Item(item),
            None => Last::Nothing,
        }
    }

    /// The stream is dropped.
    pub(super) fn stop(&self) -> Remains<T> {
        let mut locked = self.lock();
        locked.is_stopped = true;
        let items = (std::mem::take(&mut locked.ready), locked.last.take());
        let (parked, waker) = (locked.parked.take(), locked.waker.take());
        drop(locked);
        self.room.notify_all();
        Remains { parked, _items: items, _waker: waker }
    }

    /// Runs `submit`, during which a sender on this very thread does not wait.
    pub(super) fn submitting(&self, submit: impl FnOnce()) {
        self.lock().submitter = Some(thread::current().id());
        submit();
        self.lock().submitter = None;
    }

    /// How many items are ready beside the batch, and how many may come beside them.
    pub(super) fn size_hint(&self) -> (usize, Option<usize>) {
        let locked = self.lock();
        let ready = locked.ready.len() + usize::from(locked.last.is_some());
        (ready, locked.upper)
    }
}

impl<T> Locked<T> {
    /// Whether a sender need not wait.
    fn may_send(&self, capacity: usize) -> bool {
        self.held < capacity || self.is_stopped || self.is_interrupted || self.is_submitting() || stands_in()
    }

    /// Adds an item, and returns the waker of a consumer that waits for it.
    #[inline]
    fn append(&mut self, item: T) -> Option<Waker> {
        self.ready.push_back(item);
        self.held += 1;
        self.upper = self.upper.map(|upper| upper.saturating_sub(1));
        self.waker.take()
    }

    fn is_submitting(&self) -> bool {
        self.submitter.is_some_and(|submitter| submitter == thread::current().id())
    }
}

/// Wakes the consumer, if it waits.
#[inline]
fn wake(waker: Option<Waker>) -> bool {
    let waits = waker.is_some();
    if let Some(waker) = waker {
        contain(|| waker.wake());
    }
    waits
}
