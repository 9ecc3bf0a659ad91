//! The bytes that were accepted and not written yet: the task appends to them, the worker drains them.
//!
//! While `draining` is set, a job has been submitted that looks at the bytes once more, under the lock, before it ends. So what is accepted in
//! that state needs no job of its own. A job that never runs leaves the flag set, and the bytes to the next job: each of them drains first.

use std::io::{self, ErrorKind};
use std::task::Waker;

use crate::sync::{self, Mutex};

pub(super) struct Pending {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    /// The emptied buffer of the last drain, for the next.
    spare: Vec<u8>,
    draining: bool,
    /// The task that waits for room.
    room: Option<Waker>,
}

impl Pending {
    pub(super) fn new() -> Self {
        Self { state: Mutex::new(State::default()) }
    }

    /// Accepts some of `bytes` for a drain that the caller submits next, and returns how many.
    pub(super) fn begin(&self, bytes: &[u8], capacity: usize) -> usize {
        let mut state = sync::lock(&self.state);
        state.draining = true;
        state.append(bytes, capacity)
    }

    /// Takes back the last `n` bytes of `begin`. `false`: a job of the drain has looked at them.
    pub(super) fn retract(&self, n: usize) -> bool {
        let mut state = sync::lock(&self.state);
        if state.draining {
            let rest = state.bytes.len().saturating_sub(n);
            state.bytes.truncate(rest);
        }
        std::mem::take(&mut state.draining)
    }

    /// Accepts some of `bytes` for the drain that goes on, and returns how many. `None`: there is no drain, or there is no room and `waker` is
    /// notified of some.
    pub(super) fn accept(&self, bytes: &[u8], capacity: usize, waker: &Waker) -> Option<usize> {
        let mut registered = None;
        loop {
            let mut state = sync::lock(&self.state);
            if !state.draining {
                return None;
            }
            let accepted = state.append(bytes, capacity);
            if accepted > 0 {
                return Some(accepted);
            }
            // Wakers are the caller's code: they are cloned and dropped without the lock.
            if let Some(waker) = registered.take() {
                let before = state.room.replace(waker);
                drop(state);
                drop(before);
                return None;
            }
            drop(state);
            registered = Some(waker.clone());
        }
    }

    /// Whether everything accepted has been written.
    pub(super) fn is_drained(&self) -> bool {
        let state = sync::lock(&self.state);
        state.bytes.is_empty() && !state.draining
    }

    /// Writes what was accepted, and what is accepted meanwhile, until nothing is left. What a failing `write` leaves stays accepted.
    pub(super) fn drain(&self, mut write: impl FnMut(&[u8]) -> io::Result<usize>) -> io::Result<()> {
        let mut batch = std::mem::take(&mut sync::lock(&self.state).spare);
        loop {
            let mut state = sync::lock(&self.state);
            if state.bytes.is_empty() {
                state.draining = false;
                state.spare = batch;
                return Ok(());
            }
            std::mem::swap(&mut state.bytes, &mut batch);
            state.draining = true;
            let room = state.room.take();
            drop(state);
            if let Some(waker) = room {
                waker.wake();
            }
            let (written, result) = write_all(&batch, &mut write);
            if let Err(error) = result {
                self.put_back(batch, written);
                return Err(error);
            }
            batch.clear();
        }
    }

    /// The last `batch` has been written in part: the rest comes before what was accepted meanwhile.
    fn put_back(&self, mut batch: Vec<u8>, written: usize) {
        batch.drain(..written);
        let mut state = sync::lock(&self.state);
        batch.extend_from_slice(&state.bytes);
        state.bytes = batch;
        state.draining = false;
        let room = state.room.take();
        drop(state);
        if let Some(waker) = room {
            waker.wake();
        }
    }
}

impl State {
    fn append(&mut self, bytes: &[u8], capacity: usize) -> usize {
        let n = bytes.len().min(capacity.saturating_sub(self.bytes.len()));
        self.bytes.extend_from_slice(&bytes[..n]);
        n
    }
}

/// As [`io::Write::write_all`], but says how much was written before an error.
fn write_all(bytes: &[u8], write: &mut impl FnMut(&[u8]) -> io::Result<usize>) -> (usize, io::Result<()>) {
    let mut written = 0;
    while written < bytes.len() {
        match write(&bytes[written..]) {
            Ok(0) => return (written, Err(ErrorKind::WriteZero.into())),
            Ok(n) => written += n,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return (written, Err(error)),
        }
    }
    (written, Ok(()))
}
