//! Cancelling a job from elsewhere than its handle: a [`Canceller`] outlives the handle, and the handle never waits for it.
//!
//! The two share a [`Link`]. Cancellers that are at work have borrowed the handle's `HANDLE` bit. A handle that leaves meanwhile gives the
//! bit away to them, and the last one releases it when it is done.

use std::fmt;
use std::ptr::NonNull;

use super::cell::Header;
use crate::sync::{self, Arc, Mutex};

/// Cancels one job, from any thread, while its handle is awaited elsewhere. Made by [`JobHandle::canceller`](super::JobHandle::canceller).
///
/// Clones cancel the same job. Dropping a canceller changes nothing.
///
/// # Examples
/// ```
/// use offload_runtime::{Error, ExecutorExt, ThreadPool};
///
/// let pool = ThreadPool::new(1);
/// let (end, wait) = std::sync::mpsc::channel::<()>();
/// let first = pool.submit(move || wait.recv().is_ok());
/// let second = pool.submit(|| unreachable!()); // waits behind the first
/// let canceller = second.canceller();
/// std::thread::spawn(move || canceller.cancel());
/// assert!(matches!(pollster::block_on(second), Err(Error::Cancelled)));
/// end.send(()).unwrap();
/// assert!(pollster::block_on(first).unwrap());
/// ```
#[derive(Clone)]
pub struct Canceller(pub(super) Arc<Link>);

/// What a handle and its cancellers share.
pub(super) struct Link(Mutex<State>);

struct State {
    /// The cell of the handle, which holds its `HANDLE` bit; `None` once that is gone.
    cell: Option<Cell>,
    /// How many cancellers are at work. Each may rely on the bit.
    borrowers: usize,
    /// The handle has left its `HANDLE` bit to the last of the borrowers.
    left: Option<Rest>,
}

#[derive(Clone, Copy)]
struct Cell(NonNull<Header>);

// SAFETY: the link passes the pointer on to a thread that acts as the handle, which is `Send`: cancelling and leaving touch no output
// but to drop it, and a handle with an output that is not `Send` cannot be made (`Work`).
unsafe impl Send for Cell {}

/// What is left to be done with the `HANDLE` bit of a handle that has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// The result, present or future, is to be dropped.
    Result,
    /// Nothing but to release the bit: the result was taken.
    Release,
}

impl Link {
    pub(super) fn new(header: NonNull<Header>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { cell: Some(Cell(header)), borrowers: 0, left: None })))
    }

    /// The link of a handle that has returned its result.
    pub(super) fn gone() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { cell: None, borrowers: 0, left: None })))
    }

    /// The handle leaves. `true`: a canceller is at work, and does what is left to do; the `HANDLE` bit is its.
    pub(super) fn leave(&self, rest: Rest) -> bool {
        let mut state = sync::lock(&self.0);
        let is_borrowed = state.borrowers > 0;
        if is_borrowed {
            state.left = Some(rest);
        } else {
            state.cell = None;
        }
        is_borrowed
    }

    /// Borrows the `HANDLE` bit and calls `f` with the cell; then calls `finish` if the handle has left meanwhile, and no other has borrowed it.
    pub(super) fn borrow(&self, f: impl FnOnce(NonNull<Header>), finish: impl FnOnce(NonNull<Header>, Rest)) {
        let mut state = sync::lock(&self.0);
        let Some(Cell(header)) = state.cell.filter(|_| state.left.is_none()) else { return };
        state.borrowers += 1;
        drop(state);
        f(header);
        let mut state = sync::lock(&self.0);
        state.borrowers -= 1;
        let rest = if state.borrowers == 0 { state.left.take() } else { None };
        if rest.is_some() {
            state.cell = None;
        }
        drop(state);
        if let Some(rest) = rest {
            finish(header, rest);
        }
    }
}

impl fmt::Debug for Canceller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canceller").finish_non_exhaustive()
    }
}
