//! What one thread of a [`StatefulPool`](super::StatefulPool) owns: a state that is opened, used and dropped there.
//!
//! A thread belongs to one pool, so a thread has one slot. A job takes the state out of it and puts it back when it has ended: no lock is
//! held while the job runs, and a state that a job has left half changed by unwinding is dropped instead.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::error::Error as StdError;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use crate::error::{Error, Panic};
use crate::job::{Body, CancelUnwind};
use crate::metrics::States;
use crate::sync::Arc;
use crate::unwind::{contain, discard};

type Cause = Box<dyn StdError + Send + Sync>;
type Open<S> = Box<dyn Fn() -> Result<S, Cause> + Send + Sync>;
pub(super) type KeepIf<S> = Arc<dyn Fn(&mut S) -> bool + Send + Sync>;

/// How the threads of a pool come by their states.
pub(super) struct Opener<S> {
    pub(super) open: Open<S>,
    pub(super) keep_if: Option<KeepIf<S>>,
    pub(super) states: Arc<States>,
}

/// What a thread owns.
struct Slot<S> {
    opener: Arc<Opener<S>>,
    /// `None` until a job needs it, and while a job has it.
    state: Cell<Option<Box<S>>>,
}

std::thread_local! {
    /// The [`Slot`] of this thread.
    static SLOT: RefCell<Option<Rc<dyn Any>>> = const { RefCell::new(None) };
}

/// Makes this thread one that opens its states by `opener`.
pub(super) fn install<S: 'static>(opener: &Arc<Opener<S>>) {
    let slot: Rc<dyn Any> = Rc::new(Slot { opener: Arc::clone(opener), state: Cell::new(None) });
    SLOT.with_borrow_mut(|this| *this = Some(slot));
}

/// Takes from this thread what `install` gave it.
pub(super) fn remove() {
    discard(SLOT.try_with(RefCell::take));
}

/// Drops the state of this thread, if there is one.
pub(super) fn close<S: 'static>() {
    if let Ok(slot) = slot::<S>()
        && let Some(state) = slot.state.take()
    {
        slot.drop_state(state);
    }
}

/// Makes sure that this thread has a state.
pub(super) struct OpenState<S>(pub(super) PhantomData<fn(S)>);

impl<S: 'static> Body for OpenState<S> {
    type Output = ();

    fn call(self) -> Result<(), Error> {
        let slot = slot::<S>()?;
        let state = slot.take()?;
        slot.state.set(Some(state));
        Ok(())
    }

    fn call_boxed(self) -> Result<Box<()>, Error> {
        self.call().map(Box::new)
    }
}

/// A closure that is called with the state of its thread. The first such job of a thread opens it.
pub(super) struct WithState<S, F> {
    f: F,
    state: PhantomData<fn(S)>,
}

impl<S, F> WithState<S, F> {
    pub(super) fn new(f: F) -> Self {
        Self { f, state: PhantomData }
    }
}

impl<S, F, T> Body for WithState<S, F>
where
    S: 'static,
    F: FnOnce(&mut S) -> T + Send + 'static,
    T: Send + 'static,
{
    type Output = T;

    #[inline]
    fn call(self) -> Result<T, Error> {
        with_state(self.f)
    }

    fn call_boxed(self) -> Result<Box<T>, Error> {
        with_state(|state| Box::new((self.f)(state)))
    }
}

/// Calls `f` with the state of this thread.
#[inline]
fn with_state<S: 'static, T>(f: impl FnOnce(&mut S) -> T) -> Result<T, Error> {
    let slot = slot::<S>()?;
    let mut state = slot.take()?;
    match catch_unwind(AssertUnwindSafe(|| f(&mut state))) {
        Ok(output) => {
            slot.put_back(state);
            Ok(output)
        }
        Err(payload) => {
            slot.drop_state(state);
            resume_unwind(payload)
        }
    }
}

/// The slot of this thread. Jobs of a pool run on its threads only, so that it is there, and of this type, whatever executor passed the job on.
#[inline]
fn slot<S: 'static>() -> Result<Rc<Slot<S>>, Error> {
    let slot = SLOT.try_with(|slot| slot.borrow().clone()).ok().flatten();
    slot.and_then(|slot| slot.downcast().ok()).ok_or_else(elsewhere)
}

#[cold]
fn elsewhere() -> Error {
    Error::State(Arc::from(Cause::from("the job ran on a thread that is not one of a `StatefulPool` of this state")))
}

impl<S> Slot<S> {
    /// Takes the state out, for a job.
    #[inline]
    fn take(&self) -> Result<Box<S>, Error> {
        match self.state.take() {
            Some(state) => Ok(state),
            None => self.open(),
        }
    }

    #[cold]
    fn open(&self) -> Result<Box<S>, Error> {
        let cause = match catch_unwind(AssertUnwindSafe(|| (self.opener.open)())) {
            Ok(Ok(state)) => {
                let state = Box::new(state);
                self.opener.states.opened();
                return Ok(state);
            }
            Ok(Err(cause)) => cause,
            // The job ends by its cancellation, in `open` as in its body.
            Err(payload) if payload.is::<CancelUnwind>() => resume_unwind(payload),
            Err(payload) => {
                let panic = Panic::new(payload);
                let cause = match panic.message() {
                    Some(message) => format!("it panicked: {message}"),
                    None => "it panicked".to_owned(),
                };
                discard(panic);
                cause.into()
            }
        };
        self.opener.states.failed();
        Err(Error::State(Arc::from(cause)))
    }

    /// A job has ended: the state is there for the next one, or is dropped.
    #[inline]
    fn put_back(&self, mut state: Box<S>) {
        if let Some(keep_if) = &self.opener.keep_if {
            // A state of which nothing is known is dropped.
            let mut keeps = false;
            contain(|| keeps = keep_if(&mut state));
            if !keeps {
                return self.drop_state(state);
            }
        }
        if let Some(other) = self.state.replace(Some(state)) {
            // An executor has run one job inside another, which has opened a state of its own.
            self.drop_state(other);
        }
    }

    #[cold]
    fn drop_state(&self, state: Box<S>) {
        discard(state);
        self.opener.states.dropped();
    }
}
