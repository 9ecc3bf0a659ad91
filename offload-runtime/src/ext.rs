//! What users call on an executor.

use crate::error::Error;
use crate::executor::{Executor, submit};
#[cfg(any(feature = "tokio", feature = "futures-io"))]
use crate::io::AsyncIo;
use crate::job::{JobHandle, Judge, Origin, Unjudged};
use crate::limited::Limited;
use crate::site::Site;
use crate::stream::{self, BlockingStream, Produced, Yielder};

/// The methods of everything that is an [`Executor`].
///
/// # Examples
/// See [`submit`](Self::submit) and [`limited`](Self::limited).
pub trait ExecutorExt: Executor {
    /// Submits `f` and returns the handle that awaits it.
    ///
    /// The job is enqueued (or refused) before this returns, whether or not the handle is ever polled. To be called back, await
    /// the handle in a task of the async runtime; to let it run unobserved, [`detach`](JobHandle::detach) it.
    ///
    /// # Cancel safety
    /// Dropping the handle cancels the job, see [`JobHandle`].
    ///
    /// # Errors
    /// None here: a refusal is what the handle resolves to.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    ///
    /// let pool = ThreadPool::new(4);
    /// let lines = pool.submit(|| std::fs::read_to_string("Cargo.toml").map(|text| text.lines().count()));
    /// assert!(pollster::block_on(lines).unwrap().unwrap() > 1);
    /// ```
    #[track_caller]
    #[inline]
    fn submit<F, T>(&self, f: F) -> JobHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        submit(self, Origin::of_caller(), Unjudged, f)
    }

    /// Returns a stream of what the iterator yields that `f` makes. Both run on this executor, from the first poll on.
    ///
    /// The iterator runs ahead of the consumer, up to 64 items or as [`buffer`](BlockingStream::buffer) says. When the buffer is full, it leaves its
    /// thread. See [`BlockingStream`] for what is dropped where, and for refusals.
    ///
    /// The stream keeps a clone of the executor. One that is not `Clone` is given as a reference: `(&POOL).stream(..)` for a `static`.
    ///
    /// # Panics
    /// Not here. Polling panics if the stream is refused, unless [`refused`](BlockingStream::refused) makes an item of that.
    ///
    /// # Examples
    /// ```
    /// use futures::StreamExt as _;
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    ///
    /// # pollster::block_on(async {
    /// let pool = ThreadPool::new(4);
    /// let names = pool.stream(|| {
    ///     let entries = std::fs::read_dir("src").into_iter().flatten();
    ///     entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok())
    /// });
    /// assert!(names.collect::<Vec<_>>().await.contains(&"lib.rs".to_owned()));
    /// # });
    /// ```
    #[track_caller]
    fn stream<F, I>(&self, f: F) -> BlockingStream<I::Item>
    where
        Self: Clone + Sized + 'static,
        F: FnOnce() -> I + Send + 'static,
        I: Iterator<Item: Send + 'static> + Send + 'static,
    {
        stream::pull(self.clone(), Origin::of_caller(), f)
    }

    /// As [`stream`](Self::stream), with an iterator of `Result`s that `f` may fail to make.
    ///
    /// A failure to begin is the only item.
    ///
    /// # Errors
    /// A refusal is the last item: `Err(E::from(error))`.
    ///
    /// # Examples
    /// ```
    /// use futures::TryStreamExt as _;
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    /// use std::fs::File;
    /// use std::io::{self, BufRead, BufReader};
    ///
    /// # pollster::block_on(async {
    /// let pool = ThreadPool::new(4);
    /// let mut lines = pool.try_stream(|| Ok(BufReader::new(File::open("Cargo.toml")?).lines()));
    /// assert_eq!(lines.try_next().await?.as_deref(), Some("[package]"));
    ///
    /// let mut missing = pool.try_stream(|| Ok(BufReader::new(File::open("missing")?).lines()));
    /// assert_eq!(missing.try_next().await.unwrap_err().kind(), io::ErrorKind::NotFound);
    /// # io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    #[track_caller]
    fn try_stream<F, I, T, E>(&self, f: F) -> BlockingStream<Result<T, E>>
    where
        Self: Clone + Sized + 'static,
        F: FnOnce() -> Result<I, E> + Send + 'static,
        I: Iterator<Item = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        stream::try_pull(self.clone(), Origin::of_caller(), f).refused(|refusal| Err(refusal.into()))
    }

    /// Returns a stream of what `f` sends. It runs on this executor, from the first poll on.
    ///
    /// It is for iterators that borrow (the rows of a statement, the entries of an archive) and for code that is no iterator.
    /// [`send`](Yielder::send) blocks while the buffer is full, so a slow consumer holds the thread. The items are `T` where `f` returns `()`,
    /// and `Result<T, E>` where it returns `Result<(), E>`: an error is the last item.
    ///
    /// # Panics
    /// Not here. Where `f` returns `()`, polling panics if the stream is refused, unless [`refused`](BlockingStream::refused) makes an item of that.
    ///
    /// # Errors
    /// Where `f` returns a `Result<(), E>`, a refusal is the last item: `Err(E::from(error))`.
    ///
    /// # Examples
    /// ```
    /// use futures::TryStreamExt as _;
    /// use offload_runtime::{Error, ExecutorExt, ThreadPool, Yielder};
    ///
    /// # pollster::block_on(async {
    /// let text = String::from("one two three"); // its words borrow
    /// let words = ThreadPool::new(1).generate(move |out: &mut Yielder<String>| {
    ///     for word in text.split(' ') {
    ///         out.send(word.to_owned())?; // ends the body when the stream is dropped
    ///     }
    ///     Ok::<(), Error>(())
    /// });
    /// assert_eq!(words.try_collect::<Vec<_>>().await?, ["one", "two", "three"]);
    /// # Ok::<(), Error>(())
    /// # }).unwrap();
    /// ```
    #[track_caller]
    fn generate<F, T, R>(&self, f: F) -> BlockingStream<R::Item>
    where
        Self: Clone + Sized + 'static,
        F: FnOnce(&mut Yielder<T>) -> R + Send + 'static,
        T: 'static,
        R: Produced<T> + 'static,
    {
        stream::push(self.clone(), Origin::of_caller(), f)
    }

    /// Returns a view of this executor that runs at most `n` of its jobs at once. The view holds a clone of the executor.
    ///
    /// See [`Limited`], and [`Limited::new`] for an executor that is not `Clone`.
    ///
    /// # Panics
    /// If `n` is zero.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    ///
    /// let pool = ThreadPool::default();
    /// let database = pool.limited(4); // as many as there are connections
    /// assert_eq!(pollster::block_on(database.submit(|| 1)).unwrap(), 1);
    /// ```
    fn limited(&self, n: usize) -> Limited<Self>
    where
        Self: Clone + 'static,
    {
        assert!(n > 0, "`ExecutorExt::limited`: a view needs to run at least one job at once");
        Limited::new(self.clone(), n)
    }

    /// Makes an async reader and writer of a blocking one, whose operations run on this executor.
    ///
    /// See [`AsyncIo`]. Feature `tokio` or `futures-io`.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    /// use std::process::{Command, Stdio};
    /// use tokio::io::AsyncBufReadExt;
    ///
    /// # pollster::block_on(async {
    /// let pool = ThreadPool::new(4);
    /// let mut child = Command::new("echo").arg("one line").stdout(Stdio::piped()).spawn()?;
    /// let output = pool.io(child.stdout.take().expect("it is piped"));
    /// assert_eq!(output.lines().next_line().await?.as_deref(), Some("one line"));
    /// pool.submit(move || child.wait()).await??;
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    #[cfg(any(feature = "tokio", feature = "futures-io"))]
    #[track_caller]
    fn io<T>(&self, io: T) -> AsyncIo<T>
    where
        Self: Clone + Sized + 'static,
        T: Send + 'static,
    {
        AsyncIo::new(Box::new(self.clone()), Origin::of_caller(), io)
    }
}

impl<E: Executor + ?Sized> ExecutorExt for E {}

/// Submits `f` from `site`; `judge` tells which results are errors. Called by generated code.
pub(crate) fn submit_at<E, F, T>(executor: &E, site: &'static Site, judge: impl Judge<T>, f: F) -> JobHandle<T>
where
    E: Executor + ?Sized,
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    submit(executor, Origin::of_site(site), judge, f)
}
