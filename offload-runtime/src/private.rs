//! All that generated code may name. No public API: it changes with `offload-macros`, which is pinned to match.
//!
//! On the caller's side values are made ready to cross (`detach`, `send`), on the worker's side they are opened
//! (`borrow*`, `take`). What crosses is an opaque type that is `Send + 'static` by declaration. A value that is not
//! is an error at the call that made it ready, which generated code places on the user's own token; the closure
//! around it then has nothing left to complain about.
//!
//! Twice the types decide what is meant, under whatever name they are written: an inherent method is preferred
//! over the method of the same name of a trait in [`fallback`], wherever its bounds hold. These names begin with
//! `__offload`, as a trait of the user's may be implemented for every type.

#[doc(hidden)]
pub use crate::job::{NewJob, QueueId};
use crate::{Error, Executor, JobHandle, Site};
use std::borrow::{Borrow as _, Cow};
use std::convert::Infallible;
use std::marker::PhantomData;
use std::panic::Location;

#[cfg(feature = "remote")]
#[path = "remote/generated.rs"]
pub mod remote;

pub use crate::default_executor;
pub use std::clone::Clone;
pub use std::mem::drop;

/// Submits the job of a `#[blocking]` method.
///
/// The result is the one parameter that can be named, so that generated code can say the user's type: an error about
/// it then stands there.
pub fn submit<T: Send + 'static>(
    executor: &(impl Executor + ?Sized),
    site: &'static Site,
    job: impl FnOnce() -> T + Send + 'static,
) -> JobHandle<T> {
    crate::job::submit_at(executor, site, job)
}

/// The site of a method of `Owner`, at the place where this is called.
///
/// A function, as each macro that a method expands to (`file!()`, `line!()`) would cost its compilation time.
#[must_use]
#[track_caller]
pub const fn method_site<Owner: ?Sized>(name: &'static str, module: &'static str) -> Site {
    let place = Location::caller();
    Site::method::<Owner>(name, module, place.file(), place.line(), place.column())
}

/// The site of a function that belongs to no type.
#[must_use]
#[track_caller]
pub const fn function_site(name: &'static str, module: &'static str) -> Site {
    let place = Location::caller();
    Site::function(name, module, place.file(), place.line(), place.column())
}

/// A value on its way to the worker.
pub trait Parcel {
    /// What comes out.
    type Contents;

    /// Opens it.
    fn open(self) -> Self::Contents;
}

/// A detached value on its way to the worker, to be borrowed there.
pub trait Loan {
    /// What is borrowed.
    type Target: ?Sized;

    /// Borrows it.
    fn borrow(&self) -> &Self::Target;
}

/// A detached `Option<&T>` on its way to the worker.
pub trait OptionLoan {
    /// What is borrowed.
    type Target: ?Sized;

    /// Borrows it, if it is there.
    fn borrow(&self) -> Option<&Self::Target>;
}

/// What `T` would have to be for `&self` to cross, if `T` is not `Clone`. Implemented by nothing.
///
/// As in the two traits below, `T` is a parameter of the trait: were it `Self`, the compiler would advise to bound
/// a type parameter by this trait.
#[diagnostic::on_unimplemented(
    message = "`&self` crosses to a worker by cloning, and `{T}` is not `Clone`",
    label = "this is cloned for the worker",
    note = "derive `Clone` for `{T}`, with an `Arc` around what must be shared or is dear to clone",
    note = "a derived `Clone` asks it of the type parameters, too: add these bounds here, or write the `impl` by hand",
    note = "or take `self: &Arc<Self>`, which clones the `Arc` only"
)]
pub trait DetachSelf<T: ?Sized> {}

/// What `T` would have to be for an argument `&T` to cross, if it is not `ToOwned`. Implemented by nothing.
#[diagnostic::on_unimplemented(
    message = "a borrowed argument crosses to a worker by cloning, and `{T}` cannot be cloned",
    label = "this is cloned for the worker",
    note = "take it by value, or as an `Arc<{T}>`; for a type of your own, derive `Clone`",
    note = "where `{T}` is a type parameter, or holds one, add the bound `Clone`",
    note = "for `&dyn Trait` take `Arc<dyn Trait + Send + Sync>`"
)]
pub trait Detach<T: ?Sized> {}

/// What an executor would have to be where the value that holds it, `self` or an argument, moves to the worker, if
/// it is not `Clone`. Implemented by nothing.
#[diagnostic::on_unimplemented(
    message = "the executor is cloned before what holds it moves to a worker, and `{T}` is not `Clone`",
    label = "this is cloned, and is not `Clone`",
    note = "keep an executor that is a handle, such as `ThreadPool` or `Arc<{T}>`",
    note = "where `{T}` is a type parameter, or holds one, add the bound `Clone`",
    note = "or, where `self` holds it, take `&self` or `self: Arc<Self>`"
)]
pub trait CloneExecutor<T: ?Sized> {}

struct Owned<T>(T);

impl<T> Parcel for Owned<T> {
    type Contents = T;

    fn open(self) -> T {
        self.0
    }
}

impl<T> Loan for Owned<T> {
    type Target = T;

    fn borrow(&self) -> &T {
        &self.0
    }
}

struct Detached<T: ToOwned + ?Sized>(T::Owned);

impl<T: ToOwned + ?Sized> Loan for Detached<T> {
    type Target = T;

    fn borrow(&self) -> &T {
        self.0.borrow()
    }
}

impl<T: ToOwned + ?Sized> OptionLoan for Option<Detached<T>> {
    type Target = T;

    fn borrow(&self) -> Option<&T> {
        self.as_ref().map(Loan::borrow)
    }
}

/// `&self`, on the caller's side.
#[derive(Debug)]
pub struct Receiver<'a, T: ?Sized>(pub &'a T);

impl<T: Clone> Receiver<'_, T> {
    /// Sends a clone.
    #[inline]
    #[must_use]
    pub fn __offload_detach(self) -> impl Loan<Target = T> + Send + 'static + use<T>
    where
        T: Send + 'static,
    {
        Owned(self.0.clone())
    }
}

/// An argument, on the caller's side.
#[derive(Debug)]
pub struct Argument<T>(pub T);

impl<T> Argument<T> {
    /// Sends an owned value: it is moved.
    #[inline]
    #[must_use]
    pub fn send(self) -> impl Parcel<Contents = T> + Send + 'static + use<T>
    where
        T: Send + 'static,
    {
        Owned(self.0)
    }
}

impl<T: ToOwned + ?Sized + 'static> Argument<&T> {
    /// Sends `&T`: its owned form crosses.
    #[inline]
    #[must_use]
    pub fn __offload_detach(self) -> impl Loan<Target = T> + Send + 'static + use<T>
    where
        T::Owned: Send + 'static,
    {
        Detached::<T>(self.0.to_owned())
    }
}

impl<T: ToOwned + ?Sized + 'static> Argument<Option<&T>> {
    /// Sends `Option<&T>`.
    #[inline]
    #[must_use]
    pub fn __offload_detach(self) -> impl OptionLoan<Target = T> + Send + 'static + use<T>
    where
        T::Owned: Send + 'static,
    {
        self.0.map(|borrowed| Detached::<T>(borrowed.to_owned()))
    }
}

impl<T: ToOwned + ?Sized + 'static> Argument<Cow<'_, T>> {
    /// Sends `Cow<'_, T>`: what is borrowed in it is cloned.
    #[inline]
    #[must_use]
    pub fn __offload_detach(self) -> impl Parcel<Contents = Cow<'static, T>> + Send + 'static + use<T>
    where
        T: Sync,
        T::Owned: Send + 'static,
    {
        Owned(Cow::<'static, T>::Owned(self.0.into_owned()))
    }
}

/// What would cross if an argument could, so that only one error is reported.
#[derive(Debug)]
pub struct Never<T: ?Sized>(PhantomData<fn(&T)>, Infallible);

impl<T: ?Sized> Loan for Never<T> {
    type Target = T;

    fn borrow(&self) -> &T {
        match self.1 {}
    }
}

impl<T: ?Sized> OptionLoan for Never<T> {
    type Target = T;

    fn borrow(&self) -> Option<&T> {
        match self.1 {}
    }
}

/// The traits whose methods are called where an inherent one does not apply.
pub mod fallback {
    pub use super::{Settle as _, Uncloned as _, Undetached as _, UndetachedSelf as _};
}

/// Explains why an argument cannot be detached.
pub trait Undetached<T: ?Sized>: Sized {
    /// Never called, as nothing implements [`Detach`].
    fn __offload_detach(self) -> Never<T>
    where
        Self: Detach<T>,
    {
        unreachable!("`Detach` is implemented by nothing")
    }
}

impl<T: ?Sized> Undetached<T> for Argument<&T> {}
impl<T: ?Sized> Undetached<T> for Argument<Option<&T>> {}

/// Explains why `self` cannot be detached.
pub trait UndetachedSelf<T: ?Sized>: Sized {
    /// Never called, as nothing implements [`DetachSelf`].
    fn __offload_detach(self) -> Never<T>
    where
        Self: DetachSelf<T>,
    {
        unreachable!("`DetachSelf` is implemented by nothing")
    }
}

impl<T: ?Sized> UndetachedSelf<T> for Receiver<'_, T> {}

/// Explains why an executor cannot be cloned.
pub trait Uncloned<'a, T: ?Sized>: Sized {
    /// Never called, as nothing implements [`CloneExecutor`].
    fn __offload_cloned(self) -> &'a T
    where
        Self: CloneExecutor<T>,
    {
        unreachable!("`CloneExecutor` is implemented by nothing")
    }
}

impl<'a, T: ?Sized> Uncloned<'a, T> for Held<'a, T> {}

/// Receives what is to be borrowed.
#[inline]
pub fn borrow<L: Loan>(loan: &L) -> &L::Target {
    loan.borrow()
}

/// Receives what may be there to be borrowed.
#[inline]
pub fn borrow_option<L: OptionLoan>(loan: &L) -> Option<&L::Target> {
    loan.borrow()
}

/// Receives an owned value.
#[inline]
pub fn take<P: Parcel>(parcel: P) -> P::Contents {
    parcel.open()
}

/// An executor, held by what will move.
#[derive(Debug)]
pub struct Held<'a, E: ?Sized>(pub &'a E);

impl<E: Clone> Held<'_, E> {
    /// Clones it.
    #[inline]
    #[must_use]
    pub fn __offload_cloned(self) -> E {
        self.0.clone()
    }
}

/// What became of a job, on its way to the caller of the method.
#[derive(Debug)]
pub struct Outcome<T> {
    result: Result<T, Error>,
    site: &'static Site,
}

/// The outcome of the job from `site`.
pub fn outcome<T>(result: Result<T, Error>, site: &'static Site) -> Outcome<T> {
    Outcome { result, site }
}

impl<T, E: From<Error>> Outcome<Result<T, E>> {
    /// Gives the value, goes on with a panic, returns a refusal as the method's own error.
    ///
    /// Being inherent, it is preferred over [`Settle::__offload_settle`] wherever its bounds hold: the type decides, under
    /// whatever name it is written.
    #[track_caller]
    pub fn __offload_settle(self) -> Result<T, E> {
        match self.result {
            Ok(value) => value,
            Err(Error::Panicked(panic)) => panic.resume(),
            Err(refusal) => Err(E::from(refusal)),
        }
    }
}

/// How the outcome settles where a refusal has no place in the result.
pub trait Settle {
    /// The method's result.
    type Value;

    /// Gives the value, goes on with a panic, panics on a refusal.
    fn __offload_settle(self) -> Self::Value;
}

impl<T> Settle for Outcome<T> {
    type Value = T;

    #[track_caller]
    fn __offload_settle(self) -> T {
        match self.result {
            Ok(value) => value,
            Err(Error::Panicked(panic)) => panic.resume(),
            Err(refusal) => refused(self.site, &refusal),
        }
    }
}

#[cold]
#[track_caller]
fn refused(site: &Site, refusal: &Error) -> ! {
    match std::error::Error::source(refusal) {
        Some(source) => panic!("`{site}` was refused: {refusal}: {source}"),
        None => panic!("`{site}` was refused: {refusal}"),
    }
}
