//! The guide: what to do with this crate, and what to know before.
//!
//! The pages of the items say what each of them does. These chapters go the other way, from what you have or want to the items. Each can
//! be read alone. What a chapter claims, its snippets assert wherever that can be done in a few lines, and they run with the tests of the
//! crate; the rest is in `tests/contract`, by the number that stands beside it (C1 to C12).
//!
//! | Chapter | The question |
//! |---|---|
//! | [`from_spawn_blocking`] | I have `spawn_blocking` everywhere. What does a method look like after, and what behaves differently? |
//! | [`from_tornado`] | I know `run_on_executor` and `IOLoop.run_in_executor`. What is what here? |
//! | [`executors`] | Which executor, how many threads, how long a queue, and what happens when it is full? |
//! | [`figures`] | What do the figures of a pool mean, and which of them says that it is too small? |
//! | [`cancellation`] | A client hangs up, a timeout fires. What stops, what goes on, and how does a job find out? |
//! | `processes` (feature `process`) | How do I keep a crash, a leak or a hang of a job out of my process? |
//! | [`testing`] | How do I test code that uses `#[blocking]`, without sleeps, and its failures too? |
//! | [`writing_executors`] | How do I write an executor of my own, and how do I know that it is right? |
//! | [`alternatives`] | When is all this the wrong tool, and which is the right one? |
//!
//! # In one minute
//! A service is a struct that is cheap to clone, with its executors as fields. Its methods are plain Rust that may block; `#[blocking]`
//! makes them async. Handlers await them.
//!
//! ```
//! use offload_runtime::{Error, ThreadPool, blocking};
//! use std::collections::HashMap;
//! use std::sync::{Arc, Mutex};
//!
//! #[derive(Clone)]
//! struct Accounts {
//!     executor: ThreadPool,
//!     names: Arc<Mutex<HashMap<u32, String>>>, // stands for a database
//! }
//!
//! impl Accounts {
//!     /// The result has a place for a refusal (`Error`): an overloaded or closed pool is an `Err` here.
//!     #[blocking]
//!     fn name(&self, id: u32) -> Result<Option<String>, Error> {
//!         Ok(self.names.lock().unwrap().get(&id).cloned())
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     // No more than 4 queries at once, no more than 100 waiting; whoever comes beyond that is told so at once.
//!     let executor = ThreadPool::builder().max_threads(4).queue_capacity(100).thread_name("db").build();
//!     let names = HashMap::from([(1, "Ada".to_owned())]);
//!     let accounts = Accounts { executor, names: Arc::new(Mutex::new(names)) };
//!
//!     assert_eq!(accounts.name(1).await?.as_deref(), Some("Ada"));
//!
//!     // Before the process ends: nothing new is taken, what is there ends.
//!     accounts.executor.shutdown().await;
//!     assert!(matches!(accounts.name(1).await, Err(Error::ShutDown)));
//!     Ok(())
//! }
//! ```
//!
//! `submit` and `limited` are methods of [`ExecutorExt`](crate::ExecutorExt), which has to be imported where they are called.
//!
//! # Five things that surprise
//! 1. **A `#[blocking]` method is lazy**, as every `async fn` is: until its future is polled, nothing is submitted. `#[blocking(handle)]`
//!    submits at the call. See [`from_spawn_blocking`].
//! 2. **Dropping a future or a [`JobHandle`](crate::JobHandle) cancels its job.** A handle that is to be forgotten is
//!    [detached](crate::JobHandle::detach). See [`cancellation`].
//! 3. **A cancelled job that runs keeps its thread** until its body ends: a timeout gives the caller back, not the thread.
//! 4. **A queue has no bound** unless [`queue_capacity`](crate::ThreadPoolBuilder::queue_capacity) gives it one. See [`executors`].
//! 5. **Threads do not keep the process alive.** When `main` returns, what still runs is gone: await
//!    [`shutdown`](crate::ThreadPool::shutdown).

pub mod alternatives;
pub mod cancellation;
pub mod executors;
pub mod figures;
pub mod from_spawn_blocking;
pub mod from_tornado;
#[cfg(feature = "process")]
pub mod processes;
pub mod testing;
pub mod writing_executors;
