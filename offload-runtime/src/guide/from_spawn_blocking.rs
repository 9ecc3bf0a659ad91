//! Coming from `spawn_blocking`: before and after, and what changes.
//!
//! # Before
//! ```
//! use std::{fs, io, path::Path, sync::Arc};
//!
//! #[derive(Clone)]
//! struct Notes {
//!     root: Arc<Path>,
//! }
//!
//! impl Notes {
//!     fn read_sync(&self, name: &str) -> io::Result<String> {
//!         fs::read_to_string(self.root.join(name))
//!     }
//!
//!     async fn read(&self, name: &str) -> io::Result<String> {
//!         let (this, name) = (self.clone(), name.to_owned());
//!         tokio::task::spawn_blocking(move || this.read_sync(&name)).await.expect("it panicked")
//!     }
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! #     assert!(Notes { root: Path::new(".").into() }.read("Cargo.toml").await.is_ok());
//! # }
//! ```
//!
//! # After
//! ```
//! use offload_runtime::{ThreadPool, blocking};
//! use std::{fs, io, path::Path, sync::Arc};
//!
//! #[derive(Clone)]
//! struct Notes {
//!     root: Arc<Path>,
//!     executor: ThreadPool,
//! }
//!
//! impl Notes {
//!     #[blocking]
//!     fn read(&self, name: &str) -> io::Result<String> {
//!         fs::read_to_string(self.root.join(name))
//!     }
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! #     let notes = Notes { root: Path::new(".").into(), executor: ThreadPool::new(1) };
//! #     assert!(notes.read("Cargo.toml").await.is_ok());
//! # }
//! ```
//! Callers stay as they are: `notes.read("a").await?`. Where something calls `read_sync` too, `#[blocking(sync = read_sync)]` keeps it.
//! What is cloned for the worker is what was cloned by hand: see [what crosses](macro@crate::blocking#what-crosses-to-the-worker).
//!
//! # What changes
//! | | `spawn_blocking` | `#[blocking]` on a [`ThreadPool`](crate::ThreadPool) |
//! |---|---|---|
//! | it is submitted | by the call | by the first poll; with `handle`, by the call |
//! | at once, at most | 512 per runtime, shared with `tokio::fs` and look-ups of host names | what you give the pool |
//! | waiting, at most | no bound | no bound, or [`queue_capacity`](crate::ThreadPoolBuilder::queue_capacity) |
//! | dropped while it waits | it runs all the same | it never runs; what it captured is freed at once (C2) |
//! | dropped while it runs | it runs on | it runs on, and can know it: [`is_cancelled`](crate::is_cancelled) |
//! | it panics | `Err(JoinError)` | the panic goes on in the caller, with its payload (C4) |
//! | it can't be run | `Err(JoinError)`, or a panic if no thread could be started | a typed [`Error`](crate::Error) (C5) |
//! | at the runtime's end | dropping the runtime waits for what runs | nothing waits; await [`shutdown`](crate::ThreadPool::shutdown) |
//! | `Handle::current()` inside | there | there, with the feature `tokio` (C11) |
//! | outside of a tokio runtime | panics | works (C12) |
//!
//! ## It is lazy
//! A `JoinHandle` is of something under way; the future of an `async fn` is of something that has not begun. Code that calls first and
//! awaits later, so that both overlap, needs `handle`, or something that polls both, such as `join!`.
//! ```
//! use offload_runtime::{Error, JobHandle, ThreadPool, blocking};
//! use std::sync::mpsc::{self, Sender};
//!
//! #[derive(Clone)]
//! struct Log {
//!     executor: ThreadPool,
//!     lines: Sender<&'static str>,
//! }
//!
//! impl Log {
//!     #[blocking]
//!     fn lazy(&self) {
//!         self.lines.send("lazy").unwrap();
//!     }
//!
//!     #[blocking(handle)]
//!     fn eager(&self) {
//!         self.lines.send("eager").unwrap();
//!     }
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Error> {
//!     let (lines, log) = mpsc::channel();
//!     let service = Log { executor: ThreadPool::new(1), lines };
//!
//!     let later = service.lazy(); // nothing is cloned, nothing submitted
//!     let now: JobHandle<()> = service.eager(); // submitted, and `'static`: it can be spawned
//!     now.await?;
//!     later.await;
//!     assert_eq!(log.try_iter().collect::<Vec<_>>(), ["eager", "lazy"]);
//!
//!     tokio::join!(service.lazy(), service.lazy()); // both are polled, so both are under way together
//!     Ok(())
//! }
//! ```
//! The future also borrows from `self` and the arguments, so it cannot be spawned as it is:
//! ```compile_fail
//! // `users` does not live long enough: it is borrowed for `'static`.
//! # use offload_runtime::{ThreadPool, blocking};
//! # #[derive(Clone)]
//! # struct Users { executor: ThreadPool }
//! # impl Users { #[blocking] fn find(&self, id: u32) -> u32 { id } }
//! # async fn f(executor: ThreadPool) {
//! let users = Users { executor };
//! tokio::spawn(users.find(1));
//! # }
//! ```
//! An `async move` block around a clone can, and so can what `handle` returns:
//! ```
//! # use offload_runtime::{ThreadPool, blocking};
//! # #[derive(Clone)]
//! # struct Users { executor: ThreadPool }
//! # impl Users { #[blocking] fn find(&self, id: u32) -> u32 { id } #[blocking(handle)] fn start(&self, id: u32) -> u32 { id } }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! # let executor = ThreadPool::new(1);
//! let users = Users { executor };
//! let of_task = users.clone();
//! let task = tokio::spawn(async move { of_task.find(1).await });
//! let job = tokio::spawn(users.start(2)); // `#[blocking(handle)] fn start`
//! # assert_eq!((task.await.unwrap(), job.await.unwrap().unwrap()), (1, 2));
//! # }
//! ```
//!
//! ## Dropping cancels
//! A dropped `JoinHandle` lets its closure run; a dropped [`JobHandle`](crate::JobHandle), or future, cancels its job. So a timeout or a
//! client that hangs up takes its waiting work with it. The same twice, with one thread that is busy:
//! ```
//! use offload_runtime::{ExecutorExt, ThreadPool};
//! use std::sync::mpsc;
//!
//! // With tokio, what nobody waits for is run.
//! let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build()?;
//! let (open, gate) = mpsc::channel::<()>();
//! let (ran, runs) = mpsc::channel();
//! runtime.spawn_blocking(move || gate.recv()); // holds the thread
//! drop(runtime.spawn_blocking(move || ran.send("ran")));
//! drop(open);
//! assert_eq!(runs.recv(), Ok("ran"));
//!
//! // Here it is not, and what it had captured, the sender, is gone when `drop` returns.
//! let pool = ThreadPool::new(1);
//! let (open, gate) = mpsc::channel::<()>();
//! let (ran, runs) = mpsc::channel();
//! pool.submit(move || gate.recv()).detach(); // holds the thread
//! drop(pool.submit(move || ran.send("ran")));
//! assert_eq!(runs.try_recv(), Err(mpsc::TryRecvError::Disconnected));
//! drop(open);
//! # Ok::<(), std::io::Error>(())
//! ```
//! The price: a fire-and-forget `spawn_blocking(f);` becomes [`pool.submit(f).detach()`](crate::JobHandle::detach). A
//! `let _ = pool.submit(f);` cancels. A bare `pool.submit(f);` does too, and the compiler warns:
//! ```compile_fail
//! #![deny(unused_must_use)] // the warning, as an error: dropping a `JobHandle` cancels its job
//! # use offload_runtime::{ExecutorExt, ThreadPool};
//! # let pool = ThreadPool::new(1);
//! pool.submit(|| println!("hardly ever printed"));
//! ```
//! The compiler's own help, to write `let _ =`, silences the warning and cancels all the same. All about this is in
//! [`cancellation`](super::cancellation).
//!
//! ## Errors
//! `spawn_blocking` has one more `Result` around yours, and most code unwraps it. Here a refusal goes into the method's own error type,
//! if that is `From<offload_runtime::Error>` (`io::Error`, `anyhow::Error` and `Box<dyn Error + Send + Sync>` are); if there is no place
//! for it, it is a panic that names the method. So in a service that bounds its queues, let methods return a `Result`, and give your
//! error type a variant for [`QueueFull`](crate::Error::QueueFull): it is the one that a client should be told.
//! [`executors`](super::executors) has it end to end.
//!
//! ## Panics
//! They go where they would have gone without a thread in between: up through the caller. A task of the async runtime that awaits a
//! panicking job panics. To have the panic as a value instead, `submit`, or use `handle`: a `JobHandle` resolves to
//! [`Error::Panicked`](crate::Error::Panicked).
//! ```
//! use offload_runtime::{Error, ThreadPool, blocking};
//!
//! #[blocking(executor = pool)]
//! fn parse(pool: &ThreadPool, text: &str) -> u32 {
//!     text.parse().expect("a number")
//! }
//!
//! #[blocking(executor = pool, handle)]
//! fn parse_apart(pool: &ThreadPool, text: &str) -> u32 {
//!     text.parse().expect("a number")
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() {
//!     # std::panic::set_hook(Box::new(|_| {}));
//!     let pool = ThreadPool::new(1);
//!     let of_task = pool.clone();
//!     let task = tokio::spawn(async move { parse(&of_task, "many").await });
//!     assert!(task.await.unwrap_err().is_panic());
//!     assert!(matches!(parse_apart(&pool, "many").await, Err(Error::Panicked(_))));
//!     assert_eq!(parse(&pool, "7").await, 7); // the thread lives on
//! }
//! ```
//!
//! ## Bounds
//! A semaphore in front of `spawn_blocking` limits how many run. Its permit has to move into the closure, or a caller that is dropped
//! gives it back while the closure still runs. A pool of so many threads, or a view [`limited`](crate::ExecutorExt::limited) to so many
//! of its jobs, is that semaphore: a cancelled job keeps its place until it has really ended, and what waits occupies no thread.
//!
//! ## What the job can see of the runtime
//! With the feature `tokio`, `Handle::current()`, and so `tokio::spawn` and `Handle::block_on`, work inside a job as in `spawn_blocking`,
//! and find the runtime from which the job was submitted. Without it they panic. With the feature `tracing` the span of the caller is
//! current in the job (C11); `spawn_blocking` leaves that to you. A `task_local!` is not carried over, in either.
//!
//! # On tokio's own threads
//! The attribute and the threads are two decisions. With the feature `tokio`, a `tokio::runtime::Handle` is an executor, so that methods
//! can be converted one by one without a new pool, and be given one later:
//! ```
//! # #[cfg(feature = "tokio")]
//! # mod with_tokio {
//! use offload_runtime::{ExecutorExt, Limited, blocking};
//! use tokio::runtime::Handle;
//!
//! #[derive(Clone)]
//! struct Service {
//!     executor: Handle,
//!     database: Limited<Handle>,
//! }
//!
//! impl Service {
//!     #[blocking]
//!     fn thread(&self) -> std::thread::ThreadId {
//!         std::thread::current().id()
//!     }
//!
//!     #[blocking(executor = database)]
//!     fn query(&self, sql: &str) -> usize {
//!         sql.len()
//!     }
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! pub async fn main() {
//!     let executor = Handle::current();
//!     let service = Service { database: executor.clone().limited(4), executor }; // at most 4 queries at once
//!     assert_ne!(service.thread().await, std::thread::current().id());
//!     assert_eq!(service.query("SELECT 1").await, 8);
//! }
//! # }
//! # #[cfg(feature = "tokio")]
//! # with_tokio::main();
//! ```
//! Laziness, panics, errors and cancellation are those of this crate then, a waiting job that is dropped included: its closure is freed
//! at once and never runs. The bound is tokio's, and so is what becomes of waiting jobs when the runtime ends: they run, or resolve as
//! [`Error::Lost`](crate::Error::Lost).
