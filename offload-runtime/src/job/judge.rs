//! Which results of jobs are errors, decided by a type without a value: it costs other jobs nothing.

/// Tells which values of `T` the metrics count as errors.
pub trait Judge<T>: Send + Sized + 'static {
    /// Whether `output` is an error.
    fn is_err(output: &T) -> bool;
}

/// Of a closure given to `submit`, the type of the result is not known: none is an error.
#[derive(Clone, Copy, Debug)]
pub struct Unjudged;

impl<T> Judge<T> for Unjudged {
    #[inline]
    fn is_err(_: &T) -> bool {
        false
    }
}

/// Judges what is in a box.
pub(super) struct InBox<J>(pub(super) J);

impl<T, J: Judge<T>> Judge<Box<T>> for InBox<J> {
    #[inline]
    fn is_err(output: &Box<T>) -> bool {
        J::is_err(output)
    }
}
