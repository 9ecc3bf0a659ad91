//! Cancellation and timeouts: what stops, what goes on, and how a job finds out.
//!
//! # The rule
//! Whoever drops the future of a `#[blocking]` method, or a [`JobHandle`](crate::JobHandle), gives the job up:
//!
//! | The job | What happens (C2) |
//! |---|---|
//! | was not submitted yet (its future was never polled) | nothing was cloned, nothing runs |
//! | waits in a queue | it never runs; it leaves the queue, and what it captured is dropped, before `drop` returns |
//! | runs | [`is_cancelled`](crate::is_cancelled) turns true inside it, its [`on_cancel`](crate::on_cancel) hooks run; its body goes on until it returns; the result is dropped on the worker |
//! | has ended | its result is dropped |
//!
//! `drop` never waits for the job (C3). Three things drop futures: `tokio::time::timeout`, `select!` (the branches that lost) and a
//! server whose client has hung up. None of them needs to know that there is a thread behind the future.
//!
//! On purpose, and without losing the handle, it is [`JobHandle::cancel`](crate::JobHandle::cancel): the same, and the handle then
//! resolves to [`Error::Cancelled`](crate::Error::Cancelled) or, if the body went on to its end, to what it returned.
//!
//! # A timeout
//! ```
//! use offload_runtime::{ThreadPool, blocking, is_cancelled};
//! use std::sync::mpsc::{self, Receiver, Sender};
//! use std::time::Duration;
//!
//! #[derive(Clone)]
//! struct Service {
//!     executor: ThreadPool,
//! }
//!
//! impl Service {
//!     #[blocking(handle)]
//!     fn wait(&self, began: Sender<()>, gate: Receiver<()>, cancelled: Sender<bool>) {
//!         began.send(()).unwrap();
//!         let _ = gate.recv();
//!         cancelled.send(is_cancelled()).unwrap();
//!     }
//!
//!     #[blocking]
//!     fn insert(&self, rows: Sender<u32>, row: u32) {
//!         rows.send(row).unwrap();
//!     }
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() {
//!     let service = Service { executor: ThreadPool::new(1) };
//!     let ((began, begins), (open, gate)) = (mpsc::channel(), mpsc::channel());
//!     let ((cancelled, saw), (rows, inserted)) = (mpsc::channel(), mpsc::channel());
//!     let limit = Duration::from_millis(10);
//!
//!     // One that runs, on the only thread, and one that waits behind it. Both run out of time.
//!     let running = service.wait(began, gate, cancelled);
//!     begins.recv().unwrap();
//!     assert!(tokio::time::timeout(limit, service.insert(rows, 1)).await.is_err());
//!     assert!(tokio::time::timeout(limit, running).await.is_err());
//!
//!     // What waited is gone, its sender too. What ran is there still, until it looks.
//!     assert!(inserted.recv().is_err());
//!     assert_eq!(service.executor.running_jobs().len(), 1);
//!     drop(open);
//!     assert_eq!(saw.recv(), Ok(true));
//! }
//! ```
//! So after a timeout the caller does not know whether the work was done: the body may have been before its last line, or behind it. What
//! must not be done twice has to be made idempotent, or carried to its end as shown [below](#to-its-end-whoever-waits).
//!
//! # `select!`
//! The branches that lose are dropped, and their jobs cancelled. In a loop that is a trap: a future made inside the `select!` begins a
//! new job in each round and cancels it in the next. Make a handle before the loop, and lend it:
//! ```
//! use offload_runtime::{Error, ExecutorExt, ThreadPool};
//! use std::time::Duration;
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Error> {
//!     let pool = ThreadPool::new(1);
//!     let (open, gate) = std::sync::mpsc::channel();
//!     let mut job = pool.submit(move || gate.recv().unwrap());
//!     let mut ticks = tokio::time::interval(Duration::from_millis(1));
//!     let mut rounds = 0;
//!     let result = loop {
//!         tokio::select! {
//!             result = &mut job => break result?, // by reference: to lose a round does not cancel it
//!             _ = ticks.tick() => rounds += 1,
//!         }
//!         if rounds == 3 {
//!             open.send("done").unwrap();
//!         }
//!     };
//!     assert_eq!(result, "done");
//!     Ok(())
//! }
//! ```
//! A handle that is polled by reference is cancel safe in the sense of `select!`: no result is lost. The future of a plain `#[blocking]`
//! method does as well, pinned and lent (`std::pin::pin!`).
//!
//! # Inside the job
//! A body that takes long should look, in each step of its loop:
//! * [`is_cancelled()`](crate::is_cancelled) costs an atomic load or two. Return early, with whatever; nobody sees it.
//! * [`check_cancelled()`](crate::check_cancelled) ends the job where it stands, by unwinding: destructors run, no panic is reported. A
//!   `MutexGuard` that is held then poisons its mutex: call it before locking, or return early on `is_cancelled()` there. Not with
//!   `panic = "abort"`, where it ends the process.
//! * [`on_cancel(f)`](crate::on_cancel) is for a body that is blocked and can't look: `f` runs on the thread that cancels, and interrupts
//!   what the body waits for. It must be quick. The guard it returns disarms it. Dropping the guard while `f` runs waits until `f`
//!   has returned.
//!
//! A job that awaits another passes its cancellation on, through any depth: the inner job's flag is set, and its callbacks run.
//!
//! What interrupts what:
//!
//! | Blocked in | In the hook |
//! |---|---|
//! | a socket | `socket.shutdown(Both)`, on a `try_clone` |
//! | a child process | `child.kill()`, on what the hook shares with the body |
//! | a channel | a message, or the sender dropped |
//! | a lock, a condition | set a flag under the lock, and notify |
//!
//! What the hook does has to last: the job may be cancelled when it has not come to what it waits for. So `InterruptHandle::interrupt` of
//! `rusqlite` is not enough: `SQLite` forgets it where no statement runs, and a query that begins just behind it is not interrupted. Let
//! `SQLite` ask instead, which needs no hook: after `connection.progress_handler(1_000, Some(is_cancelled))`, once for each connection (feature
//! `hooks`), the thread that runs a query asks every thousand steps or so, and ends it with an error.
//!
//! ```
//! use offload_runtime::{ThreadPool, blocking, check_cancelled, on_cancel};
//! use std::sync::mpsc::{self, Sender};
//! use std::sync::{Arc, Condvar, Mutex};
//!
//! struct Transaction(Sender<&'static str>);
//!
//! impl Transaction {
//!     fn begin(log: Sender<&'static str>) -> Self {
//!         log.send("began").unwrap();
//!         Self(log)
//!     }
//! }
//!
//! impl Drop for Transaction {
//!     fn drop(&mut self) {
//!         let _ = self.0.send("rolled back");
//!     }
//! }
//!
//! #[derive(Clone)]
//! struct Jobs {
//!     executor: ThreadPool,
//!     changed: Arc<(Mutex<bool>, Condvar)>,
//! }
//!
//! impl Jobs {
//!     /// Computes: looks in each step.
//!     #[blocking(handle)]
//!     fn compute(&self, log: Sender<&'static str>) {
//!         let _transaction = Transaction::begin(log);
//!         loop {
//!             check_cancelled(); // between two steps
//!             std::thread::yield_now();
//!         }
//!     }
//!
//!     /// Waits: has itself woken.
//!     #[blocking(handle)]
//!     fn wait_for_change(&self, log: Sender<&'static str>) {
//!         let of_hook = Arc::clone(&self.changed);
//!         let _guard = on_cancel(move || {
//!             *of_hook.0.lock().unwrap() = true;
//!             of_hook.1.notify_all();
//!         });
//!         log.send("waits").unwrap();
//!         let (changed, condition) = &*self.changed;
//!         drop(condition.wait_while(changed.lock().unwrap(), |changed| !*changed).unwrap());
//!         log.send("woken").unwrap();
//!     }
//! }
//!
//! let jobs = Jobs { executor: ThreadPool::new(1), changed: Arc::default() };
//! let (log, events) = mpsc::channel();
//!
//! let job = jobs.compute(log.clone());
//! assert_eq!(events.recv(), Ok("began"));
//! drop(job); // as a timeout does
//! assert_eq!(events.recv(), Ok("rolled back"));
//!
//! let job = jobs.wait_for_change(log);
//! assert_eq!(events.recv(), Ok("waits"));
//! drop(job);
//! assert_eq!(events.recv(), Ok("woken"));
//! ```
//! [`shutdown_now`](crate::ThreadPool::shutdown_now) sets the same flag, and runs the same hooks, in all jobs of a pool.
//!
//! # To its end, whoever waits
//! Work that must not stop half way (a payment, a file with its index) should not depend on who awaits it. `handle`, with a place in the
//! code that decides what a timeout means:
//! ```
//! use offload_runtime::{ThreadPool, blocking};
//! use std::sync::mpsc::{self, Receiver, Sender};
//! use std::time::Duration;
//!
//! #[derive(Clone)]
//! struct Payments {
//!     executor: ThreadPool,
//! }
//!
//! impl Payments {
//!     #[blocking(handle)]
//!     fn pay(&self, bank: Receiver<()>, booked: Sender<u32>) {
//!         let _ = bank.recv();
//!         booked.send(1).unwrap();
//!     }
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() {
//!     let payments = Payments { executor: ThreadPool::new(1) };
//!     let (answer, bank) = mpsc::channel();
//!     let (booked, bookings) = mpsc::channel();
//!     let mut job = payments.pay(bank, booked);
//!     // By reference: the timeout drops the reference only.
//!     if tokio::time::timeout(Duration::from_millis(10), &mut job).await.is_err() {
//!         job.detach(); // "202 Accepted": it goes on without us
//!     }
//!     drop(answer);
//!     assert_eq!(bookings.recv(), Ok(1));
//! }
//! ```
//! If the handler itself may be dropped while it awaits (most servers drop it when the client hangs up), the handle in it goes down with
//! it. Await it in a task of its own, then: `tokio::spawn(job)`.
//!
//! # At the end of the process
//! Close first, so that nothing new comes; give what is there some time; then tell it to stop, and name what does not. Each step is
//! bounded, none of them blocks the runtime, and [`Shutdown`](crate::Shutdown) may be dropped and made again (C9).
//! ```
//! use offload_runtime::{ExecutorExt, ThreadPool, is_cancelled};
//! use std::sync::mpsc;
//! use std::time::Duration;
//!
//! /// Returns whether everything has ended.
//! async fn stop(pool: &ThreadPool, to_finish: Duration, to_give_up: Duration) -> bool {
//!     if tokio::time::timeout(to_finish, pool.shutdown()).await.is_ok() {
//!         return true;
//!     }
//!     // Refuses what waits, cancels what runs.
//!     if tokio::time::timeout(to_give_up, pool.shutdown_now()).await.is_ok() {
//!         return true;
//!     }
//!     for job in pool.running_jobs() {
//!         eprintln!("{} still runs on {}, for {:?} now", job.site(), job.thread_name(), job.elapsed());
//!     }
//!     false
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() {
//!     let (short, long) = (Duration::from_millis(10), Duration::from_secs(60));
//!     let pool = ThreadPool::new(1);
//!     pool.submit(|| while !is_cancelled() { std::thread::yield_now() }).detach();
//!     assert!(stop(&pool, short, long).await);
//!
//!     let ((began, begins), (open, gate)) = (mpsc::channel(), mpsc::channel::<()>());
//!     let deaf = ThreadPool::new(1);
//!     let job = deaf.submit(move || {
//!         began.send(()).unwrap();
//!         let _ = gate.recv();
//!     });
//!     begins.recv().unwrap();
//!     assert!(!stop(&deaf, short, short).await); // says where `job` was submitted
//!     drop(open);
//!     assert!(job.await.is_ok());
//! }
//! ```
//!
//! # What can't be stopped
//! * **A thread, from outside.** A body that neither looks nor can be interrupted runs to its end, in a system call or in somebody's
//!   library. Give what it calls a limit of its own: `set_read_timeout`, `busy_timeout`, `recv_timeout`, a limit on the size of the
//!   input.
//! * **So a timeout frees the caller, not the thread.** A pool whose jobs hang is full of jobs that nobody waits for, and every timeout
//!   after that is one of waiting. [`running_jobs`](crate::ThreadPool::running_jobs) shows them, with their places in the source.
//! * **A place is taken until its job has ended**, cancelled or not, in a pool and in a [`Limited`](crate::Limited) view: that is what a
//!   limit is for.
//! * **What it did outside** the process: a request that was sent, a row that was committed.
//! * **A child process** that a body started goes on after the body, unless somebody kills it.
//!
//! With executors of others a job that waits is cancelled too (its closure is dropped at once), but its empty shell stays in their queue
//! until a thread comes to it.
