//! Testing code that uses `#[blocking]`: without sleeps, without luck, and its failures too.
//!
//! A method with `#[blocking]` is tested as any `async fn` is: under `#[tokio::test]`, or by a bare `pollster::block_on`, since it needs
//! no runtime (C12). A `ThreadPool::new(1)` per test is cheap: to make it starts nothing, its first job starts a thread. Most tests need
//! no more than that; what follows is for the rest.
//!
//! # Let the test choose the executor
//! Three ways, from the least to the most that the type shows:
//! * a field `executor: ThreadPool`, made by whoever makes the service: tests give a small one, a closed one, a full one;
//! * a field `executor: Arc<dyn Executor>`, for which tests can put in anything below, and no type changes (`shutdown` is not of the
//!   trait: who makes the service keeps a clone of the pool);
//! * a parameter, `struct Service<E> { executor: E }` with `impl<E: Executor + Clone + 'static> Service<E>`, without the indirection.
//!
//! The synchronous body can be tested alone: `#[blocking(sync = find_sync)]` keeps it.
//!
//! # On the test's own thread: `Inline`
//! [`Inline`](crate::Inline) runs each job where it is submitted. Jobs run in the order of the calls, thread-locals of the test are there
//! (a captured log, a fake clock), and a debugger steps into the body.
//! ```
//! use offload_runtime::{Executor, Inline, ThreadPool, blocking};
//! use std::cell::Cell;
//! use std::sync::Arc;
//!
//! thread_local!(static NOW: Cell<u64> = const { Cell::new(0) });
//!
//! #[derive(Clone)]
//! struct Vouchers {
//!     executor: Arc<dyn Executor>,
//! }
//!
//! impl Vouchers {
//!     #[blocking]
//!     fn is_expired(&self, until: u64) -> bool {
//!         NOW.get() > until
//!     }
//! }
//!
//! // #[test]
//! fn a_voucher_expires() {
//!     let vouchers = Vouchers { executor: Arc::new(Inline) };
//!     NOW.set(10);
//!     assert!(!pollster::block_on(vouchers.is_expired(10)));
//!     NOW.set(11);
//!     assert!(pollster::block_on(vouchers.is_expired(10)));
//! }
//! # a_voucher_expires();
//! # let on_a_pool = Vouchers { executor: Arc::new(ThreadPool::new(1)) };
//! # assert!(!pollster::block_on(on_a_pool.is_expired(10)));
//! ```
//! Inside tokio it blocks the thread that submits, as the body does: other tasks of a current-thread runtime stand still meanwhile, and a body
//! that calls `Handle::block_on` panics, since the thread drives the runtime already.
//!
//! It has no concurrency at all: two calls under `join!` run one after the other, a timeout around a call cannot fire before the body has
//! returned, and a body that waits for what a later call is to do waits for ever. Such tests want a pool.
//!
//! Functions without `self` run on the default executor, which is set once per *process*: a test binary that calls
//! `set_default_executor(Inline)` does so for all its tests. `#[blocking(executor = pool)]` with an argument `pool` avoids that.
//!
//! # In a known order: `limited(1)`
//! `ThreadPool::new(1)` and a view `limited(1)` run jobs one at a time, in the order of their submission, on another thread. So a job
//! that was submitted later and has ended tells that all before it have:
//! ```
//! use offload_runtime::{ExecutorExt, ThreadPool};
//! use std::sync::{Arc, Mutex};
//!
//! let (pool, log) = (ThreadPool::new(1), Arc::new(Mutex::new(Vec::new())));
//! for line in ["first", "second"] {
//!     let log = Arc::clone(&log);
//!     pool.submit(move || log.lock().unwrap().push(line)).detach(); // nobody awaits these
//! }
//! pollster::block_on(pool.submit(|| ())).unwrap(); // but they have ended now
//! assert_eq!(*log.lock().unwrap(), ["first", "second"]);
//! ```
//!
//! # A gate instead of a sleep
//! "While the first query is running, …" is a state that a test has to bring about, not to wait for. A gate is a job's start that can be
//! awaited, and an end that the test decides. Two channels are enough:
//! ```
//! use offload_runtime::{Error, Executor, ExecutorExt, JobHandle, ThreadPool, blocking};
//! use std::sync::mpsc::{self, Sender};
//!
//! /// A thread of an executor that is held, until this is dropped.
//! struct Held {
//!     _open: Sender<()>,
//!     _job: JobHandle<()>,
//! }
//!
//! fn hold(executor: &impl Executor) -> Held {
//!     let ((open, gate), (began, begins)) = (mpsc::channel(), mpsc::channel());
//!     let job = executor.submit(move || {
//!         began.send(()).unwrap();
//!         let _ = gate.recv();
//!     });
//!     begins.recv().expect("it began"); // the thread is held from here on
//!     Held { _open: open, _job: job }
//! }
//!
//! #[derive(Clone)]
//! struct Accounts {
//!     executor: ThreadPool,
//! }
//!
//! impl Accounts {
//!     #[blocking(handle)]
//!     fn rename(&self, id: u32, renamed: Sender<u32>) -> Result<(), Error> {
//!         renamed.send(id).map_err(|_| Error::Lost)
//!     }
//! }
//!
//! // #[test]
//! fn a_rename_that_is_given_up_while_it_waits_does_not_happen() {
//!     let accounts = Accounts { executor: ThreadPool::new(1) };
//!     let (renamed, names) = mpsc::channel();
//!     let held = hold(&accounts.executor);
//!     let given_up = accounts.rename(1, renamed.clone()); // waits for certain
//!     let awaited = accounts.rename(2, renamed);
//!     drop(given_up);
//!     drop(held);
//!     pollster::block_on(awaited).unwrap().unwrap();
//!     assert_eq!(names.iter().collect::<Vec<_>>(), [2]);
//! }
//! # a_rename_that_is_given_up_while_it_waits_does_not_happen();
//! ```
//! For several threads, hold as many. To have two jobs *run* at the same moment, give both a `Barrier`. `hold` and a queue of one make a
//! pool that is full for real:
//! ```
//! # use offload_runtime::{Error, ExecutorExt, ThreadPool};
//! # use std::sync::mpsc;
//! let full = ThreadPool::builder().max_threads(1).queue_capacity(0).build();
//! # let (open, gate) = mpsc::channel::<()>();
//! # let _held = full.submit(move || drop(gate.recv())); // here the place is taken by being submitted
//! // let _held = hold(&full);
//! assert!(matches!(pollster::block_on(full.submit(|| ())), Err(Error::QueueFull)));
//! # drop(open);
//! ```
//!
//! # A paused clock
//! `tokio::time::pause()` and `#[tokio::test(start_paused = true)]` let the clock jump to the next timer whenever the runtime has nothing to do.
//! The runtime does not know of jobs on a `ThreadPool`: while one runs, it has nothing to do, and a `timeout` around the call fires at once.
//! Tokio knows its own blocking pool and keeps the clock while that works. So such tests use a [`Handle`](tokio::runtime::Handle) as the
//! executor (feature `tokio`), or [`Inline`](crate::Inline):
//! ```
//! use offload_runtime::{ExecutorExt, ThreadPool};
//! use std::time::Duration;
//! use tokio::time::timeout;
//!
//! // #[tokio::test(start_paused = true)]
//! # #[cfg(feature = "tokio")]
//! async fn a_call_is_in_time() {
//!     let hour = Duration::from_secs(3_600);
//!     let (handle, pool) = (tokio::runtime::Handle::current(), ThreadPool::new(1));
//!     let work = || std::thread::sleep(Duration::from_millis(20));
//!     assert!(timeout(hour, handle.submit(work)).await.is_ok());
//!     assert!(timeout(hour, pool.submit(work)).await.is_err()); // an hour has passed at once
//! }
//! # #[cfg(feature = "tokio")]
//! # {
//! # let mut runtime = tokio::runtime::Builder::new_current_thread();
//! # runtime.enable_time().start_paused(true).build().unwrap().block_on(a_call_is_in_time());
//! # }
//! ```
//!
//! # Counting what happened
//! The [figures](super::figures) of a pool are exact, and a job that was awaited is in them: that nothing was submitted twice, that a
//! cached answer cost no job, that a call that was given up never ran.
//! ```
//! use offload_runtime::{ThreadPool, blocking};
//! use std::collections::HashMap;
//! use std::sync::{Arc, Mutex};
//!
//! #[derive(Clone)]
//! struct Users {
//!     executor: ThreadPool,
//!     cache: Arc<Mutex<HashMap<u32, String>>>,
//! }
//!
//! impl Users {
//!     #[blocking]
//!     fn load(&self, id: u32) -> String {
//!         format!("user {id}")
//!     }
//!
//!     async fn name(&self, id: u32) -> String {
//!         if let Some(name) = self.cache.lock().unwrap().get(&id) {
//!             return name.clone();
//!         }
//!         let name = self.load(id).await;
//!         self.cache.lock().unwrap().insert(id, name.clone());
//!         name
//!     }
//! }
//!
//! // #[test]
//! fn a_cached_name_costs_no_job() {
//!     let users = Users { executor: ThreadPool::new(1), cache: Arc::default() };
//!     for _ in 0..3 {
//!         assert_eq!(pollster::block_on(users.name(7)), "user 7");
//!     }
//!     let metrics = users.executor.metrics();
//!     assert_eq!((metrics.submitted(), metrics.completed()), (1, 1));
//!     let [load] = metrics.by_site() else { panic!("{metrics}") };
//!     assert_eq!(load.site().to_string(), "Users::load");
//! }
//! # a_cached_name_costs_no_job();
//! ```
//! `cancelled_before_start`, `refused_queue_full`, `peak_running` and `panicked` are asserted in the same way, and `queued` tells that a
//! job that was submitted by a task does wait now. Do not assert times.
//!
//! # Executors that refuse
//! What does a handler answer when the pool is full, closed, out of threads? Each takes an executor of a few lines:
//! ```
//! use offload_runtime::{Error, Executor, Job, ThreadPool, blocking};
//! use std::io;
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicUsize, Ordering};
//!
//! /// Refuses each job, for the reason that is made for it.
//! struct Refuses(fn() -> Error);
//!
//! impl Executor for Refuses {
//!     fn execute(&self, job: Job) {
//!         job.refuse((self.0)());
//!     }
//! }
//!
//! /// Drops each job: `Error::Lost`, what a crashed executor looks like.
//! struct Loses;
//!
//! impl Executor for Loses {
//!     fn execute(&self, job: Job) {
//!         drop(job);
//!     }
//! }
//!
//! /// Refuses every second job, so that a retry succeeds.
//! struct EverySecond(AtomicUsize, ThreadPool);
//!
//! impl Executor for EverySecond {
//!     fn execute(&self, job: Job) {
//!         match self.0.fetch_add(1, Ordering::Relaxed) % 2 {
//!             0 => job.refuse(Error::QueueFull),
//!             _ => self.1.execute(job),
//!         }
//!     }
//! }
//!
//! #[derive(Clone)]
//! struct Files {
//!     executor: Arc<dyn Executor>,
//! }
//!
//! impl Files {
//!     #[blocking]
//!     fn size(&self, path: &str) -> io::Result<u64> {
//!         Ok(std::fs::metadata(path)?.len())
//!     }
//! }
//!
//! let size = |executor: Arc<dyn Executor>| {
//!     let files = Files { executor };
//!     [(); 2].map(|()| pollster::block_on(files.size("Cargo.toml")).map_err(|error| error.kind()))
//! };
//! let full = size(Arc::new(Refuses(|| Error::QueueFull)));
//! assert_eq!(full, [Err(io::ErrorKind::ResourceBusy); 2]);
//! let no_thread = size(Arc::new(Refuses(|| Error::Spawn(io::ErrorKind::OutOfMemory.into()))));
//! assert_eq!(no_thread, [Err(io::ErrorKind::OutOfMemory); 2]);
//! assert_eq!(size(Arc::new(Loses)), [Err(io::ErrorKind::Other); 2]);
//! let [first, second] = size(Arc::new(EverySecond(AtomicUsize::new(0), ThreadPool::new(1))));
//! assert!(first.is_err() && second.is_ok());
//! ```
//! A pool that is closed needs none: `pool.close()` before the call.
//!
//! # Step by step
//! An executor that keeps what it is given lets the test decide when each job runs, and look at everything in between:
//! ```
//! use offload_runtime::{Executor, ExecutorExt, Job};
//! use std::collections::VecDeque;
//! use std::sync::{Arc, Mutex};
//!
//! #[derive(Clone, Default)]
//! struct Steps(Arc<Mutex<VecDeque<Job>>>);
//!
//! impl Executor for Steps {
//!     fn execute(&self, job: Job) {
//!         self.0.lock().unwrap().push_back(job);
//!     }
//! }
//!
//! impl Steps {
//!     /// Runs the next job, here. Returns whether there was one.
//!     fn step(&self) -> bool {
//!         let job = self.0.lock().unwrap().pop_front(); // the lock is released before the job runs
//!         job.map(Job::run).is_some()
//!     }
//! }
//!
//! let steps = Steps::default();
//! let (first, second) = (steps.submit(|| 1), steps.submit(|| 2));
//! assert!(steps.step());
//! assert!(first.is_finished() && !second.is_finished());
//! drop(second);
//! assert!(steps.step()); // there, but cancelled: nothing runs
//! assert!(!steps.step());
//! ```
