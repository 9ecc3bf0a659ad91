//! Choosing executors and sizing them: which one, how many threads, how long a queue, and what happens when it is full.
//!
//! # Which
//! | The work | The executor |
//! |---|---|
//! | waits: a database, files, a client library, a child process | a [`ThreadPool`](crate::ThreadPool) with as many threads as the resource bears users |
//! | computes: hashes, images, compression | a `ThreadPool` with as many threads as there are cores, and a bound on its queue |
//! | computes, with parallel iterators inside | a `rayon::ThreadPool`, by the feature `rayon` |
//! | one after the other, in order: the one writer of a file | [`limited(1)`](crate::ExecutorExt::limited) of a pool |
//! | a resource of few users, among others on the same threads | `limited(n)` of a pool |
//! | must stay on tokio's own threads | a `tokio::runtime::Handle`, by the feature `tokio`; `limited` to have a bound |
//! | belongs to no object | [`default_executor`](crate::default_executor) |
//! | is in a test | [`Inline`](crate::Inline), or a pool all the same: [`testing`](super::testing) |
//!
//! Work that waits and work that computes do not share a pool: what computes wants as few threads as cores, what waits as many as it has
//! things to wait for, and the first would sit on the threads of the second.
//!
//! # One pool per resource
//! A pool is where a slow resource stops. If the database hangs, all threads that may call it hang, and everything else that needs one of
//! them waits for the database too:
//! ```
//! use offload_runtime::{ExecutorExt, ThreadPool};
//! use std::sync::mpsc::{self, Receiver};
//!
//! fn hanging() -> (mpsc::Sender<()>, impl FnOnce() + Send + 'static) {
//!     let (end, wait): (_, Receiver<()>) = mpsc::channel();
//!     (end, move || drop(wait.recv()))
//! }
//!
//! # pollster::block_on(async {
//! let (end, query) = hanging();
//! let shared = ThreadPool::new(1);
//! let _database = shared.submit(query);
//! let file = shared.submit(|| "read"); // waits for the database
//! assert!(!file.is_finished());
//! drop(end);
//!
//! let (_end, query) = hanging();
//! let (database, files) = (ThreadPool::new(1), ThreadPool::new(1));
//! let _database = database.submit(query);
//! assert_eq!(files.submit(|| "read").await?, "read");
//! # Ok::<(), offload_runtime::Error>(())
//! # }).unwrap();
//! ```
//! A pool that has had nothing to do for a while has no threads, so several are no luxury. Give each a
//! [`thread_name`](crate::ThreadPoolBuilder::thread_name): it is what a debugger, `top -H` and a panic's message show.
//!
//! A [`Limited`](crate::Limited) view bounds a resource without threads of its own. Its jobs wait in the view and not on a thread, and it
//! hands threads back at least every millisecond, between two jobs. It isolates as well as a pool does where a pool is used through views
//! only, and their limits add up to no more than its threads. Two rules:
//! * **A view is made once** and kept, as a field of type `Limited<ThreadPool>`. Each call of `limited` makes another, which knows
//!   nothing of the first:
//!   ```
//!   use offload_runtime::{ExecutorExt, ThreadPool};
//!   use std::sync::{Arc, Barrier};
//!
//!   let pool = ThreadPool::new(2);
//!   let meeting = Arc::new(Barrier::new(2)); // two have to be there at once
//!   let jobs = [(); 2].map(|()| {
//!       let meeting = Arc::clone(&meeting);
//!       pool.clone().limited(1).submit(move || drop(meeting.wait())) // wrong: a view of its own for each job
//!   });
//!   jobs.into_iter().for_each(|job| pollster::block_on(job).unwrap()); // they met
//!   ```
//! * **Its `queue_capacity` is set before it is used or cloned.** If the pool below has a bound too, and refuses the view, the jobs that
//!   wait in the view are refused with the same [`QueueFull`](crate::Error::QueueFull). One bound is enough: have it in the view.
//!
//! # How many threads
//! **What computes:** as many as there are cores. More take turns and do not get more done.
//! ```
//! use offload_runtime::ThreadPool;
//! use std::thread::available_parallelism;
//!
//! let cores = available_parallelism().map_or(1, usize::from);
//! let cpu = ThreadPool::builder().max_threads(cores).queue_capacity(4 * cores).thread_name("cpu").build();
//! ```
//! Under full load there are up to twice as many busy threads as cores then, those of the async runtime included, and the system shares
//! the cores out. Where the runtime's own answers come too late, measure with one thread less.
//!
//! **What waits:** no more than the resource bears, and as many as are busy on average, with some to spare. Little's law has the average:
//! *busy threads = jobs per second × seconds per job*. It holds for any system that keeps up, whatever its arrivals are like.
//!
//! Say 200 requests per second, each with one query of 15 ms: 200 × 0.015 = 3 threads busy. With 3 threads the queue never ends. How many
//! more are needed depends on chance: when several requests come at once, some wait. For arrivals at random and run times that vary about
//! as much as their mean, the mean wait is known (Erlang's formula C):
//! ```
//! use std::time::Duration;
//!
//! fn mean_wait(jobs_per_second: f64, run: Duration, threads: u32) -> Duration {
//!     let busy = jobs_per_second * run.as_secs_f64(); // Little
//!     let utilisation = busy / f64::from(threads);
//!     assert!(utilisation < 1.0, "it does not keep up");
//!     let lost = (1..=threads).map(f64::from).fold(1.0, |lost, n| busy * lost / (n + busy * lost));
//!     let waits = lost / (1.0 - utilisation * (1.0 - lost)); // the share of jobs that have to wait
//!     run.mul_f64(waits / (f64::from(threads) - busy))
//! }
//!
//! let wait = |threads| mean_wait(200.0, Duration::from_millis(15), threads).as_micros();
//! assert_eq!([4, 5, 6].map(wait), [7_641, 1_771, 495]);
//! ```
//! 4 threads, each 75% busy: 7.6 ms of waiting on average, half of what the query itself takes. 5 threads: 1.8 ms. 6 threads: 0.5 ms, and
//! a seventh would hardly be noticed. Six connections, then. The same formula as a table, the mean wait in units of the mean run time:
//!
//! | threads | 50% busy | 70% | 80% | 90% | 95% |
//! |---|---|---|---|---|---|
//! | 1 | 1.00 | 2.33 | 4.00 | 9.00 | 19.0 |
//! | 2 | 0.33 | 0.96 | 1.78 | 4.26 | 9.26 |
//! | 4 | 0.09 | 0.36 | 0.75 | 1.97 | 4.46 |
//! | 8 | 0.02 | 0.11 | 0.29 | 0.88 | 2.11 |
//! | 16 | 0.00 | 0.03 | 0.10 | 0.37 | 0.98 |
//!
//! Read downwards, it says that threads for one resource belong in one pool; read to the right, that the last tenth of a pool is dear.
//! Your run times are other than the formula's: take them from the pool ([`figures`](super::figures)) rather than guess.
//!
//! `max_threads` is a bound, not an allotment: threads are started while jobs wait and leave after
//! [`keep_alive`](crate::ThreadPoolBuilder::keep_alive) without work (C8).
//!
//! # How long a queue
//! As long as the wait that is still worth having. A job that finds *n* others waiting begins after about *n × run time / threads*. So
//! *capacity = longest wait × threads / run time*: callers of the example that give up after 500 ms should not wait more than 250, and 6
//! threads take 250 × 6 / 15 = 100 jobs in that time.
//! ```
//! # use offload_runtime::ThreadPool;
//! let database = ThreadPool::builder().max_threads(6).queue_capacity(100).thread_name("db").build();
//! ```
//! Without a bound, the queue grows for as long as an overload lasts. Six threads do 400 queries per second; if 420 come, a minute later
//! 1,200 wait, for 3 seconds each. Callers that give up take their waiting jobs with them (C2), which helps; but then those that are
//! begun have waited almost until their callers gave up, and many of them end too late. With the bound, the 20 that are too many are told
//! at once.
//!
//! A pool of `m` threads with a capacity of `n` holds `m + n` jobs. A capacity of 0 refuses whatever no thread is free for.
//!
//! # When it is full
//! Submitting never waits for room (C3). It refuses, with [`Error::QueueFull`](crate::Error::QueueFull), before anything has been done,
//! so the call may be made again. Give it a variant of the service's error, and a status:
//! ```
//! use offload_runtime::{Error, ExecutorExt, ThreadPool, blocking};
//! use std::sync::mpsc;
//!
//! #[derive(Debug)]
//! enum AppError {
//!     Busy,
//!     Internal(Box<dyn std::error::Error + Send + Sync>),
//! }
//!
//! impl From<Error> for AppError {
//!     fn from(error: Error) -> Self {
//!         match error {
//!             Error::QueueFull => AppError::Busy,
//!             other => AppError::Internal(other.into()),
//!         }
//!     }
//! }
//!
//! impl AppError {
//!     /// The status, and the seconds for `Retry-After`.
//!     fn response(&self) -> (u16, Option<u32>) {
//!         match self {
//!             AppError::Busy => (503, Some(1)),
//!             AppError::Internal(_) => (500, None),
//!         }
//!     }
//! }
//!
//! #[derive(Clone)]
//! struct Pictures {
//!     cpu: ThreadPool,
//! }
//!
//! impl Pictures {
//!     #[blocking(executor = cpu)]
//!     fn thumbnail(&self, picture: Vec<u8>) -> Result<Vec<u8>, AppError> {
//!         Ok(picture.into_iter().step_by(2).collect())
//!     }
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() {
//!     let pictures = Pictures { cpu: ThreadPool::builder().max_threads(1).queue_capacity(1).build() };
//!     let (end, wait) = mpsc::channel::<()>();
//!     let running = pictures.cpu.submit(move || drop(wait.recv()));
//!     let waiting = pictures.cpu.submit(|| ());
//!
//!     let busy = pictures.thumbnail(vec![1, 2, 3]).await.unwrap_err();
//!     assert_eq!(busy.response(), (503, Some(1)));
//!
//!     drop(end);
//!     running.await.unwrap();
//!     waiting.await.unwrap();
//!     assert_eq!(pictures.thumbnail(vec![1, 2, 3]).await.unwrap(), [1, 3]); // there is room again
//! }
//! ```
//! To wait for room instead, in a program that feeds a pool from a list and has nobody to answer to, bound what is under way on the async
//! side: `buffer_unordered(n)` of a stream, or a semaphore.
//!
//! # The rest of the builder
//! | | When |
//! |---|---|
//! | [`keep_alive`](crate::ThreadPoolBuilder::keep_alive) (10 s) | longer where starting a thread is dear: much in thread-locals, a slow `on_thread_start` |
//! | [`min_threads`](crate::ThreadPoolBuilder::min_threads) (0) | where the first job after a pause must not pay for starting a thread |
//! | [`stack_size`](crate::ThreadPoolBuilder::stack_size) (2 MiB) | deep recursion; memory is taken as the stack is touched, so smaller saves addresses rather than memory |
//! | [`on_thread_start`](crate::ThreadPoolBuilder::on_thread_start) | a connection per thread, a priority, a name in somebody's profiler |
//!
//! # Jobs that wait for jobs
//! A job may await jobs of its own pool, or of a view of it. What it awaits comes before all jobs that are not awaited, and gets one thread more
//! while the job waits, so that a pool cannot deadlock on itself. Jobs that one job awaits together begin in the order in which they were
//! first polled, in a view, too.
//!
//! The pool sees a job that polls a handle. It does not see these, which can deadlock it:
//! * Jobs of *two* pools that wait for each other's threads. Let calls between pools go one way only.
//! * A job that waits for an async *task* which awaits a job of the pool, as by `Handle::block_on(task)`. Submit in the job and await the handle
//!   there, use another pool, or let the async code do the waiting: it holds no thread.
//! * A job that waits for a channel, a barrier or a lock of a queued job. Give the wait a deadline.
//! * A job that gives up what it awaits, by a timeout, keeps the one thread more busy until the inner job has ended.
//!
//! # What threads inherit
//! A thread inherits the CPU affinity and the niceness of the thread whose submission starts it. Where that matters, set them in
//! [`on_thread_start`](crate::ThreadPoolBuilder::on_thread_start), or submit a first job from a thread that has the right ones to a pool with
//! [`min_threads`](crate::ThreadPoolBuilder::min_threads).
//!
//! # After `fork`
//! A child of `fork` without `exec` has none of its parent's threads, but all of its pools, which count on them: jobs that are submitted there
//! wait for threads that do not exist. That goes for the [default executor](crate::default_executor), too: fork before its first use, or use
//! pools in the child that are made there. [`std::process::Command`] is not concerned.
