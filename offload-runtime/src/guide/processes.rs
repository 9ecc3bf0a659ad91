//! Processes: a crash, a leak or a hang in a job ends a child, not the service. Feature `process`, Unix only.
//!
//! A thread cannot be stopped, and a segmentation fault in one thread ends all of them. A child process can be killed at any moment, and takes its memory
//! with it. `#[blocking(remote)]` on a [`ProcessPool`](crate::process::ProcessPool) runs the body of a method in such a child. The struct stays
//! here, and only the arguments and the result cross.
//!
//! ```no_run
//! use offload_runtime::process::{self, ProcessPool};
//! use offload_runtime::{Error, blocking};
//! use std::time::Duration;
//!
//! struct Thumbnails {
//!     workers: ProcessPool,
//! }
//!
//! impl Thumbnails {
//!     /// A crash in the decoder ends a child process, not this one.
//!     #[blocking(remote, executor = workers)]
//!     fn average(&self, picture: &[u8]) -> u8 {
//!         let sum: u64 = picture.iter().map(|byte| u64::from(*byte)).sum();
//!         u8::try_from(sum / picture.len() as u64).unwrap_or(u8::MAX)
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     process::init(); // first: a child serves calls here, and never returns
//!     let workers = ProcessPool::builder().max_workers(4).time_limit(Duration::from_secs(5)).memory_limit(512 << 20).build()?;
//!     let thumbnails = Thumbnails { workers };
//!     println!("{}", thumbnails.average(&[1, 2, 3]).await);
//!     Ok(())
//! }
//! ```
//! (`#[tokio::main]` starts its threads before `init`. In a child they are started in vain; a `main` of your own that calls `init` first and builds the
//! runtime after it avoids that.)
//!
//! # When
//! * **Native code that you do not trust**: decoders, parsers, drivers. Whatever they do, the call fails with
//!   [`Error::Died`](crate::Error::Died), which says the signal or the exit code, and the worker is replaced.
//! * **Hard time limits**: [`time_limit`](crate::process::ProcessPoolBuilder::time_limit) kills the worker. A regular expression, a proof search or a
//!   script that never ends costs its time, and no more.
//! * **Leaks**: [`calls_per_worker`](crate::process::ProcessPoolBuilder::calls_per_worker) replaces a worker after so many calls,
//!   [`memory_limit`](crate::process::ProcessPoolBuilder::memory_limit) kills one that has grown.
//! * **State that is global to a process**: locales, interpreters with one lock, libraries that are not thread safe.
//!
//! # When not
//! For CPU-heavy Rust that does not crash, threads do as well and cost less. For work that has to survive this process there is a job system. What the
//! body shares with the service (a cache, a connection, a channel) does not cross.
//!
//! # What it costs
//! | | |
//! |---|---|
//! | Starting a worker | about a millisecond, on demand, and off the caller's path if one is idle |
//! | A call | two copies of the arguments and of the result, and three switches between threads |
//! | A worker at rest | the memory of a process that runs your program up to `init` |
//!
//! `cargo bench -p tests-process --bench speed` measures a round trip against the bare sockets.
//!
//! # What crosses
//! * Arguments and results, by serde. What is borrowed is encoded from the borrow. Errors are part of the result and cross unchanged.
//! * A panic, as text with its location. It is resumed in the awaiting task, with a `String` as payload.
//! * Cancellation, if [`OnDrop::Signal`](crate::process::OnDrop::Signal) says so. By default a call whose future is dropped has its worker killed.
//! * Not `self`: a body that names it does not compile. Pass what it needs.
//!
//! Functions are found by name, `module::method`. Two methods of one name in one module need a `name = "..."`; [`init`](crate::process::init) panics
//! otherwise.
//!
//! # What can go wrong
//! | What happens | What the call says |
//! |---|---|
//! | The worker crashes, exits, is killed, or exceeds the memory limit | [`Error::Died`](crate::Error::Died) |
//! | The time limit is over | [`Error::TimedOut`](crate::Error::TimedOut) |
//! | A payload is too large, or cannot be decoded | [`Error::Codec`](crate::Error::Codec) |
//! | `init` was not called, workers die at their start | [`Error::Unavailable`](crate::Error::Unavailable) |
//! | The program cannot be started | [`Error::Spawn`](crate::Error::Spawn) |
//!
//! No call is repeated by the pool: it may have had effects. Only that one call fails; others, on other workers, do not notice.
//!
//! Workers end with this process, also if it is killed by SIGKILL. A worker that is stopped by SIGSTOP while its parent dies is woken by the system, and
//! ends then.
//!
//! # In tests
//! `cargo test` has a `main` of its own, which does not call `init`. There are two ways:
//! * [`remote::Local(pool)`](crate::remote::Local) runs the same methods on threads, through the same encoding.
//! * [`program(path)`](crate::process::ProcessPoolBuilder::program) runs the workers of another program: a binary of your package that calls `init` and
//!   links your library. In an integration test its path is `env!("CARGO_BIN_EXE_name")`.
//!
//! ```
//! use offload_runtime::remote::{Local, RemoteExecutor};
//! use offload_runtime::{ThreadPool, blocking};
//!
//! struct Texts<E> {
//!     workers: E, // a `ProcessPool` in the service
//! }
//!
//! impl<E: RemoteExecutor> Texts<E> {
//!     #[blocking(remote, executor = workers)]
//!     fn words(&self, text: &str) -> usize {
//!         text.split_whitespace().count()
//!     }
//! }
//!
//! let texts = Texts { workers: Local(ThreadPool::new(1)) };
//! assert_eq!(pollster::block_on(texts.words("to be or not")), 4);
//! ```
//!
//! # What it cannot do
//! It is no sandbox: a worker has the rights of your user, your files and your network. It does not survive a fork of this process by other means. On
//! Windows the feature does not compile.
