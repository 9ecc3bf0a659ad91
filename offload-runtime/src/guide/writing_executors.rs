//! Writing an executor: the contract, one of your own with a bound and a thread, and the suite that tests it.
//!
//! The trait has one method that has to be written, [`Executor::execute`](crate::Executor::execute). It is given a [`Job`](crate::Job),
//! one word wide and `Send`, and has two things to do with it: [`run`](crate::Job::run) it on a thread that may block, or
//! [`refuse`](crate::Job::refuse) it. Everything else is the job's own affair, and the same on every executor: its result, its panic, its
//! cancellation, the waker of who awaits it, the tokio runtime of its submitter.
//!
//! # The contract
//! | You do | Because |
//! |---|---|
//! | run each job, or refuse it, or drop it | a job that is dropped resolves as [`Error::Lost`](crate::Error::Lost) (C5); one that is *kept* leaves its caller waiting |
//! | return from `execute` at once | it is called while a future is polled, on a thread of the async runtime (C3) |
//! | call `run`, `refuse` and `drop` on jobs without a lock of your own | they run wakers and destructors, which may come back to you (C6) |
//! | refuse after your shutdown, and let nothing wait then | a caller should hear [`ShutDown`](crate::Error::ShutDown), not silence |
//! | say [`is_closed`](crate::Executor::is_closed), if you know | a `Limited` view asks before it takes a job that it could only refuse later |
//!
//! | You need not | Because |
//! |---|---|
//! | catch panics | `run` never unwinds (C4) |
//! | look at [`is_cancelled`](crate::Job::is_cancelled) | `run` does; a cancelled job has freed what it captured by then (C2), and does nothing |
//! | keep an order | only [`ThreadPool`](crate::ThreadPool) and [`Limited`](crate::Limited) promise one |
//! | run a job only once, resolve a handle only once | neither can be written: `run` and `refuse` take the job (C1) |
//!
//! Two things come for free with the trait: [`submit`](crate::ExecutorExt::submit), and [`limited`](crate::ExecutorExt::limited) with its
//! queue. What an executor of your own does not have is C10: a job that blocks on jobs of the same executor waits for a thread like any
//! other, and can deadlock. (A view of it, `limited(n)`, has that of itself: there such a job begins at once.)
//!
//! # One thread, one bound
//! A thread that owns something for its whole life (a connection that may not move, a device) and does one job after the other, with a
//! queue of so many:
//! ```
//! use offload_runtime::{Error, Executor, Job};
//! use std::io;
//! use std::sync::Mutex;
//! use std::sync::mpsc::{self, SyncSender, TrySendError};
//! use std::thread;
//!
//! struct OneThread {
//!     /// `None` once it is closed. The thread ends when the last sender is dropped, after the jobs that are there.
//!     jobs: Mutex<Option<SyncSender<Job>>>,
//! }
//!
//! impl OneThread {
//!     fn start(name: &str, capacity: usize) -> io::Result<Self> {
//!         let (jobs, queue) = mpsc::sync_channel::<Job>(capacity);
//!         let run_all = move || queue.into_iter().for_each(Job::run);
//!         thread::Builder::new().name(name.into()).spawn(run_all)?;
//!         Ok(Self { jobs: Mutex::new(Some(jobs)) })
//!     }
//!
//!     fn close(&self) {
//!         *self.jobs.lock().unwrap() = None;
//!     }
//! }
//!
//! impl Executor for OneThread {
//!     fn execute(&self, job: Job) {
//!         // Cloned, so that the lock is released before anything happens to the job.
//!         let jobs = self.jobs.lock().unwrap().clone();
//!         let Some(jobs) = jobs else { return job.refuse(Error::ShutDown) };
//!         match jobs.try_send(job) {
//!             Ok(()) => {}
//!             Err(TrySendError::Full(job)) => job.refuse(Error::QueueFull),
//!             Err(TrySendError::Disconnected(job)) => job.refuse(Error::ShutDown),
//!         }
//!     }
//!
//!     fn is_closed(&self) -> bool {
//!         self.jobs.lock().unwrap().is_none()
//!     }
//! }
//!
//! // And it is an executor as any other.
//! use offload_runtime::{ExecutorExt, blocking};
//! use std::sync::Arc;
//!
//! #[derive(Clone)]
//! struct Device {
//!     executor: Arc<OneThread>,
//! }
//!
//! impl Device {
//!     #[blocking]
//!     fn read(&self, register: u8) -> Result<u32, Error> {
//!         assert_eq!(thread::current().name(), Some("device"));
//!         Ok(u32::from(register) * 2)
//!     }
//! }
//!
//! # fn main() -> io::Result<()> {
//! let device = Device { executor: Arc::new(OneThread::start("device", 1)?) };
//! assert_eq!(pollster::block_on(device.read(21)).unwrap(), 42);
//!
//! let ((open, gate), (began, begins)) = (mpsc::channel::<()>(), mpsc::channel());
//! let running = device.executor.submit(move || {
//!     began.send(()).unwrap();
//!     let _ = gate.recv();
//! });
//! begins.recv().unwrap();
//! let waiting = device.executor.submit(|| ());
//! assert!(matches!(pollster::block_on(device.read(1)), Err(Error::QueueFull)));
//!
//! device.executor.close();
//! assert!(matches!(pollster::block_on(device.read(1)), Err(Error::ShutDown)));
//! drop(open);
//! pollster::block_on(running).unwrap();
//! pollster::block_on(waiting).unwrap(); // what was there still ran
//! # Ok(())
//! # }
//! ```
//! What it lacks beside `ThreadPool`, so that you can decide whether it matters: a job that is cancelled while it waits frees what it
//! captured, but its shell keeps a place in the channel until the thread comes to it, and counts against the bound; nobody can wait for
//! the end; nothing is counted; the thread stays when it is idle.
//!
//! # The suite
#![cfg_attr(feature = "testing", doc = "[`conformance`](crate::conformance),")]
#![cfg_attr(not(feature = "testing"), doc = "`conformance`,")]
//! by the feature `testing`, provokes what can go wrong, on any executor, and names it. Have the feature in `[dev-dependencies]` only:
//! ```toml
//! [dev-dependencies]
//! offload-runtime = { version = "0.1", features = ["testing"] }
//! ```
//! Say how the executor is made, and what it promises *beyond* the contract. Each promise adds checks.
//! ```
//! # #[cfg(feature = "testing")]
//! # mod with_testing {
//! use offload_runtime::conformance::Conformance;
//! # use offload_runtime::{Error, Executor, Job};
//! # use std::io;
//! # use std::sync::Mutex;
//! # use std::sync::mpsc::{self, SyncSender, TrySendError};
//! # use std::thread;
//! #
//! # struct OneThread {
//! #     jobs: Mutex<Option<SyncSender<Job>>>,
//! # }
//! #
//! # impl OneThread {
//! #     fn start(name: &str, capacity: usize) -> io::Result<Self> {
//! #         let (jobs, queue) = mpsc::sync_channel::<Job>(capacity);
//! #         let run_all = move || queue.into_iter().for_each(Job::run);
//! #         thread::Builder::new().name(name.into()).spawn(run_all)?;
//! #         Ok(Self { jobs: Mutex::new(Some(jobs)) })
//! #     }
//! #
//! #     fn close(&self) {
//! #         *self.jobs.lock().unwrap() = None;
//! #     }
//! # }
//! #
//! # impl Executor for OneThread {
//! #     fn execute(&self, job: Job) {
//! #         let jobs = self.jobs.lock().unwrap().clone();
//! #         let Some(jobs) = jobs else { return job.refuse(Error::ShutDown) };
//! #         match jobs.try_send(job) {
//! #             Ok(()) => {}
//! #             Err(TrySendError::Full(job)) => job.refuse(Error::QueueFull),
//! #             Err(TrySendError::Disconnected(job)) => job.refuse(Error::ShutDown),
//! #         }
//! #     }
//! #
//! #     fn is_closed(&self) -> bool {
//! #         self.jobs.lock().unwrap().is_none()
//! #     }
//! # }
//!
//! // #[test]
//! pub fn one_thread_conforms() {
//!     // The suite submits some hundred jobs at once and wants them run: the bound is tested apart, as above.
//!     Conformance::of(|| OneThread::start("tested", 10_000).unwrap())
//!         .parallel(1)
//!         .at_most(1)
//!         .in_order()
//!         .closed_by(OneThread::close)
//!         .run();
//! }
//! # }
//! # #[cfg(feature = "testing")]
//! # with_testing::one_thread_conforms();
//! ```
//! It does not promise `nested`, and would not keep it. The suite takes well under a second, and waits for no time to pass unless
//! something is wrong (one check apart, which gives a job that must *not* begin a moment in which it would).
//!
//! # Wrapping one
//! To count, log, delay or refuse some, wrap an executor instead of writing one. A [`Job`](crate::Job) says where it comes from:
//! ```
//! use offload_runtime::{Executor, Job, ThreadPool, blocking};
//! use std::collections::BTreeMap;
//! use std::sync::{Arc, Mutex};
//!
//! #[derive(Clone)]
//! struct Counting<E> {
//!     inner: E,
//!     calls: Arc<Mutex<BTreeMap<String, u32>>>,
//! }
//!
//! impl<E: Executor> Executor for Counting<E> {
//!     fn execute(&self, job: Job) {
//!         *self.calls.lock().unwrap().entry(job.site().to_string()).or_default() += 1;
//!         self.inner.execute(job); // the lock is released
//!     }
//!
//!     fn is_closed(&self) -> bool {
//!         self.inner.is_closed()
//!     }
//! }
//!
//! #[derive(Clone)]
//! struct Users {
//!     executor: Counting<ThreadPool>,
//! }
//!
//! impl Users {
//!     #[blocking]
//!     fn find(&self, id: u32) -> u32 {
//!         id
//!     }
//! }
//!
//! let executor = Counting { inner: ThreadPool::new(1), calls: Arc::default() };
//! let users = Users { executor };
//! assert_eq!(pollster::block_on(users.find(1)) + pollster::block_on(users.find(2)), 3);
//! assert_eq!(users.executor.calls.lock().unwrap()["Users::find"], 2);
//! ```
