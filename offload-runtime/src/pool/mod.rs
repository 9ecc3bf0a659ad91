//! The thread pool: an elastic number of threads behind one queue. This page says when each thread runs; no other file decides it.
//!
//! # Terms
//! A worker *runs* a job, *searches* for one (it spins, without the lock), or is *parked* (it sleeps until it is called). A worker that is
//! being started or was called counts as searching: it will come to the queue. A worker is *active* unless it is parked. Jobs are *queued*
//! until a worker takes them.
//!
//! # The rules
//! 1. **Submit** pushes the job without the pool's lock, and counts it. If more jobs are queued than workers are searching, the submitter locks the
//!    pool and wakes the most recently parked worker. If none is parked and none is searching, it starts one, below the maximum.
//! 2. **A worker that takes a job** applies the same test before it runs the job: more queued than searching, wake one more. So workers
//!    are woken one by the other for as long as jobs wait, and no submitter pays for more than one.
//! 3. **A worker that finds no job** searches for a moment: spins and a few yields. One worker at a time goes on for up to 50 microseconds, if
//!    the last gaps between jobs were that short (`spin.rs`). Then it parks, and leaves after the keep-alive.
//! 4. **A job that awaits a job of its own pool** moves that job, if it is queued, before all jobs that are not awaited. While the first job
//!    waits, one worker beyond the maximum may be active. That worker takes awaited jobs only, and parks when no job is awaited. A job that waits, and
//!    the awaited job that runs in its place, count once: all other threads run any job meanwhile. A job that awaits a *running* job waits,
//!    too, as the running job may await a queued one. `poll` returns at once.
//!
//! # Why no job is lost
//! The invariant: *while a worker is parked or may be started, and jobs are queued, a worker is searching, or a submitter is about to lock the
//! pool and call one.*
//!
//! Searching, parked and started workers change under the lock only. A change ends with `Guard::finish`, which publishes one number: how many jobs
//! may be pushed until a submitter has to come to the lock (`Owner::settle`). A submitter pushes its job, then adds one to the count in the same
//! atomic word, and sees that number. A worker that is about to park has published that it is no longer searching, by a change of the same
//! word; it sees all jobs that were counted before, and every later submitter sees that it has parked. A worker that leaves does so under the
//! lock, by the same rule.
//!
//! # Files
//! `state.rs` what the lock guards, and the choice of the worker to wake · `submit.rs` which jobs are accepted · `worker.rs` a worker's
//! life · `spin.rs` the search · `accounts.rs` counts, times and places of jobs, of views too. `shutdown.rs` the end · `watch.rs` slow jobs · `inspect.rs` metrics and
//! running jobs. `current.rs` what is known of a worker · `builder.rs` options · `thread_pool.rs` the public handle.
//! The protocol of a job is explained in `job/mod.rs`.

mod accounts;
mod builder;
mod current;
mod inspect;
#[cfg(all(test, offload_loom))]
mod models;
mod running;
mod shutdown;
mod spin;
mod state;
mod submit;
#[cfg(all(test, not(offload_loom)))]
mod tests;
mod thread_pool;
mod watch;
mod worker;

pub(crate) use accounts::Accounts;
pub use builder::ThreadPoolBuilder;
pub(crate) use current::current as current_worker;
pub use running::RunningJob;
pub use shutdown::{Shutdown, StillRunning};
pub use thread_pool::ThreadPool;
