//! Coming from Tornado: `run_on_executor`, `run_in_executor` and what belongs to them, side by side with what is here.
//!
//! # A method on the object's executor
//! In Python:
//! ```python
//! class Users:
//!     def __init__(self, db):
//!         self.db = db
//!         self.executor = ThreadPoolExecutor(4)
//!
//!     @run_on_executor
//!     def find(self, email):
//!         return self.db.find(email)
//!
//! user = await users.find("ada@example.com")
//! ```
//! Here:
//! ```
//! use offload_runtime::{ThreadPool, blocking};
//! use std::collections::HashMap;
//! use std::sync::Arc;
//!
//! #[derive(Clone)]
//! struct Users {
//!     db: Arc<HashMap<String, u32>>, // stands for a database
//!     executor: ThreadPool,
//! }
//!
//! impl Users {
//!     #[blocking]
//!     fn find(&self, email: &str) -> Option<u32> {
//!         self.db.get(email).copied()
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! # let db = Arc::new(HashMap::from([("ada@example.com".to_owned(), 1)]));
//! # let users = Users { db, executor: ThreadPool::new(4) };
//! let user = users.find("ada@example.com").await;
//! # assert_eq!(user, Some(1));
//! # }
//! ```
//!
//! # What is what
//! | Tornado, and `concurrent.futures` | Here |
//! |---|---|
//! | `@run_on_executor` | [`#[blocking]`](macro@crate::blocking): the field `self.executor` |
//! | `@run_on_executor(executor='_pool')` | `#[blocking(executor = _pool)]`: a name, not a string, looked up by the compiler |
//! | `ThreadPoolExecutor(4)` | [`ThreadPool::new(4)`](crate::ThreadPool::new); its threads leave after having been idle |
//! | `executor.submit(f, x)` | [`executor.submit(move \|\| f(x))`](crate::ExecutorExt::submit) |
//! | `IOLoop.current().run_in_executor(executor, f, x)` | the same, awaited |
//! | `IOLoop.current().run_in_executor(None, f, x)` | the same on [`default_executor()`](crate::default_executor); or `#[blocking]` on a function without `self` |
//! | `IOLoop.current().set_default_executor(e)` | [`set_default_executor(e)`](crate::set_default_executor): once per process, before the first use |
//! | the default executor: five threads per core | the default: a [`ThreadPool`](crate::ThreadPool) of at most 64 threads, or one per core if that is more |
//! | `callback=` (until Tornado 6), `future.add_done_callback(g)` | a task of the async runtime that awaits, and goes on |
//! | `IOLoop.add_callback` from the thread | nothing: the result comes back to who awaits; for more than one, a channel |
//! | `await gen.multi([a, b])` | `join!`, or `try_join!` |
//! | `gen.with_timeout`, which does not cancel | `tokio::time::timeout`, which does: [`cancellation`](super::cancellation) |
//! | `cancel()` of a `concurrent.futures.Future`, while it waits | [`JobHandle::cancel`](crate::JobHandle::cancel), or dropping; a job that runs is told |
//! | `executor.shutdown(wait=True)` | [`pool.shutdown().await`](crate::ThreadPool::shutdown), or [`wait_timeout`](crate::Shutdown::wait_timeout) |
//! | `executor.shutdown(cancel_futures=True)` | [`pool.shutdown_now()`](crate::ThreadPool::shutdown_now), by which jobs that run are told |
//! | `tornado.concurrent.dummy_executor` | [`Inline`](crate::Inline): [`testing`](super::testing) |
//! | `ProcessPoolExecutor`, to compute in parallel | a `ThreadPool` with a thread per core |
//!
//! # By name, by call, by default
//! The three ways of Tornado in one program:
//! ```
//! use offload_runtime::{Error, ExecutorExt, ThreadPool, blocking, set_default_executor};
//!
//! #[derive(Clone)]
//! struct Handler {
//!     _pool: ThreadPool,
//! }
//!
//! impl Handler {
//!     // @run_on_executor(executor='_pool')
//!     #[blocking(executor = _pool)]
//!     fn render(&self, name: &str) -> String {
//!         format!("<p>{name}</p> by {}", thread_name())
//!     }
//! }
//!
//! // No object and no executor: runs on the default.
//! #[blocking]
//! fn default_thread() -> String {
//!     thread_name()
//! }
//!
//! fn thread_name() -> String {
//!     std::thread::current().name().unwrap_or_default().to_owned()
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Error> {
//!     // IOLoop.current().set_default_executor(...): first thing in `main`.
//!     let usual = ThreadPool::builder().max_threads(8).thread_name("usual").build();
//!     set_default_executor(usual).expect("nothing has used it yet");
//!
//!     let pool = ThreadPool::builder().max_threads(2).thread_name("pages").build();
//!     let handler = Handler { _pool: pool.clone() };
//!     assert!(handler.render("Ada").await.starts_with("<p>Ada</p> by pages-"));
//!
//!     // await IOLoop.current().run_in_executor(pool, thread_name)
//!     assert!(pool.submit(thread_name).await?.starts_with("pages-"));
//!
//!     // await IOLoop.current().run_in_executor(None, thread_name)
//!     assert!(default_thread().await.starts_with("usual-"));
//!     Ok(())
//! }
//! ```
//!
//! # Callbacks
//! `run_background(func, callback, args)` and its like become a task that awaits. The callback runs on the async runtime, as it ran on
//! the loop. That nothing of the loop may be touched from a thread is a rule in Tornado; here the types say what may cross.
//! ```
//! use offload_runtime::{ExecutorExt, ThreadPool};
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() {
//!     let pool = ThreadPool::new(2);
//!     let job = pool.submit(|| 6 * 7); // runs from here on
//!     let task = tokio::spawn(async move {
//!         let answer = job.await.unwrap();
//!         format!("called back with {answer}")
//!     });
//!     assert_eq!(task.await.unwrap(), "called back with 42");
//! }
//! ```
//!
//! # What is different
//! * **It does not begin at the call.** `users.find(x)` of Tornado submits; here its future does, when it is first polled. Write
//!   `#[blocking(handle)]` for a method that submits at the call and returns a [`JobHandle`](crate::JobHandle):
//!   [`from_spawn_blocking`](super::from_spawn_blocking#it-is-lazy) shows both.
//! * **Forgetting cancels.** A Python future that nobody keeps lets its function run. A handle that is dropped cancels its job; call
//!   [`detach`](crate::JobHandle::detach) to let it run.
//! * **`self` is cloned, not shared.** The thread works on a clone, so the struct is a handle: `Arc`s around what is shared, a lock where
//!   it is written. `&mut self` is refused, and a value that must not leave its thread is refused by the compiler.
//! * **Exceptions are two things.** An error that callers expect is a `Result`, and comes back as it is. A panic goes on in who awaits,
//!   with its payload. Neither ends the thread. What the executor has to say (it is closed, it is full) is an [`Error`](crate::Error).
//! * **A queue can have a bound.** `ThreadPoolExecutor` queues without end. [`queue_capacity`](crate::ThreadPoolBuilder::queue_capacity)
//!   refuses beyond it: [`executors`](super::executors).
//! * **Python waits for the threads of its executors at exit; `main` does not.** Await `shutdown()` for work that must be finished.
//! * **Threads compute in parallel**, so an executor for computing is of use, with as many threads as there are cores, beside the one for
//!   waiting.
//! * **Arguments are checked, and owned.** What is borrowed is cloned for the thread (a `&str` crosses as a `String`), what is owned is
//!   moved.
//!
//! Tornado's own tests of the decorator, asked of this crate by the same names, are in `tests/behaviour/tornado.rs`.
