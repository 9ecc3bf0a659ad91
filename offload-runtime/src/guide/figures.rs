//! Reading the figures of a pool: what each one means, and what to do about it.
//!
//! [`pool.metrics()`](crate::ThreadPool::metrics) is a snapshot. Its counts are of one moment, and a job that was awaited is in them. A
//! [`Limited`](crate::Limited) view has [figures of its own](crate::Limited::metrics); in those of the pool below, its turns on a thread
//! are jobs of a site `Limited`. Totals count from the making of the pool on.
//!
//! | The question | Look at |
//! |---|---|
//! | Is it too small? | [`wait`](crate::PoolMetrics::wait), how long jobs waited before they began. Its 99% quantile is what one call in a hundred pays on top of the work |
//! | Does it keep up? | [`queued`](crate::PoolMetrics::queued), now and again: does it come back to nothing? |
//! | How busy is it? | the rate, times the mean of [`run`](crate::PoolMetrics::run): [below](#how-busy) |
//! | Is it too large? | [`peak_running`](crate::PoolMetrics::peak_running). If it never came near `max_threads`, the bound does nothing (and costs nothing) |
//! | Is the queue too short? | [`refused_queue_full`](crate::PoolMetrics::refused_queue_full) while waits are short: what was refused would soon have been done |
//! | Is the queue too long? | [`cancelled_before_start`](crate::PoolMetrics::cancelled_before_start): callers that gave up while they waited |
//! | Does work go on for nobody? | [`RunningJob::is_cancelled`](crate::RunningJob::is_cancelled), of those that run now |
//! | Does something hang? | [`RunningJob::elapsed`](crate::RunningJob::elapsed), beside the 99% quantile of `run`; or [be told](#be-told) |
//! | Is there a bug? | [`panicked`](crate::PoolMetrics::panicked); [`refused_shut_down`](crate::PoolMetrics::refused_shut_down) while the service runs |
//! | Is the machine at its end? | [`refused_spawn`](crate::PoolMetrics::refused_spawn): no thread could be had |
//! | Which method is it? | [`by_site`](crate::PoolMetrics::by_site): the same figures again, for each |
//!
//! # The books balance
//! Every job that was ever submitted is in exactly one place: *submitted = queued + running + completed + panicked + cancelled +
//! refused*, in every snapshot, of a pool, a view or a site.
//! ```
//! use offload_runtime::{Error, ExecutorExt, ThreadPool};
//! use std::sync::mpsc;
//!
//! let pool = ThreadPool::builder().max_threads(1).queue_capacity(2).thread_name("db").build();
//! let ((began, begins), (open, gate)) = (mpsc::channel(), mpsc::channel::<()>());
//! let running = pool.submit(move || {
//!     began.send(()).unwrap();
//!     let _ = gate.recv();
//! });
//! begins.recv().unwrap();
//! let (waiting, given_up) = (pool.submit(|| ()), pool.submit(|| ()));
//! let refused = pool.submit(|| ());
//! drop(given_up);
//!
//! let now = pool.metrics();
//! assert_eq!((now.threads(), now.running(), now.queued()), (1, 1, 1));
//! assert_eq!((now.cancelled_before_start(), now.refused_queue_full()), (1, 1));
//! assert_eq!((now.submitted(), now.peak_queued()), (4, 2));
//! println!("{now}"); // db: 1 of 1 threads, 1 running, 1 queued; 0 completed, 1 cancelled, 1 refused; wait ...
//!
//! drop(open);
//! pollster::block_on(running).unwrap();
//! pollster::block_on(waiting).unwrap();
//! assert!(matches!(pollster::block_on(refused), Err(Error::QueueFull)));
//! assert_eq!((pool.metrics().completed(), pool.metrics().submitted()), (2, 4));
//! ```
//! One that was cancelled while it ran is counted by how it ended: as completed if it returned a value all the same, as cancelled
//! ([`cancelled_after_start`](crate::PoolMetrics::cancelled_after_start)) if it ended itself by
//! [`check_cancelled`](crate::check_cancelled).
//!
//! # How busy
//! Little's law again: busy threads are jobs per second times seconds per job, which is the time that was spent in jobs, divided by the
//! time that went by. Between two snapshots:
//! ```
//! use offload_runtime::{ExecutorExt, PoolMetrics, ThreadPool};
//! use std::time::{Duration, Instant};
//!
//! /// The time that jobs ran, in seconds, of those that have ended.
//! fn worked(metrics: &PoolMetrics) -> f64 {
//!     let run = metrics.run();
//!     run.count() as f64 * run.mean().unwrap_or_default().as_secs_f64()
//! }
//!
//! /// The threads that were busy between two snapshots, on average.
//! fn busy(before: &PoolMetrics, after: &PoolMetrics, elapsed: Duration) -> f64 {
//!     (worked(after) - worked(before)) / elapsed.as_secs_f64()
//! }
//!
//! let pool = ThreadPool::new(2);
//! let (begun, before) = (Instant::now(), pool.metrics());
//! let jobs = [(); 4].map(|()| pool.submit(|| std::thread::sleep(Duration::from_millis(20))));
//! jobs.into_iter().for_each(|job| pollster::block_on(job).unwrap());
//! let busy = busy(&before, &pool.metrics(), begun.elapsed());
//!
//! // Each took 20 ms or more, two at a time; that a figure is read from a bucket may put it up by 6%.
//! assert!(busy > 0.0 && busy <= 2.0 * 1.07, "{busy}");
//! ```
//! Divided by `max_threads` it is the utilisation for the table in [`executors`](super::executors#how-many-threads). That table says what
//! waits go with it; if the real ones, in `wait`, are much longer, jobs come in bursts or some of them are very much longer than most,
//! and it is `by_site` that tells which.
//!
//! # From a figure to a decision
//! * **Waits are long, threads are busy, and the resource could bear more:** more threads. It could not: fewer jobs (a cache, one query
//!   for many rows), or another resource.
//! * **Waits are long and threads are not busy:** bursts. A queue is what they are for; look at the quantile rather than at the maximum.
//!   Or a view's limit: its jobs wait for a place, in the figures of the view.
//! * **Runs became longer as threads became more:** the resource is at its end, and what its jobs wait for is each other. Take threads
//!   away until runs are short again; the same jobs are done in the same time, and wait where they can be cancelled.
//! * **The 99% quantile of `run` is a hundred times the median:** two kinds of work in one pool. Give the long one a pool, or a view.
//! * **Many are refused in short bursts:** a longer queue, if callers can wait as long as it takes. Many are refused all the time: it is
//!   the overload that the bound is there to make visible.
//! * **Many are cancelled before they begin:** callers wait less long than the queue is. A shorter queue tells them sooner.
//!
//! # What runs now
//! [`running_jobs`](crate::ThreadPool::running_jobs) names each job that a thread is in: where it comes from, the thread, since when, and
//! whether anybody still wants it.
//! ```
//! use offload_runtime::{ThreadPool, blocking};
//! use std::sync::mpsc::{self, Receiver, Sender};
//!
//! #[derive(Clone)]
//! struct Reports {
//!     executor: ThreadPool,
//! }
//!
//! impl Reports {
//!     #[blocking(handle)]
//!     fn yearly(&self, began: Sender<()>, gate: Receiver<()>) {
//!         began.send(()).unwrap();
//!         let _ = gate.recv();
//!     }
//! }
//!
//! let reports = Reports { executor: ThreadPool::builder().max_threads(1).thread_name("reports").build() };
//! let ((began, begins), (open, gate)) = (mpsc::channel(), mpsc::channel());
//! let job = reports.yearly(began, gate);
//! begins.recv().unwrap();
//! drop(job); // the client has hung up
//!
//! let running = reports.executor.running_jobs();
//! assert_eq!((running[0].site().to_string(), running[0].thread_name()), ("Reports::yearly".into(), "reports-0"));
//! assert!(running[0].is_cancelled()); // a thread that works for nobody
//! # drop(open);
//! ```
//!
//! # Be told
//! With [`warn_after(time)`](crate::ThreadPoolBuilder::warn_after) a pool tells of each job that has been running for longer, once, while
//! it runs: to [`on_slow_job`](crate::ThreadPoolBuilder::on_slow_job), and as a warning of `tracing`, by the feature of that name. Take a
//! time that is far beyond the 99% quantile of `run`. What hangs is then in the log before somebody asks.
//! ```
//! use offload_runtime::{ExecutorExt, ThreadPool};
//! use std::sync::mpsc;
//! use std::time::Duration;
//!
//! let (tell, told) = mpsc::channel();
//! let pool = ThreadPool::builder()
//!     .warn_after(Duration::from_millis(5))
//!     .on_slow_job(move |job| tell.send(format!("{} on {}", job.site(), job.thread_name())).unwrap())
//!     .build();
//! let (open, gate) = mpsc::channel::<()>();
//! let job = pool.submit(move || drop(gate.recv()));
//! assert!(told.recv().unwrap().ends_with(" on offload-0"));
//! drop(open);
//! pollster::block_on(job).unwrap();
//! ```
//!
//! # Publish
//! By the feature `metrics` the same figures go out through the facade of that name, as they come about. Install the recorder before the
//! first job: what a site publishes goes to the one that is there at its first event.
//!
//! | Name | Kind | Labels |
//! |---|---|---|
//! | `offload.jobs.submitted`, `offload.jobs.completed`, `offload.jobs.panicked` | counter | `pool`, `method` |
//! | `offload.jobs.cancelled` | counter | the same, and `when`: `before_start` or `after_start` |
//! | `offload.jobs.refused` | counter | the same, and `reason`: `queue_full`, `shut_down`, `spawn` or `other` |
//! | `offload.jobs.queued`, `offload.jobs.running` | gauge | `pool`, `method` |
//! | `offload.job.wait`, `offload.job.run` | histogram, in seconds | `pool`, `method` |
//! | `offload.pool.threads` | gauge | `pool` |
//!
//! `pool` is the pool's `thread_name`, `method` the site with its module.
//! ```
//! # #[cfg(feature = "metrics")]
//! # mod with_metrics {
//! # use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
//! # use std::sync::{Mutex, PoisonError};
//! #
//! # /// Keeps what is registered.
//! # static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());
//! #
//! # struct Exporter;
//! #
//! # fn see(key: &Key) {
//! #     let labels: String = key.labels().map(|label| format!(" {}={}", label.key(), label.value())).collect();
//! #     SEEN.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{}{labels}", key.name()));
//! # }
//! #
//! # impl Recorder for Exporter {
//! #     fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
//! #     fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
//! #     fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
//! #     fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
//! #         see(key);
//! #         Counter::noop()
//! #     }
//! #     fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
//! #         see(key);
//! #         Gauge::noop()
//! #     }
//! #     fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
//! #         see(key);
//! #         Histogram::noop()
//! #     }
//! # }
//! use offload_runtime::{ThreadPool, blocking};
//!
//! #[blocking(executor = pool)]
//! fn find(pool: &ThreadPool, id: u32) -> u32 {
//!     id
//! }
//!
//! pub fn main() {
//!     metrics::set_global_recorder(Exporter).ok().expect("the only one"); // as `PrometheusBuilder::install` does
//!     let pool = ThreadPool::builder().thread_name("db").build();
//!     assert_eq!(pollster::block_on(find(&pool, 7)), 7);
//! #   let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
//! #   let names = [
//! #       "jobs.submitted", "jobs.completed", "jobs.panicked", "jobs.queued", "jobs.running", "job.wait", "job.run",
//! #   ];
//! #   let has = |start: String, end: &str| assert!(seen.iter().any(|key| key.starts_with(&start) && key.ends_with(end)), "{start}: {seen:?}");
//! #   for name in names {
//! #       has(format!("offload.{name} pool=db method="), "::find");
//! #   }
//! #   for when in ["before_start", "after_start"] {
//! #       has("offload.jobs.cancelled pool=db method=".into(), &format!("::find when={when}"));
//! #   }
//! #   for reason in ["queue_full", "shut_down", "spawn", "other"] {
//! #       has("offload.jobs.refused pool=db method=".into(), &format!("::find reason={reason}"));
//! #   }
//! #   has("offload.pool.threads pool=db".into(), "");
//!     // offload.jobs.submitted pool=db method=service::users::find, and so on
//! }
//! # }
//! # #[cfg(feature = "metrics")]
//! # with_metrics::main();
//! ```
//!
//! # What they cost, and how exact they are
//! Counts are exact, and kept without a lock. A time is read from buckets, 16 to each doubling, and is at most 6.25% above the true one. After 64
//! jobs of a site in a row that ran for less than 10 microseconds, one in 16 is timed, chosen at random, and counts for 16. So the longest that is
//! shown of such a site may not be the longest there was; [`on_slow_job`](crate::ThreadPoolBuilder::on_slow_job) reports each that runs for
//! twice its time. A timed job reads the clock three times: as it is queued, begins and ends.
//! With the feature `metrics`, the recorder is called for each of these events, by the thread that submits or runs the job, without a lock.
//! [`timing(false)`](crate::ThreadPoolBuilder::timing) leaves times out. Each site costs some 10 KiB for each
//! core, 80 KiB at most, for as long as the pool is there. A snapshot copies all of it, a few microseconds for each site: take one per second, not one per request.
