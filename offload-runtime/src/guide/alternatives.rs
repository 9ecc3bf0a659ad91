//! When not to use this crate, and what to use instead.
//!
//! It is for one thing: a call that blocks for a while, made from async code, whose result somebody awaits. Where that is not what you
//! have, something else is better.
//!
//! | You have | Use |
//! |---|---|
//! | a protocol with a good async client (HTTP, Postgres, Redis) | that client: thousands of connections that wait need no thread each |
//! | very many sockets or timers | the async runtime itself, for the same reason |
//! | a loop over data that all cores should share | rayon's parallel iterators; a job here is one call on one thread |
//! | a loop that lives as long as the process: a device, a message queue, a watcher of files | a thread of its own, and a channel |
//! | state that may not leave its thread (`Rc`, most GUI toolkits) | a `LocalSet` of tokio, if its code is async; a thread and a channel, if it blocks |
//! | file I/O in such quantity that the hand-over matters | a runtime on `io_uring` (`tokio-uring`, `compio`, `monoio`), or reads large enough that it does not |
//! | work that must survive a crash, be retried, or run elsewhere | a job queue with a store: this one ends with its process |
//! | a call of a few microseconds | the call, in place |
//! | one blocking call in a whole program | `tokio::task::spawn_blocking`, and no further dependency |
//! | a borrow that can't be cloned, on tokio's multi-threaded runtime | `tokio::task::block_in_place` |
//! | a program without anything async | threads: `std::thread::scope`, or rayon |
//!
//! # How short is too short?
//! A call here costs an allocation and two hand-overs between threads, there and back. Each may be a system call and a change of context;
//! count on some microseconds if the worker is still looking for work, some tens if it sleeps, and measure it on your machine (in the
//! repository, `cargo run --release -p benches -- --row round-trip`, and `round-trip-quiet`). The async runtime, on the other hand, is
//! held up for as long as a call in place takes. So:
//! * under 10 microseconds, and always so: in place. A lock of a `HashMap`, a short hash, formatting.
//! * over 100 microseconds, or *sometimes* so: here. A file may be in the cache or on a disk that is busy; a lock may be held by someone
//!   who does I/O.
//! * in between: whichever reads better. Or make it longer: one job for a hundred rows, not a hundred jobs.
//!
//! # Data parallelism
//! Splitting a computation into jobs and awaiting them works, but each part pays for its own hand-over, and a part that is finished early
//! does not help the others. rayon divides the work as threads come free. The two go together: a rayon pool is an executor (feature
//! `rayon`), so a method that computes on all cores is awaited like any other.
//! ```
//! # #[cfg(feature = "rayon")]
//! # mod with_rayon {
//! use offload_runtime::blocking;
//! use rayon::prelude::*;
//! use std::sync::Arc;
//!
//! #[derive(Clone)]
//! struct Statistics {
//!     executor: Arc<rayon::ThreadPool>,
//! }
//!
//! impl Statistics {
//!     #[blocking]
//!     fn sum_of_squares(&self, values: Vec<u64>) -> u64 {
//!         values.par_iter().map(|value| value * value).sum() // on all threads of that pool
//!     }
//! }
//!
//! pub fn main() -> Result<(), rayon::ThreadPoolBuildError> {
//!     let executor = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(2).build()?);
//!     let sum = pollster::block_on(Statistics { executor }.sum_of_squares((1..=100).collect()));
//!     assert_eq!(sum, 338_350);
//!     Ok(())
//! }
//! # }
//! # #[cfg(feature = "rayon")]
//! # with_rayon::main().unwrap();
//! ```
//!
//! # A loop that never ends
//! In a pool it takes a thread away for good, looks like a job that hangs, and keeps `shutdown` from resolving. It wants a thread, and a
//! channel to it whose end is its end:
//! ```
//! use std::thread;
//! use tokio::sync::{mpsc, oneshot};
//!
//! /// What the thread is asked.
//! struct Add(u64, oneshot::Sender<u64>);
//!
//! /// A thread with a state of its own, which need not be `Send`.
//! fn start() -> (mpsc::Sender<Add>, thread::JoinHandle<()>) {
//!     let (requests, mut inbox) = mpsc::channel(16); // senders wait where it is full
//!     let thread = thread::spawn(move || {
//!         let total = std::rc::Rc::new(std::cell::Cell::new(0));
//!         while let Some(Add(value, answer)) = inbox.blocking_recv() {
//!             total.set(total.get() + value);
//!             let _ = answer.send(total.get()); // `Err`: nobody waits any more
//!         }
//!     });
//!     (requests, thread)
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() {
//!     let (requests, thread) = start();
//!     for (value, total) in [(1, 1), (2, 3)] {
//!         let (answer, wait) = oneshot::channel();
//!         requests.send(Add(value, answer)).await.unwrap();
//!         assert_eq!(wait.await, Ok(total));
//!     }
//!     drop(requests); // the loop ends
//!     thread.join().unwrap();
//! }
//! ```
//! Where the requests are calls, an [`Executor`](crate::Executor) with one thread is the same with less to write:
//! [`writing_executors`](super::writing_executors#one-thread-one-bound).
//!
//! # Work that must not be lost
//! Jobs are closures in memory. `shutdown` finishes what is there, if the process is given the time; a crash, `kill -9` or a lost machine
//! takes the queue with it. A mail that must be sent, an invoice that must be written: put a row into a database, in the transaction that
//! causes it, and let a worker take rows, here or on another machine. The worker's blocking steps may be `#[blocking]` again.
//!
//! # What this crate does not do
//! * **Priorities.** Jobs of a pool begin in the order of their submission. Two classes of work are two pools, or two views.
//! * **Stopping threads.** See [what can't be stopped](super::cancellation#what-cant-be-stopped).
//! * **Very many cores with very short jobs.** Every submit and every run takes the pool's one lock for some tens of nanoseconds. That is
//!   a few million jobs per second for the whole pool, however many cores there are; `benches/README.md` has the reckoning, and the peers
//!   that go further at the price of order.
