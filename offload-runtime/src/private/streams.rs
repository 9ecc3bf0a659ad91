//! The streams of `#[blocking(stream)]` methods.

use super::{CloneExecutor, Fallible, HoldsRefusal, Settle, StateOf};
use crate::job::Origin;
use crate::stream::{self, Produced};
use crate::{BlockingStream, Error, Executor, Panic, Site, StatefulExecutor, Yielder};

/// A stream that does not yet know what becomes of a refusal.
#[derive(Debug)]
pub struct Streamed<T: 'static>(BlockingStream<T>);

/// The stream of a method that returns an iterator of `T`.
pub fn pull<I, T>(
    executor: impl Executor + 'static,
    site: &'static Site,
    body: impl FnOnce() -> I + Send + 'static,
) -> Streamed<T>
where
    I: Iterator<Item = T> + Send + 'static,
    T: Send + 'static,
{
    Streamed(stream::pull(executor, Origin::of_site(site), body))
}

/// A `Result` of an iterator, under whatever name.
#[diagnostic::on_unimplemented(
    message = "a stream that may fail to begin is a `Result<impl Iterator<Item = Result<T, E>>, E>` with one error type, not `{Self}`",
    label = "its items have to be `Result`s with the error of the `Result` around the iterator",
    note = "map the errors of the items, or return the iterator without a `Result` around it"
)]
pub trait FallibleIterator: Sized {
    /// The item of the stream.
    type Item: 'static;

    /// The stream of a method that returns this.
    fn pull(
        executor: impl Executor + 'static,
        site: &'static Site,
        body: impl FnOnce() -> Self + Send + 'static,
    ) -> Streamed<Self::Item>;
}

impl<I, T, E> FallibleIterator for Result<I, E>
where
    I: Iterator<Item = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    type Item = Result<T, E>;

    fn pull(
        executor: impl Executor + 'static,
        site: &'static Site,
        body: impl FnOnce() -> Self + Send + 'static,
    ) -> Streamed<Self::Item> {
        Streamed(stream::try_pull(executor, Origin::of_site(site), body))
    }
}

/// The stream of a method that returns a `Result` of an iterator of `T`.
pub fn try_pull<R, T>(
    executor: impl Executor + 'static,
    site: &'static Site,
    body: impl FnOnce() -> R + Send + 'static,
) -> Streamed<T>
where
    R: FallibleIterator<Item = T>,
{
    R::pull(executor, site, body)
}

/// What a method with `#[out]` returns: as [`Produced`], with any error.
#[diagnostic::on_unimplemented(
    message = "a method with `#[out]` returns `()` or a `Result<(), E>`, not `{Self}`",
    label = "what it sends are the items; what it returns can only end them"
)]
pub trait Sent<T> {
    /// The item of the stream.
    type Item: Send + 'static;

    /// The item that is made of what was sent.
    fn item(sent: T) -> Self::Item;

    /// The last item, if it is an error.
    fn last(self) -> Option<Self::Item>;
}

impl<T: Send + 'static> Sent<T> for () {
    type Item = T;

    fn item(sent: T) -> T {
        sent
    }

    fn last(self) -> Option<T> {
        None
    }
}

impl<T: Send + 'static, E: Send + 'static> Sent<T> for Result<(), E> {
    type Item = Result<T, E>;

    fn item(sent: T) -> Self::Item {
        Ok(sent)
    }

    fn last(self) -> Option<Self::Item> {
        self.err().map(Err)
    }
}

/// A result of which the method's attribute says what becomes of a refusal.
struct Unsettled<R>(R);

impl<T, R: Sent<T>> Produced<T> for Unsettled<R> {
    type Item = R::Item;

    fn item(sent: T) -> R::Item {
        R::item(sent)
    }

    fn last(self) -> Option<R::Item> {
        self.0.last()
    }

    fn refused() -> Option<fn(Error) -> R::Item> {
        None
    }
}

/// The stream of a method that sends its items.
pub fn push<R, T>(
    executor: impl Executor + 'static,
    site: &'static Site,
    body: impl FnOnce(&mut Yielder<T>) -> R + Send + 'static,
) -> Streamed<R::Item>
where
    R: Sent<T> + 'static,
    T: 'static,
{
    Streamed(stream::push(executor, Origin::of_site(site), move |out: &mut Yielder<T>| Unsettled(body(out))))
}

/// The stream of a method that sends its items, and has a state.
pub fn push_with<R, T, S, E>(
    executor: E,
    site: &'static Site,
    body: impl FnOnce(&mut S, &mut Yielder<T>) -> R + Send + 'static,
) -> Streamed<R::Item>
where
    R: Sent<T> + 'static,
    T: 'static,
    S: StateOf<E> + ?Sized + 'static,
    E: StatefulExecutor + Clone + 'static,
{
    let body = move |state: &mut E::State, out: &mut Yielder<T>| Unsettled(body(S::of(state), out));
    Streamed(crate::stateful::generate_with_at(&executor, Origin::of_site(site), body))
}

#[diagnostic::do_not_recommend]
impl<T, E: From<Error>> HoldsRefusal<E> for Streamed<Result<T, E>> {
    fn error_of(refusal: Error) -> E {
        refusal.into()
    }
}

impl<T: Send + 'static, E: Send + 'static> Streamed<Result<T, E>> {
    /// A refusal is the last item.
    pub fn __offload_settle(self) -> BlockingStream<Result<T, E>>
    where
        Self: HoldsRefusal<E>,
    {
        self.0.refused(|refusal| Err(Self::error_of(refusal)))
    }
}

impl<T: 'static> Settle for Streamed<T> {
    type Value = BlockingStream<T>;

    fn __offload_settle(self) -> BlockingStream<T> {
        self.0
    }
}

/// A refusal panics in the consumer.
pub fn stream_or_panic<T>(stream: Streamed<T>) -> BlockingStream<T> {
    stream.0
}

/// A refusal is the last item, as what `convert` makes of it.
pub fn refused_stream<R: Fallible + Send + 'static>(
    stream: Streamed<R>,
    convert: impl FnOnce(Error) -> R::Error + Send + 'static,
) -> BlockingStream<R> {
    stream.0.refused(|refusal| R::failed(convert(refusal)))
}

/// A panic is the last item, as what `convert` makes of it.
pub fn panicked_stream<R: Fallible + Send + 'static>(
    stream: Streamed<R>,
    convert: impl FnOnce(Panic) -> R::Error + Send + 'static,
) -> Streamed<R> {
    Streamed(stream.0.panicked(|panic| R::failed(convert(panic))))
}

/// An executor that a stream is to keep.
#[derive(Debug)]
pub struct Lent<'a, E: ?Sized>(pub &'a E);

impl<E: Clone> Lent<'_, &E> {
    /// Clones what a reference leads to.
    #[must_use]
    pub fn __offload_owned(self) -> E {
        E::clone(self.0)
    }
}

/// An executor that is `Clone`.
pub trait Owning {
    /// The executor.
    type Executor;

    /// Clones it.
    fn __offload_owned(self) -> Self::Executor;
}

impl<E: Clone> Owning for Lent<'_, E> {
    type Executor = E;

    fn __offload_owned(self) -> E {
        self.0.clone()
    }
}

/// Explains why an executor cannot be kept.
pub trait Unowned<T: ?Sized>: Sized {
    /// Never called, as nothing implements [`CloneExecutor`].
    fn __offload_owned(self) -> &'static dyn Executor
    where
        Self: CloneExecutor<T>,
    {
        unreachable!("`CloneExecutor` is implemented by nothing")
    }
}

impl<T: ?Sized> Unowned<T> for &Lent<'_, T> {}
