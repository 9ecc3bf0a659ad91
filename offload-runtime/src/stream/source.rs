//! What produces the items, on a worker: an iterator, a slice at a time, or a body that sends them.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

use super::channel::Pushed;
use super::slice::Shared;
use crate::error::Error;
use crate::sync::Arc;

/// How long a producer keeps its thread while the consumer keeps up with it. In a model every slice is over at once.
const SLICE: Duration = if cfg!(offload_loom) { Duration::ZERO } else { Duration::from_millis(1) };

/// The clock is read after so many items, and where the consumer had to be woken.
const UNTIMED: u32 = 32;

/// How long an iterator waits for room before it leaves its thread. About as long as the thread would search for another job, and what it costs a
/// pool to run a job and to wake a thread for it.
const LINGER: Duration = Duration::from_micros(50);

/// After waits in vain, so many times in a row at most an iterator leaves at once.
const MOST_SKIPPED: u32 = 63;

/// Whether an iterator waits for room: each wait in vain doubles the number of times that it leaves its thread at once.
#[derive(Default)]
struct Lingering {
    left: u32,
    last: u32,
}

impl Lingering {
    /// Returns whether there is room after a wait, if one is worth it.
    fn wait(&mut self, linger: impl FnOnce() -> bool) -> bool {
        if self.left > 0 {
            self.left -= 1;
            return false;
        }
        let found = !cfg!(offload_loom) && linger();
        self.last = if found { 0 } else { (2 * self.last + 1).min(MOST_SKIPPED) };
        self.left = self.last;
        found
    }
}

/// What produces the items of a stream.
pub(super) trait Source<T>: Send {
    /// Whether it is more than the closure that it was made of: an iterator is dropped on a worker.
    fn has_begun(&self) -> bool;

    /// Produces items until there are none, there is no room, or the slice is over.
    fn run(self: Box<Self>, shared: &Arc<Shared<T>>);
}

/// An iterator, and the closure that makes it. `B`: what the closure returns, [`Begin`].
pub(super) struct Pull<F, B, T>
where
    B: Begin<T>,
{
    make: Option<F>,
    iterator: Option<B::Iterator>,
    lingering: Lingering,
}

/// What a closure returns that begins a stream: an iterator or, in a [`Fallible`], a `Result` of one.
pub(super) trait Begin<T> {
    type Iterator: Iterator<Item = T>;

    /// The iterator, or the error that is the only item.
    fn begin(self) -> Result<Self::Iterator, T>;
}

/// An iterator.
pub(super) struct Infallible<I>(pub(super) I);

impl<I: Iterator> Begin<I::Item> for Infallible<I> {
    type Iterator = I;

    fn begin(self) -> Result<I, I::Item> {
        Ok(self.0)
    }
}

/// A `Result` of an iterator of `Result`s.
pub(super) struct Fallible<I, E>(pub(super) Result<I, E>);

impl<I: Iterator<Item = Result<T, E>>, T, E> Begin<Result<T, E>> for Fallible<I, E> {
    type Iterator = I;

    fn begin(self) -> Result<I, Result<T, E>> {
        self.0.map_err(Err)
    }
}

impl<F, B, T> Pull<F, B, T>
where
    F: FnOnce() -> B + Send + 'static,
    B: Begin<T> + 'static,
    B::Iterator: Send,
    T: Send + 'static,
{
    pub(super) fn boxed(make: F) -> Box<dyn Source<T>> {
        Box::new(Self { make: Some(make), iterator: None, lingering: Lingering::default() })
    }
}

impl<F, B, T> Source<T> for Pull<F, B, T>
where
    F: FnOnce() -> B + Send + 'static,
    B: Begin<T> + 'static,
    B::Iterator: Send,
    T: Send + 'static,
{
    fn has_begun(&self) -> bool {
        self.iterator.is_some()
    }

    fn run(mut self: Box<Self>, shared: &Arc<Shared<T>>) {
        let channel = &shared.channel;
        if let Some(make) = self.make.take() {
            match make().begin() {
                Ok(iterator) => self.iterator = Some(iterator),
                Err(error) => return channel.end_with(error),
            }
        }
        let this = &mut *self;
        let Some(iterator) = &mut this.iterator else { return };
        if channel.begin(iterator.size_hint().1) {
            return;
        }
        let (began, mut untimed) = (Instant::now(), 0);
        loop {
            let Some(item) = iterator.next() else { return };
            let has_waited = match channel.push(item) {
                Pushed::Stopped => return,
                Pushed::Full if !this.lingering.wait(|| channel.linger(LINGER)) => break,
                Pushed::Full => true,
                Pushed::Room { woke } => woke,
            };
            untimed = if has_waited { UNTIMED } else { untimed + 1 };
            if untimed >= UNTIMED {
                untimed = 0;
                if began.elapsed() >= SLICE {
                    break;
                }
            }
        }
        // What comes back is dropped here, on the worker.
        drop(channel.park(self));
    }
}

/// A body that sends the items.
pub(super) struct Push<F, T, R> {
    body: F,
    item: PhantomData<fn(T) -> R>,
}

impl<F, T, R> Push<F, T, R>
where
    F: FnOnce(&mut Yielder<T>) -> R + Send + 'static,
    T: 'static,
    R: Produced<T> + 'static,
{
    pub(super) fn boxed(body: F) -> Box<dyn Source<R::Item>> {
        Box::new(Self { body, item: PhantomData })
    }
}

impl<F, T, R> Source<R::Item> for Push<F, T, R>
where
    F: FnOnce(&mut Yielder<T>) -> R + Send + 'static,
    T: 'static,
    R: Produced<T> + 'static,
{
    fn has_begun(&self) -> bool {
        false
    }

    fn run(self: Box<Self>, shared: &Arc<Shared<R::Item>>) {
        send_all(shared, self.body);
    }
}

/// Runs `body`, which sends its items, and perhaps ends them with an error.
pub(super) fn send_all<T: 'static, R: Produced<T>>(
    shared: &Arc<Shared<R::Item>>,
    body: impl FnOnce(&mut Yielder<T>) -> R,
) {
    let last = {
        let shared = Arc::clone(shared);
        let mut yielder = Yielder { send: Box::new(move |item| shared.send(R::item(item))) };
        body(&mut yielder).last()
    };
    if let Some(last) = last {
        shared.channel.end_with(last);
    }
}

/// What the body of a stream returns: `()`, or a `Result<(), E>` whose error is the last item.
///
/// # Examples
/// See [`ExecutorExt::generate`](crate::ExecutorExt::generate).
#[diagnostic::on_unimplemented(
    message = "a body that sends its items returns `()` or a `Result<(), E>`, not `{Self}`",
    label = "what it sends are the items; what it returns can only end them"
)]
pub trait Produced<T> {
    /// The item of the stream: `T`, or `Result<T, E>`.
    type Item: Send + 'static;

    /// The item that is made of what was sent.
    #[doc(hidden)]
    fn item(sent: T) -> Self::Item;

    /// The last item, if it is an error.
    #[doc(hidden)]
    fn last(self) -> Option<Self::Item>;

    /// What makes the last item of a refusal, if it can.
    #[doc(hidden)]
    fn refused() -> Option<fn(Error) -> Self::Item>;
}

impl<T: Send + 'static> Produced<T> for () {
    type Item = T;

    fn item(sent: T) -> T {
        sent
    }

    fn last(self) -> Option<T> {
        None
    }

    fn refused() -> Option<fn(Error) -> T> {
        None
    }
}

impl<T: Send + 'static, E: From<Error> + Send + 'static> Produced<T> for Result<(), E> {
    type Item = Result<T, E>;

    fn item(sent: T) -> Self::Item {
        Ok(sent)
    }

    fn last(self) -> Option<Self::Item> {
        self.err().map(Err)
    }

    fn refused() -> Option<fn(Error) -> Self::Item> {
        Some(|refusal| Err(refusal.into()))
    }
}

/// Sends the items of a stream, from a body that runs on a worker.
///
/// The body of [`ExecutorExt::generate`](crate::ExecutorExt::generate) is given one, and so is a method under `#[blocking(stream)]`, as its
/// `#[out]` argument.
///
/// # Examples
/// See [`ExecutorExt::generate`](crate::ExecutorExt::generate).
pub struct Yielder<T> {
    send: Box<dyn FnMut(T) -> bool + Send>,
}

impl<T> Yielder<T> {
    /// Sends `item` to the consumer of the stream. Blocks this thread while the buffer is full.
    ///
    /// A sender that waits holds its thread. It goes on once the consumer has taken half of the buffer. The pool starts no other thread in its
    /// place, as this thread does not await a job.
    ///
    /// On [`Inline`](crate::Inline) and `ManualExecutor` the body runs on the thread of its consumer, so it does not wait: the buffer grows.
    ///
    /// # Errors
    /// [`Stopped`] if the stream was dropped, or if its job was cancelled while the sender waited, as
    /// [`shutdown_now`](crate::ThreadPool::shutdown_now) does. The item is dropped here. So will be all others: end the body, as `?` does.
    ///
    /// # Examples
    /// See [`ExecutorExt::generate`](crate::ExecutorExt::generate).
    pub fn send(&mut self, item: T) -> Result<(), Stopped> {
        if (self.send)(item) { Ok(()) } else { Err(Stopped(())) }
    }
}

impl<T> fmt::Debug for Yielder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Yielder").finish_non_exhaustive()
    }
}

/// The stream was dropped, or its job was cancelled: no consumer will take the item.
///
/// `?` turns it into an [`io::Error`] of kind [`BrokenPipe`](io::ErrorKind::BrokenPipe), and into [`Error::Cancelled`]. No caller will see
/// that error, as the stream is gone.
///
/// # Examples
/// ```
/// use offload_runtime::{Error, Stopped};
/// use std::io;
///
/// fn to_io(stopped: Stopped) -> io::Error {
///     stopped.into()
/// }
/// fn to_ours(stopped: Stopped) -> Error {
///     stopped.into()
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped(());

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stream was dropped")
    }
}

impl std::error::Error for Stopped {}

impl From<Stopped> for io::Error {
    fn from(stopped: Stopped) -> Self {
        Self::new(io::ErrorKind::BrokenPipe, stopped)
    }
}

impl From<Stopped> for Error {
    fn from(_: Stopped) -> Self {
        Self::Cancelled
    }
}
