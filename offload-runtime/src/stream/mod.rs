//! Blocking iterators and producers as streams.
//!
//! `channel.rs` the buffer, and the protocol by which an iterator leaves its thread and comes back · `source.rs` what produces the items ·
//! `slice.rs` the jobs that run it · here what the consumer holds.
//!
//! Each *slice* of a stream is a job: the first one, and one for each time that the iterator is submitted again. The consumer polls the job's
//! handle whenever it has no items. So a refusal, a panic, cancellation and nested use are those of any job. A push body is one slice.
//!
//! An iterator is dropped on a worker. Where the consumer finds it parked, or a queued slice is cancelled or refused, it is given to the
//! executor once more, in a job that drops it. If that job is refused, no worker is left, and it is dropped where it was refused.

mod channel;
#[cfg(all(test, offload_loom))]
mod models;
mod slice;
mod source;

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::stream::{FusedStream, Stream};

use crate::context::CallerContext;
use crate::error::{Error, Panic};
use crate::executor::Executor;
use crate::job::{self, JobHandle, Origin, Unjudged};
use crate::sync::Arc;
use crate::unwind::discard;

use channel::{Channel, Last};
use slice::{Shared, Slice};
use source::{Fallible, Infallible, Pull, Push, Source};
pub use source::{Produced, Stopped, Yielder};

/// How many items a stream buffers unless it is told.
const BUFFER: usize = 64;

/// After so many items in a row, other tasks have their turn.
const MOST_ITEMS: u32 = 64;

/// The items of a blocking iterator, or of a blocking body, awaited one by one.
///
/// It is made by [`ExecutorExt::stream`](crate::ExecutorExt::stream), [`try_stream`](crate::ExecutorExt::try_stream),
/// [`generate`](crate::ExecutorExt::generate) and `#[blocking(stream)]`. It implements [`Stream`], is `Send`, `'static` and `Unpin`, and needs
/// no particular async runtime.
///
/// * **Lazy.** Nothing is submitted before the first poll.
/// * **Bounded.** The worker is at most [`buffer`](Self::buffer) items ahead of what was taken: 64 by default. The error that ends a stream
///   needs no room.
/// * **A slow consumer holds no thread** of an iterator. It leaves its thread soon after the buffer is full. It is submitted again once
///   half of the buffer is free. A body that sends its items keeps its thread until it ends.
/// * **A fast consumer** does not hold a thread for ever: an iterator lets other jobs have their turn after a millisecond.
/// * **Iterators are dropped on a worker**, after the last item or when the stream is dropped. Where the executor takes no more jobs, an
///   iterator that waits for room is dropped on the thread that finds out. The closure of a stream that never began is dropped with the
///   stream.
/// * **Dropping** a stream cancels its job, as dropping a [`JobHandle`] does. An iterator ends after the item that it is at. A body finds
///   that [`send`](Yielder::send) fails. Items that were not taken are dropped with the stream.
/// * **Items that are ready** do not starve other tasks: after 64 of them a poll wakes its task and returns `Pending` once.
/// * **After the end** it stays at the end: every poll returns `None`.
///
/// # Refusals
/// An executor that is shut down or full refuses the stream when it is first polled. It may refuse it later: where it is closed before the
/// stream has ended, or loses its threads. (A full queue refuses no stream that has begun.) A stream does not keep an executor from ending.
/// Items that were produced before come first. Then:
/// * a stream of [`try_stream`](crate::ExecutorExt::try_stream), of `#[blocking(stream)]`, and of a body that returns a `Result`, has the
///   refusal as its last item: `Err(E::from(error))`;
/// * a stream with [`refused`](Self::refused) has what that makes of the refusal as its last item;
/// * any other stream panics when it is polled.
///
/// # Cancel safety
/// Polling is cancel safe: an item that was not returned is returned by the next poll.
///
/// # Panics
/// Polling resumes the panic of the iterator or of the body, after the items before it, unless [`panicked`](Self::panicked) makes an item of it.
///
/// # Examples
/// ```
/// use futures::StreamExt as _;
/// use offload_runtime::{ExecutorExt, ThreadPool};
///
/// # pollster::block_on(async {
/// let mut squares = ThreadPool::new(1).stream(|| (1..=3).map(|n| n * n));
/// assert_eq!(squares.next().await, Some(1));
/// assert_eq!(squares.collect::<Vec<u32>>().await, [4, 9]);
/// # });
/// ```
#[must_use = "a stream does nothing until it is polled"]
pub struct BlockingStream<T: 'static> {
    /// Items that were collected and not yet returned.
    batch: VecDeque<T>,
    /// Items that were returned since the stream was pending.
    in_a_row: u32,
    refused: Option<Box<dyn FnOnce(Error) -> T + Send>>,
    panicked: Option<Box<dyn FnOnce(Panic) -> T + Send>>,
    phase: Phase<T>,
}

enum Phase<T: 'static> {
    /// Not polled yet.
    New {
        start: Box<dyn FnOnce(usize) -> Begun<T> + Send>,
        origin: Origin,
        buffer: usize,
    },
    Begun(Begun<T>),
    /// All items are collected.
    Ended,
}

struct Begun<T: 'static> {
    shared: Arc<Shared<T>>,
    /// The job of the slice, until its end is known.
    handle: Option<JobHandle<()>>,
    /// Why that job has not ended by itself.
    failure: Option<Error>,
}

// Items are moved out, never pinned.
impl<T: 'static> Unpin for BlockingStream<T> {}

impl<T: Send + 'static> BlockingStream<T> {
    fn new(executor: impl Executor + 'static, origin: Origin, source: Box<dyn Source<T>>) -> Self {
        let executor: Arc<dyn Executor> = Arc::new(executor);
        Self::starting(origin, move |buffer| {
            let shared = Arc::new(Shared { channel: Channel::new(buffer), executor, origin });
            let slice = Slice { shared: Arc::clone(&shared), source: Some(source) };
            let context = CallerContext::entering(shared.executor.enters_runtime(), origin);
            let (job, handle) = job::pair_for(origin, move || slice.run(), Unjudged, context);
            shared.channel.submitting(|| shared.executor.execute(job));
            Begun { shared, handle: Some(handle), failure: None }
        })
    }

    /// A stream that is submitted by `start`, which is given the size of the buffer.
    fn starting(origin: Origin, start: impl FnOnce(usize) -> Begun<T> + Send + 'static) -> Self {
        let phase = Phase::New { start: Box::new(start), origin, buffer: BUFFER };
        Self { batch: VecDeque::new(), in_a_row: 0, refused: None, panicked: None, phase }
    }

    /// Sets how many items the worker may be ahead of what was taken. Default: 64.
    ///
    /// Each hand-over between the worker and the consumer takes up to half of the buffer at once. A buffer of 1 hands over each item.
    ///
    /// # Panics
    /// If `items` is zero, or the stream has been polled.
    ///
    /// # Examples
    /// ```
    /// use futures::StreamExt as _;
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    ///
    /// # pollster::block_on(async {
    /// let pages = ThreadPool::new(1).stream(|| (0..9).map(|n| vec![n; 1 << 20])).buffer(2); // 2 MiB at most
    /// assert_eq!(pages.count().await, 9);
    /// # });
    /// ```
    pub fn buffer(mut self, items: usize) -> Self {
        assert!(items > 0, "`BlockingStream::buffer`: a stream needs room for at least one item");
        let Phase::New { buffer, .. } = &mut self.phase else {
            panic!("`BlockingStream::buffer` has to be called before the stream is polled");
        };
        *buffer = items;
        self
    }

    /// Turns a refusal into the last item, where the stream would panic.
    ///
    /// # Examples
    /// ```
    /// use futures::StreamExt as _;
    /// use offload_runtime::{Error, ExecutorExt, ThreadPool};
    ///
    /// # pollster::block_on(async {
    /// let pool = ThreadPool::new(1);
    /// pool.close();
    /// let mut numbers = pool.stream(|| (1..4).map(Some)).refused(|_| None);
    /// assert_eq!(numbers.next().await, Some(None));
    /// assert_eq!(numbers.next().await, None);
    /// # });
    /// ```
    pub fn refused(mut self, convert: impl FnOnce(Error) -> T + Send + 'static) -> Self {
        self.refused = Some(Box::new(convert));
        self
    }

    /// Turns a panic of the iterator or of the body into the last item, where the stream would resume it.
    ///
    /// # Examples
    /// ```
    /// use futures::StreamExt as _;
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    ///
    /// # std::panic::set_hook(Box::new(|_| {}));
    /// # pollster::block_on(async {
    /// let texts = ThreadPool::new(1)
    ///     .stream(|| (0..3).map(|n| if n < 2 { n.to_string() } else { panic!("out of cheese") }))
    ///     .panicked(|panic| panic.message().unwrap_or("?").to_owned());
    /// assert_eq!(texts.collect::<Vec<_>>().await, ["0", "1", "out of cheese"]);
    /// # });
    /// ```
    pub fn panicked(mut self, convert: impl FnOnce(Panic) -> T + Send + 'static) -> Self {
        self.panicked = Some(Box::new(convert));
        self
    }

    /// The job has ended, and all its items were returned.
    fn end(&mut self) -> Option<T> {
        let Phase::Begun(Begun { shared, failure, .. }) = std::mem::replace(&mut self.phase, Phase::Ended) else {
            return None;
        };
        let (refused, panicked) = (self.refused.take(), self.panicked.take());
        let refusal = match failure {
            Some(Error::Panicked(panic)) => match panicked {
                Some(convert) => return Some(convert(panic)),
                None => panic.resume(),
            },
            Some(refusal) => refusal,
            None => match shared.channel.take_last() {
                Last::Interrupted => Error::Cancelled,
                Last::Item(item) => {
                    shared.count_items(1);
                    return Some(item);
                }
                Last::Nothing => return None,
            },
        };
        match refused {
            Some(convert) => Some(convert(refusal)),
            None => refusal.panic_in(&shared.origin.site()),
        }
    }
}

impl<T: Send + 'static> Stream for BlockingStream<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let this = self.get_mut();
        if this.in_a_row >= MOST_ITEMS {
            this.in_a_row = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        loop {
            if let Some(item) = this.batch.pop_front() {
                this.in_a_row += 1;
                if let Phase::Begun(begun) = &mut this.phase
                    && this.batch.len() == begun.shared.channel.low()
                {
                    begun.collect(&mut this.batch);
                }
                return Poll::Ready(Some(item));
            }
            let begun = match &mut this.phase {
                Phase::New { .. } => {
                    if let Phase::New { start, buffer, .. } = std::mem::replace(&mut this.phase, Phase::Ended) {
                        this.phase = Phase::Begun(start(buffer));
                    }
                    continue;
                }
                Phase::Ended => return Poll::Ready(None),
                Phase::Begun(begun) => begun,
            };
            begun.collect(&mut this.batch);
            if !this.batch.is_empty() {
                continue;
            }
            match begun.poll_job(cx) {
                Progress::Waits => {
                    this.in_a_row = 0;
                    return Poll::Pending;
                }
                Progress::Moved => {}
                Progress::Ended => return Poll::Ready(this.end()),
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.phase {
            Phase::New { .. } => (0, None),
            Phase::Ended => (self.batch.len(), Some(self.batch.len())),
            Phase::Begun(begun) => {
                let (ready, upper) = begun.shared.channel.size_hint();
                let lower = self.batch.len() + ready;
                // A refusal or a panic may be one item more.
                let ends_with_item = usize::from(self.refused.is_some() || self.panicked.is_some());
                (lower, upper.and_then(|upper| upper.checked_add(lower)?.checked_add(ends_with_item)))
            }
        }
    }
}

impl<T: Send + 'static> FusedStream for BlockingStream<T> {
    fn is_terminated(&self) -> bool {
        matches!(self.phase, Phase::Ended) && self.batch.is_empty()
    }
}

/// What a consumer without items finds.
enum Progress {
    /// Nothing: its waker is left.
    Waits,
    /// There may be items now, or a slice that is to be submitted.
    Moved,
    Ended,
}

impl<T: Send + 'static> Begun<T> {
    /// Fills the batch if it is empty, and submits the iterator again if it has room.
    fn collect(&mut self, batch: &mut VecDeque<T>) {
        let fills = batch.is_empty();
        let parked = self.shared.channel.collect(batch);
        if fills && !batch.is_empty() {
            self.shared.count_items(batch.len());
        }
        if let Some(source) = parked {
            // The slice before has parked it as the last thing that it did.
            if let Some(before) = self.handle.take() {
                before.detach();
            }
            self.handle = Some(self.shared.submit_again(source));
        }
    }

    fn poll_job(&mut self, cx: &mut Context<'_>) -> Progress {
        let Some(handle) = &mut self.handle else {
            // It has ended before the last look at the buffer.
            return Progress::Ended;
        };
        let channel = &self.shared.channel;
        // For as many items as the producer sends in a row, and not for each of them.
        job::look(|| channel.has_many() || handle.is_finished());
        if !channel.wait(cx.waker().clone()) {
            return Progress::Moved;
        }
        match handle.poll_result::<false>(cx.waker(), || false) {
            Poll::Pending => Progress::Waits,
            Poll::Ready(result) => {
                self.handle = None;
                self.failure = result.err();
                Progress::Moved
            }
        }
    }
}

impl<T: 'static> Drop for BlockingStream<T> {
    fn drop(&mut self) {
        let Phase::Begun(Begun { shared, handle, .. }) = std::mem::replace(&mut self.phase, Phase::Ended) else {
            return;
        };
        // A queued slice gives up its iterator. A running one is cancelled by the time that it finds the stream gone.
        drop(handle);
        let mut remains = shared.channel.stop();
        if let Some(source) = remains.parked.take() {
            shared.give_up(source);
        }
        discard(remains);
    }
}

impl<T: 'static> fmt::Debug for BlockingStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let site = match &self.phase {
            Phase::New { origin, .. } => Some(*origin),
            Phase::Begun(begun) => Some(begun.shared.origin),
            Phase::Ended => None,
        };
        f.debug_struct("BlockingStream").field("site", &site).finish_non_exhaustive()
    }
}

/// A stream of what the iterator yields that `f` makes.
pub(crate) fn pull<F, I>(executor: impl Executor + 'static, origin: Origin, f: F) -> BlockingStream<I::Item>
where
    F: FnOnce() -> I + Send + 'static,
    I: Iterator<Item: Send + 'static> + Send + 'static,
{
    BlockingStream::new(executor, origin, Pull::boxed(move || Infallible(f())))
}

/// As `pull`, with an iterator that `f` may fail to make.
pub(crate) fn try_pull<F, I, T, E>(
    executor: impl Executor + 'static,
    origin: Origin,
    f: F,
) -> BlockingStream<Result<T, E>>
where
    F: FnOnce() -> Result<I, E> + Send + 'static,
    I: Iterator<Item = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    BlockingStream::new(executor, origin, Pull::boxed(move || Fallible(f())))
}

/// A stream of what `f` sends.
pub(crate) fn push<F, T, R>(executor: impl Executor + 'static, origin: Origin, f: F) -> BlockingStream<R::Item>
where
    F: FnOnce(&mut Yielder<T>) -> R + Send + 'static,
    T: 'static,
    R: Produced<T> + 'static,
{
    let stream = BlockingStream::new(executor, origin, Push::boxed(f));
    match R::refused() {
        Some(convert) => stream.refused(convert),
        None => stream,
    }
}

/// A job that is given a state.
type WithState<S> = Box<dyn FnOnce(&mut S) + Send>;

/// As `push`, with what the executor's threads own: `submit` gives it to the job.
pub(crate) fn push_with<E, S, F, T, R>(
    executor: E,
    origin: Origin,
    submit: fn(&E, Origin, WithState<S>) -> JobHandle<()>,
    f: F,
) -> BlockingStream<R::Item>
where
    E: Executor + Clone + 'static,
    S: ?Sized + 'static,
    F: FnOnce(&mut S, &mut Yielder<T>) -> R + Send + 'static,
    T: 'static,
    R: Produced<T> + 'static,
{
    let stream = BlockingStream::starting(origin, move |buffer| {
        let of_give_up: Arc<dyn Executor> = Arc::new(executor.clone());
        let shared = Arc::new(Shared { channel: Channel::new(buffer), executor: of_give_up, origin });
        let of_job = Arc::clone(&shared);
        let job = move |state: &mut S| source::send_all(&of_job, |out: &mut Yielder<T>| f(state, out));
        let mut handle = None;
        shared.channel.submitting(|| handle = Some(submit(&executor, origin, Box::new(job))));
        Begun { shared, handle, failure: None }
    });
    match R::refused() {
        Some(convert) => stream.refused(convert),
        None => stream,
    }
}
