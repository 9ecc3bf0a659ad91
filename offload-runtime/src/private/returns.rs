//! Whether a method returns a `Result`, decided by its type: then the metrics tell its errors from its values.

use std::marker::PhantomData;

use crate::job::{Judge, Unjudged};

/// The result type `T` of a method.
#[derive(Debug)]
pub struct Returns<T>(PhantomData<fn() -> T>);

impl<T> Returns<T> {
    /// The only value.
    pub const TYPE: Self = Self(PhantomData);
}

impl<T, E> Returns<Result<T, E>> {
    /// An `Err` is an error.
    ///
    /// Being inherent, it is preferred over [`Unjudge::__offload_judge`] for every `Result`, under whatever name it is written.
    #[inline]
    #[must_use]
    pub fn __offload_judge(self) -> IsErr {
        IsErr
    }
}

/// Tells the `Err`s of a `Result`.
#[derive(Clone, Copy, Debug)]
pub struct IsErr;

impl<T, E> Judge<Result<T, E>> for IsErr {
    #[inline]
    fn is_err(output: &Result<T, E>) -> bool {
        output.is_err()
    }
}

/// A type that is not a `Result`: no value is an error.
pub trait Unjudge: Sized {
    /// Judges nothing.
    #[inline]
    fn __offload_judge(self) -> Unjudged {
        Unjudged
    }
}

impl<T> Unjudge for Returns<T> {}
