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
pub use crate::job::{Judge, Origin, QueueId, Unjudged};
#[doc(hidden)]
pub use crate::permits::Permits;
use crate::sync::{self, Mutex};
use crate::{Error, Executor, Job, JobHandle, Permit, Site, StatefulExecutor};
use std::borrow::{Borrow as _, Cow};
use std::convert::Infallible;
use std::marker::PhantomData;
use std::panic::Location;

#[cfg(feature = "remote")]
#[path = "remote/generated.rs"]
pub mod remote;
#[path = "private/returns.rs"]
mod returns;
#[path = "private/settle.rs"]
mod settle;
#[path = "private/streams.rs"]
mod streams;

#[path = "private/lend.rs"]
mod lend;

pub use crate::default_executor;
pub use lend::{Lender, LendsState, StateOf, Stateless};
pub use returns::{IsErr, Returns, Unjudge};
pub use settle::{Fallible, HoldsRefusal, Outcome, Settle, outcome, panicked, refused, settle_or_panic};
pub use std::clone::Clone;
pub use std::mem::drop;
pub use streams::{
    FallibleIterator, Lent, Owning, Sent, Streamed, Unowned, panicked_stream, pull, push, push_with, refused_stream,
    stream_or_panic, try_pull,
};

/// Submits the job of a `#[blocking]` method.
///
/// The result is the one parameter that can be named, so that generated code can say the user's type: an error about
/// it then stands there.
pub fn submit<T: Send + 'static>(
    executor: &(impl Executor + ?Sized),
    site: &'static Site,
    judge: impl Judge<T>,
    job: impl FnOnce() -> T + Send + 'static,
) -> JobHandle<T> {
    crate::ext::submit_at(executor, site, judge, job)
}

/// Waits for room in the executor of a `#[blocking(wait)]` method.
pub fn reserve<E: Executor + ?Sized>(executor: &E) -> impl Future<Output = Result<Granted<'_, E>, Error>> + Send {
    let permit = crate::permit::reserve(executor);
    async { Ok(Granted(Mutex::new(Some(permit.await?)))) }
}

/// An executor that has room for one job.
#[derive(Debug)]
pub struct Granted<'a, E: Executor + ?Sized>(Mutex<Option<Permit<&'a E>>>);

impl<E: Executor + ?Sized> Executor for Granted<'_, E> {
    fn execute(&self, job: Job) {
        let permit = sync::lock(&self.0).take();
        if let Some(permit) = permit {
            permit.execute(job);
        }
    }

    fn enters_runtime(&self) -> bool {
        sync::lock(&self.0).as_ref().is_none_or(Permit::enters_runtime)
    }
}

impl<E: StatefulExecutor + ?Sized> StatefulExecutor for Granted<'_, E> {
    type State = E::State;
}

/// The handle of a job that was not made, for the reason `why`.
pub fn refuse<T: Send + 'static>(site: &'static Site, why: Error) -> JobHandle<T> {
    crate::permit::refuse_at(site, why)
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

/// The site of a function without `Self`, which `path` gives the whole name of.
#[must_use]
#[track_caller]
pub const fn function_site(name: &'static str, module: &'static str, path: fn() -> &'static str) -> Site {
    let place = Location::caller();
    Site::associated(name, module, path, place.file(), place.line(), place.column())
}

/// The whole name of a function item: `app::Users::create::{{closure}}::here`.
#[must_use]
pub fn name_of<T>(_: &T) -> &'static str {
    std::any::type_name::<T>()
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
    note = "derive `Clone` for `{T}`, with an `Arc` around what must be shared or is expensive to clone",
    note = "a derived `Clone` asks it of the type parameters, too: add these bounds here, or write the `impl` by hand",
    note = "or take `self: &Arc<Self>`, which clones the `Arc` only"
)]
pub trait DetachSelf<T: ?Sized> {}

/// What `T` would have to be for `&self` to cross, if it is `Clone` and not `Sync`. Implemented by nothing.
#[diagnostic::on_unimplemented(
    message = "`&self` crosses to a worker by cloning, and `{T}` is not `Sync`: a write to the clone would be lost",
    label = "this is cloned for the worker",
    note = "something in `{T}` is for one thread only: instead of a `Cell` take an atomic, instead of a `RefCell` a `Mutex`, instead of an `Rc` an `Arc`",
    note = "a connection that is not `Sync` goes into an `Arc<Mutex<..>>`",
    note = "or send only what the body needs: `#[blocking(with(inner = self.inner.clone()))]`",
    note = "where `{T}` is a type parameter, or holds one, add the bound `Sync`"
)]
pub trait ShareSelf<T: ?Sized> {}

/// What `T` would have to be for an argument `&T` to cross, if it is `ToOwned` and not `Sync`. Implemented by nothing.
#[diagnostic::on_unimplemented(
    message = "a borrowed argument crosses to a worker by cloning, and `{T}` is not `Sync`: a write to the clone would be lost",
    label = "this is cloned for the worker",
    note = "take it by value; or instead of a `Cell` take an atomic, instead of a `RefCell` a `Mutex`, instead of an `Rc` an `Arc`",
    note = "where `{T}` is a type parameter, or holds one, add the bound `Sync`"
)]
pub trait Share<T: ?Sized> {}

/// What `T` would have to be for an argument `&T` to cross, if it is not `ToOwned`. Implemented by nothing.
#[diagnostic::on_unimplemented(
    message = "a borrowed argument crosses to a worker by cloning, and `{T}` cannot be cloned",
    label = "this is cloned for the worker",
    note = "take it by value, or as an `Arc<{T}>`; for a type of your own, derive `Clone`",
    note = "where `{T}` is a type parameter, or holds one, add the bound `Clone`"
)]
pub trait Detach<T: ?Sized> {}

/// What an executor would have to be where the value that holds it, `self` or an argument, moves to the worker, if
/// it is not `Clone`. Implemented by nothing.
#[diagnostic::on_unimplemented(
    message = "the executor is cloned before what holds it moves to a worker, or for a stream that keeps it, and `{T}` is not `Clone`",
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

impl<T: Clone + Sync> Receiver<'_, T> {
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

impl<T: ToOwned + Sync + ?Sized + 'static> Argument<&T> {
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

impl<T: ToOwned + Sync + ?Sized + 'static> Argument<Option<&T>> {
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
///
/// For a borrow there are two, tried in this order: it is not `Sync`; it cannot be cloned. The second is implemented
/// for references, which the compiler takes only if the first does not apply.
pub mod fallback {
    pub use super::{
        Owning as _, Settle as _, Stateless as _, Uncloned as _, Undetached as _, UndetachedSelf as _, Unjudge as _,
        Unowned as _, Unshared as _, UnsharedSelf as _,
    };
}

/// Explains why an argument that could be cloned is not.
pub trait Unshared<T: ?Sized>: Sized {
    /// Never called, as nothing implements [`Share`].
    fn __offload_detach(self) -> Never<T>
    where
        Self: Share<T>,
    {
        unreachable!("`Share` is implemented by nothing")
    }
}

impl<T: ToOwned + ?Sized> Unshared<T> for Argument<&T> {}
impl<T: ToOwned + ?Sized> Unshared<T> for Argument<Option<&T>> {}

/// Explains why a `self` that could be cloned is not.
pub trait UnsharedSelf<T: ?Sized>: Sized {
    /// Never called, as nothing implements [`ShareSelf`].
    fn __offload_detach(self) -> Never<T>
    where
        Self: ShareSelf<T>,
    {
        unreachable!("`ShareSelf` is implemented by nothing")
    }
}

impl<T: Clone> UnsharedSelf<T> for Receiver<'_, T> {}

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

impl<T: ?Sized> Undetached<T> for &Argument<&T> {}
impl<T: ?Sized> Undetached<T> for &Argument<Option<&T>> {}

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

impl<T: ?Sized> UndetachedSelf<T> for &Receiver<'_, T> {}

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
