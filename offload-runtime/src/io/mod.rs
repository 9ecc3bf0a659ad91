//! Blocking readers and writers as async ones: [`AsyncIo`].
//!
//! `mod.rs` what users call · `operations.rs` the operations as polls · `shared.rs` what the task shares with the worker.
//! `pending.rs` bytes on their way to the worker · `ahead.rs` bytes that came from it · `tokio.rs`, `futures.rs` the traits.
//!
//! # One job at a time
//! The file lies in a slot. Each operation is a job that takes it out, works on it and puts it back. So no user code runs under the slot's lock, and
//! a refused job leaves the file where it is. The next operation first awaits the job of the one before. That is why a dropped future
//! loses nothing: its job's outcome is kept for the next operation.
//!
//! * A **read** job reads once, as much as it gets, into a buffer that travels with it. It runs only when the task has consumed what was read before:
//!   a reader that is not polled holds no thread, not even one of a pipe that never sends. For the same reason there is no read-ahead by a second job.
//! * A **write** is accepted into [`Pending`]. A job drains that until it is empty, while the task accepts more: buffers are swapped, not copied.
//! * Every job begins with what the position of the file depends on: it **gives back** what was read and not consumed, by seeking back, where
//!   reads and writes share a position, and then **drains** what was accepted.
//!
//! # Why not a byte pipe
//! The crate `piper` was considered. Its ends are polled by two tasks, so the worker's end would need a waker that submits a job. A refusal of that job
//! would have no place to go. Errors, seeks and flushes need a second channel beside it. And each side copies through its ring in pieces, where here a
//! buffer changes hands whole. `benches`, rows `copy`, compares the two: `blocking::Unblock` is built on `piper`.

use std::any::TypeId;
use std::fmt;
use std::fs::File;
use std::future::poll_fn;
use std::io;

use crate::executor::Executor;
use crate::job::{JobHandle, Origin};
use crate::sync::{self, Arc, Mutex};

mod ahead;
#[cfg(feature = "futures-io")]
mod futures;
#[cfg(all(test, offload_loom))]
mod models;
mod operations;
mod pending;
mod shared;
#[cfg(feature = "tokio")]
mod tokio;

use ahead::Ahead;
use shared::{Done, Report, Reposition, Shared, Writing};

/// The default of [`AsyncIo::buffer`], in bytes. With a quarter of it, a copy of files takes up to 1.5 times as long (`benches`, rows `copy`).
const BUFFER: usize = 1 << 20;

/// An async reader and writer over a blocking one.
///
/// Made by [`ExecutorExt::io`](crate::ExecutorExt::io). It implements the traits of tokio (feature `tokio`) and of `futures-io` (feature
/// `futures-io`): `AsyncRead` and `AsyncBufRead` where `T: Read`, `AsyncWrite` where `T: Write`, `AsyncSeek` where `T: Seek`. Each operation
/// is a job on the executor, with its metrics and its span, from the line that called `io`.
///
/// * **Threads.** A job runs only for an operation that was polled, or while accepted bytes are being written. An idle reader or writer holds no
///   thread. A read that waits (a pipe, a terminal) holds one until it returns.
/// * **Reading** takes what one `read` of `T` gives, and up to [`buffer`](Self::buffer) bytes of it. What the caller did not ask for is kept for
///   its next read.
/// * **Writing** accepts bytes and returns. They are written in the background, in order, starting at once. `flush`, `close` and `shutdown` wait
///   until all are written, and flush `T`. They leave it open: dropping an `AsyncIo<ChildStdin>` is what ends the child's input.
/// * **Seeking** writes what was accepted first, and counts from the position that the caller has read to.
/// * **One operation at a time.** A read that waits keeps writes waiting. For a socket, use two handles (`try_clone`).
///
/// # Reading and writing one file
/// What was read ahead is given back before a write: a [`File`] writes where the caller has read to. So does every other `T` that was sought
/// once. Without that, `T` is taken for a stream whose directions are independent, such as a serial port: what was read ahead is kept.
///
/// # Cancel safety
/// Dropping a future of a read loses no bytes: the next read returns them. A write that was not ready has accepted nothing. A seek may or may
/// not have taken effect.
///
/// **Dropping** the value writes what was accepted, in the background, and drops `T` there. Errors are lost: await `flush` first, after
/// which the drop closes `T` at once. Dropping it while a read runs cancels that job, see [`JobHandle`](crate::JobHandle).
///
/// # Panics
/// A panic of `T` is resumed in the task that polls. `T` is dropped, and every later operation fails.
///
/// # Errors
/// Those of `T`, at the operation that caused them or, of a background write and of an operation whose future was dropped, at the next one. Bytes
/// that were accepted and could not be written stay accepted: the next operation tries again, so a second `flush` does not hide the loss. A
/// refusal of the executor is the [`io::Error`] that [`Error`](crate::Error) converts into; it changes nothing, and the operation may be repeated.
///
/// # Examples
/// ```
/// use offload_runtime::{ExecutorExt, ThreadPool};
/// use std::io::SeekFrom;
/// use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let pool = ThreadPool::new(4);
/// let mut file = pool.io(tempfile::tempfile()?);
/// file.write_all(b"Hello, file").await?;
/// file.seek(SeekFrom::Start(7)).await?;
/// let mut word = String::new();
/// file.read_to_string(&mut word).await?;
/// assert_eq!(word, "file");
/// file.with(|file| file.sync_all()).await?; // any other operation of the file
/// # Ok(())
/// # }
/// ```
#[must_use = "an `AsyncIo` does nothing until it is read or written"]
pub struct AsyncIo<T> {
    executor: Box<dyn Executor>,
    origin: Origin,
    shared: Arc<Shared<T>>,
    /// The job that has the file, or had it and has not been looked at since.
    job: Option<JobHandle<Report>>,
    ahead: Ahead,
    capacity: usize,
    /// Moves the position of `T`, where its reads and writes are known to share one.
    reposition: Option<Reposition<T>>,
    /// How `T` is written, if it was written to and not flushed since.
    unflushed: Option<Writing<T>>,
    /// Where the last seek went.
    position: u64,
}

impl<T: Send + 'static> AsyncIo<T> {
    pub(crate) fn new(executor: Box<dyn Executor>, origin: Origin, io: T) -> Self {
        let is_file = TypeId::of::<T>() == TypeId::of::<File>();
        Self {
            executor,
            origin,
            shared: Arc::new(Shared::new(io)),
            job: None,
            ahead: Ahead::default(),
            capacity: BUFFER,
            reposition: is_file.then_some(shared::reposition_file::<T>),
            unflushed: None,
            position: 0,
        }
    }

    /// Sets how many bytes are read ahead, and how many may be accepted while others are being written. 1 MiB by default.
    ///
    /// Up to this much is allocated for reading, and up to twice as much for writing, as it is needed: a job reads 8 KiB at first, or what
    /// the caller asks for, and twice as much each time that `T` fills it. A new value holds from the next job on.
    ///
    /// # Panics
    /// If `bytes` is zero.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    ///
    /// let stdin = ThreadPool::new(1).io(std::io::stdin()).buffer(4096);
    /// ```
    pub fn buffer(mut self, bytes: usize) -> Self {
        assert!(bytes > 0, "`AsyncIo::buffer` needs at least one byte");
        self.capacity = bytes;
        self
    }

    /// Runs `f` on the file, on the executor, after what was accepted has been written.
    ///
    /// For what the traits do not have: `sync_all`, `set_len`, `metadata`. `f` finds the position that a write would find: the one that the caller
    /// has read to or, of a `T` that is taken for a stream, the one behind what was read ahead.
    ///
    /// # Cancel safety
    /// Dropping the future cancels the job: an `f` that has not begun never runs; in one that runs,
    /// [`is_cancelled`](crate::is_cancelled) turns true, and the next operation awaits its end.
    ///
    /// # Panics
    /// A panic of `f` is resumed here. `T` is dropped, and every later operation fails. So it is where `f` ends itself by
    /// [`check_cancelled`](crate::check_cancelled).
    ///
    /// # Errors
    /// That of `f`; or that of a write before it, in which case `f` did not run; or the refusal of the executor.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    ///
    /// # pollster::block_on(async {
    /// let mut file = ThreadPool::new(1).io(tempfile::tempfile()?);
    /// file.with(|file| file.set_len(100)).await?;
    /// assert_eq!(file.with(|file| file.metadata()).await?.len(), 100);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub async fn with<F, R>(&mut self, f: F) -> io::Result<R>
    where
        F: FnOnce(&mut T) -> io::Result<R> + Send + 'static,
        R: Send + 'static,
    {
        poll_fn(|cx| self.poll_idle(cx)).await?;
        let result = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&result);
        self.start(self.before(), move |io| {
            let result = f(io);
            *sync::lock(&slot) = Some(result);
            Ok(Done::Other)
        })?;
        let call = CancelOnDrop(self);
        poll_fn(|cx| call.0.poll_job(cx)).await?;
        let result = sync::lock(&result).take();
        result.expect("a job that is done has run the call")
    }

    /// Writes what was accepted and returns the file, at the position that the caller has read to.
    ///
    /// It is not flushed: that is the caller's choice then. Of a `T` that is taken for a stream, such as a pipe, what was read ahead is lost. So
    /// it is with `into_inner` of a [`BufReader`](std::io::BufReader). Take it by `AsyncBufRead` before.
    ///
    /// # Cancel safety
    /// Dropping the future drops the `AsyncIo`, as above.
    ///
    /// # Panics
    /// If a panic of `T` has not been resumed yet.
    ///
    /// # Errors
    /// That of a write, in which case the file is dropped: `flush` first to keep it.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    /// use std::io::Cursor;
    /// use tokio::io::AsyncWriteExt;
    ///
    /// # pollster::block_on(async {
    /// let mut io = ThreadPool::new(1).io(Cursor::new(Vec::new()));
    /// io.write_all(b"all of it").await?;
    /// assert_eq!(io.into_inner().await?.into_inner(), b"all of it");
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub async fn into_inner(mut self) -> io::Result<T> {
        poll_fn(|cx| self.poll_idle(cx)).await?;
        if !self.shared.pending.is_drained() || !self.ahead.unread().is_empty() {
            self.start(self.before(), |_| Ok(Done::Other))?;
            poll_fn(|cx| self.poll_idle(cx)).await?;
        }
        self.shared.take().ok_or_else(shared::poisoned)
    }
}

/// Cancels the job of a call whose future is dropped.
struct CancelOnDrop<'a, T: Send + 'static>(&'a mut AsyncIo<T>);

impl<T: Send + 'static> Drop for CancelOnDrop<'_, T> {
    fn drop(&mut self) {
        if let Some(job) = &self.0.job {
            job.cancel();
            // It had not begun: no later operation is to see that it was cancelled.
            self.0.job.take_if(|job| job.is_finished());
        }
    }
}

impl<T> Drop for AsyncIo<T> {
    fn drop(&mut self) {
        // Without accepted bytes, a job that has not ended is cancelled by its handle.
        let Some(writing) = self.unflushed else { return };
        match self.job.take() {
            Some(job) if !job.is_finished() && !self.shared.pending.is_drained() => job.detach(),
            job => drop(job),
        }
        // This reference goes with the last job: whichever of them is the last to end, the file is dropped on a worker.
        let shared = std::mem::replace(&mut self.shared, Arc::new(Shared::empty()));
        (writing.finish)(&*self.executor, self.origin, shared);
    }
}

impl<T> fmt::Debug for AsyncIo<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncIo")
            .field("busy", &self.job.as_ref().is_some_and(|job| !job.is_finished()))
            .field("read_ahead", &self.ahead.unread().len())
            .finish_non_exhaustive()
    }
}
