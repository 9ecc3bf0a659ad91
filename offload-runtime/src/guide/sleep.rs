//! How a pool sleeps and wakes: an overview for the curious, and what an idle pool costs.
//!
//! Nothing here has to be known to use a pool. The protocol itself, with its invariants, and the measurements behind its constants stand
//! at the head of [`pool/sleep.rs`](../../../src/offload_runtime/pool/sleep.rs.html); its races are explored by loom models beside it.
//!
//! # What an idle pool costs
//! | | Threads | Time | Memory |
//! |---|---|---|---|
//! | made, not used yet | none | none | the pool's own state: some hundred bytes |
//! | idle since less than [`keep_alive`](crate::ThreadPoolBuilder::keep_alive) | those that were needed at once | none: each sleeps, with one timeout | a stack per thread, as far as it was touched |
//! | idle for longer | [`min_threads`](crate::ThreadPoolBuilder::min_threads), by default none | none: those sleep without a timeout | as before, for those |
//!
//! No thread looks at a clock again and again, and there is no thread that looks after the others: a worker retires itself, when its own
//! sleep times out (C8). One that is told to [`warn_after`](crate::ThreadPoolBuilder::warn_after) has a thread for that, while it has
//! others; where nothing runs it sleeps, too.
//! ```
//! use offload_runtime::{ExecutorExt, ThreadPool};
//! use std::sync::mpsc;
//! use std::time::Duration;
//!
//! let (left, leaves) = mpsc::channel();
//! let pool = ThreadPool::builder()
//!     .max_threads(4)
//!     .keep_alive(Duration::from_millis(1))
//!     .on_thread_stop(move || drop(left.send(())))
//!     .build();
//! pollster::block_on(pool.submit(|| ())).unwrap(); // starts a thread
//! leaves.recv().unwrap(); // which leaves, though the pool is there still
//! pollster::block_on(pool.submit(|| ())).unwrap(); // starts another
//! ```
//!
//! # Who is woken
//! One lock guards the queue and the list of threads that sleep. Whoever submits a job puts it into the queue under that lock, decides
//! there, and carries the decision out after it has let go:
//!
//! | What is seen under the lock | What follows |
//! |---|---|
//! | a thread is on its way to the queue already | nothing: it will see the job |
//! | none is; some sleep | the one that fell asleep last is woken |
//! | none is, none sleeps, and there may be more | a thread is started |
//! | all threads that there may be run jobs | nothing: each comes back to the queue after its job |
//!
//! The thread on its way is called the *scout*, and there is at most one. It takes a job, and before it runs it, calls the next scout if
//! more jobs wait. So:
//!
//! * **A burst does not cost its submitter a wake-up per job.** A wake-up is a system call; most of them are made along the chain of
//!   scouts, on the workers' time.
//! * **Threads grow one after the other**, each called by the one before it, for as long as jobs wait. A burst of very short jobs is over
//!   before the chain is long, and most of the threads that it might have had are never started.
//! * **Last in, first out.** The thread with the warm cache is woken, and under a small load the others sleep on until they retire. The
//!   number of threads follows the load, not its peak.
//! * **No job is forgotten.** The role of scout is given up under the lock only, with the queue seen there. A queue that is not empty has
//!   a scout, or all of its threads are at work.
//!
//! # Why it looks before it sleeps
//! A thread that finds the queue empty does not sleep at once. For a few microseconds it looks for work without the lock: first in a
//! tight loop, then giving its core away between two looks. If no other thread is the scout it becomes it meanwhile, so that a job that
//! arrives needs no system call. A caller that awaits one job after the other, the most usual pattern of all, submits the next just then.
//!
//! It is a bet with a bound: it is lost at most once per sleep, for those few microseconds, by one thread (of two that find nothing the
//! second sleeps at once). How long the bet should be was measured, with what it gains and whom it costs; longer and shorter ones are in
//! [`pool/sleep.rs`](../../../src/offload_runtime/pool/sleep.rs.html), as ratios.
//!
//! # What follows for you
//! * The first job after a pause of more than `keep_alive` pays for starting a thread, some tens of microseconds.
//!   [`min_threads(1)`](crate::ThreadPoolBuilder::min_threads) or a longer `keep_alive` spares it that, where it matters.
//! * Before that, the first job after a pause pays for waking a thread, about half as much. A pool that is called all the time pays
//!   neither.
//! * `max_threads` may be generous where the resource allows it: what is not needed is not started, and what is not needed any more
//!   leaves.
//! * Do not "warm up" a pool by submitting empty jobs: a burst of jobs that end at once is served by few threads.
//! * `keep_alive(Duration::ZERO)` makes each pause cost a thread. It is for tests.
