//! What a method returns for the outcome of its job.

use crate::{Error, Panic, Site};

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

/// A result that can hold a refusal: its error type `E` is `From<Error>`.
///
/// A trait of its own says in the user's terms what to do where it is not. `E` is a parameter, as in the traits above.
#[diagnostic::on_unimplemented(
    message = "`{E}` cannot hold a refusal: it is not `From<offload_runtime::Error>`",
    label = "what would the caller get if the pool is shut down or its queue is full?",
    note = "if `{E}` is yours, write `impl From<offload_runtime::Error> for {E}`; of a type parameter ask it as a bound",
    note = "if it is not, return an error that can: `offload_runtime::Error`, `std::io::Error`, `String`, or a type of your own",
    note = "or convert in the attribute: `#[blocking(refused = path)]`, with a function `fn(offload_runtime::Error) -> {E}`",
    note = "or let the caller panic: `#[blocking(refused = panic)]`"
)]
pub trait HoldsRefusal<E> {
    /// Makes an error of it.
    fn error_of(refusal: Error) -> E;
}

#[diagnostic::do_not_recommend]
impl<T, E: From<Error>> HoldsRefusal<E> for Outcome<Result<T, E>> {
    fn error_of(refusal: Error) -> E {
        refusal.into()
    }
}

impl<T, E> Outcome<Result<T, E>> {
    /// Gives the value, goes on with a panic, returns a refusal as the method's own error.
    ///
    /// Being inherent, it is preferred over [`Settle::__offload_settle`] for every `Result`: the type decides, under
    /// whatever name it is written.
    #[track_caller]
    pub fn __offload_settle(self) -> Result<T, E>
    where
        Self: HoldsRefusal<E>,
    {
        refused(self, Self::error_of)
    }
}

/// A `Result`, under whatever name.
#[diagnostic::on_unimplemented(
    message = "`refused` and `panicked` make the error of a method's `Result`, and `{Self}` is not a `Result`",
    label = "there is no error type that this could give",
    note = "return a `Result`, or leave the option out; if the impl block has it, write `refused = panic` or `panicked = resume` at this method"
)]
pub trait Fallible {
    /// Its error type.
    type Error;

    /// The result with this error.
    fn failed(error: Self::Error) -> Self;
}

impl<T, E> Fallible for Result<T, E> {
    type Error = E;

    fn failed(error: E) -> Self {
        Err(error)
    }
}

/// Gives the value, goes on with a panic, returns a refusal as what `convert` makes of it.
#[track_caller]
pub fn refused<R: Fallible>(outcome: Outcome<R>, convert: impl FnOnce(Error) -> R::Error) -> R {
    match outcome.result {
        Ok(value) => value,
        Err(Error::Panicked(panic)) => panic.resume(),
        Err(refusal) => R::failed(convert(refusal)),
    }
}

/// Makes what `convert` makes of a panic the method's own error.
pub fn panicked<R: Fallible>(outcome: Outcome<R>, convert: impl FnOnce(Panic) -> R::Error) -> Outcome<R> {
    let result = match outcome.result {
        Err(Error::Panicked(panic)) => Ok(R::failed(convert(panic))),
        result => result,
    };
    Outcome { result, site: outcome.site }
}

/// Gives the value, goes on with a panic, panics on a refusal.
#[track_caller]
pub fn settle_or_panic<T>(outcome: Outcome<T>) -> T {
    match outcome.result {
        Ok(value) => value,
        Err(Error::Panicked(panic)) => panic.resume(),
        Err(refusal) => refusal.panic_in(outcome.site),
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
        settle_or_panic(self)
    }
}
