//! How a `#[state]` argument comes to the body.

use super::Judge;
use crate::{JobHandle, Site, StatefulExecutor};

/// An executor that is to lend its state.
#[derive(Debug)]
pub struct Lender<'a, E: ?Sized>(pub &'a E);

impl<E: StatefulExecutor + ?Sized> Lender<'_, E> {
    /// Submits the job of a method with a `#[state]` argument of type `S`.
    ///
    /// The result and the state are the parameters that can be named, so that an error about them stands at the user's types.
    pub fn __offload_submit_with<T: Send + 'static, S: StateOf<E> + ?Sized>(
        self,
        site: &'static Site,
        judge: impl Judge<T>,
        job: impl FnOnce(&mut S) -> T + Send + 'static,
    ) -> JobHandle<T> {
        crate::stateful::submit_with_at(self.0, site, judge, move |state| job(S::of(state)))
    }
}

/// The state of the executor `E`.
///
/// Of another type the compiler says which it expected, at the type.
pub trait StateOf<E: StatefulExecutor + ?Sized> {
    /// Borrows it by its own name.
    fn of(state: &mut E::State) -> &mut Self;
}

impl<E: StatefulExecutor + ?Sized> StateOf<E> for E::State {
    fn of(state: &mut E::State) -> &mut Self {
        state
    }
}

/// What `E` would have to be to lend a state, if it has none. Implemented by nothing.
#[diagnostic::on_unimplemented(
    message = "`{E}` is not an executor whose threads own a state",
    label = "this has no state for the `#[state]` argument",
    note = "an executor that has one is an `offload_runtime::StatefulPool`, or a view of it: `StatefulPool::new(4, || Connection::open(..))`",
    note = "where `{E}` is a type parameter, or holds one, add the bound `StatefulExecutor<State = ..>`"
)]
pub trait LendsState<E: ?Sized> {}

/// Explains why an executor cannot lend a state.
pub trait Stateless<E: ?Sized>: Sized {
    /// Never called, as nothing implements [`LendsState`].
    fn __offload_submit_with<T, S: ?Sized>(
        self,
        _: &'static Site,
        _: impl Judge<T>,
        _: impl FnOnce(&mut S) -> T,
    ) -> JobHandle<T>
    where
        Self: LendsState<E>,
    {
        unreachable!("`LendsState` is implemented by nothing")
    }
}

impl<E: ?Sized> Stateless<E> for Lender<'_, E> {}
