//! [`Worker`]: serves the functions of this program.

use std::collections::HashMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use offload_runtime::{Error, Executor, ThreadPool};
use temporalio_client::Connection;
use temporalio_common::protos::coresdk::activity_task::activity_task::Variant;
use temporalio_common::worker::WorkerTaskTypes;
use temporalio_sdk_core::{
    CoreRuntime, PollError, RuntimeOptions, Worker as Core, WorkerConfig, WorkerVersioningStrategy, init_worker,
};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::payload;
use crate::task::{Cancel, Task};
use crate::temporal::{Link, Options, Temporal, with_sources};

/// How long the SDK may take to close its connection once no call runs any more.
const FINALIZE: Duration = Duration::from_secs(10);

/// Serves the `#[blocking(remote)]` functions of this program: takes their calls from a task queue and runs them on threads that may block.
///
/// Workers on one queue share its calls, on as many machines as one likes. Each finds a function by its name, so they may be of different builds;
/// `name = "..."` in the attribute keeps names stable.
///
/// A function that panics fails its call, not the worker. A call of a function that this program does not have fails as
/// [`Error::UnknownFunction`].
///
/// # Examples
/// ```no_run
/// use offload_temporal::{Temporal, Worker};
///
/// # async fn run() -> Result<(), offload_runtime::Error> {
/// let temporal = Temporal::connect("http://127.0.0.1:7233").await?.task_queue("thumbnails");
/// let ctrl_c = async { tokio::signal::ctrl_c().await.expect("a signal handler can be set") };
/// Worker::new(&temporal).max_concurrent(4).run_until(ctrl_c).await
/// # }
/// ```
#[must_use = "a worker does nothing until `run_until`"]
pub struct Worker {
    temporal: Temporal,
    max_concurrent: usize,
    executor: Option<Box<dyn Executor>>,
}

impl Worker {
    /// A worker for the namespace and the task queue of `temporal`.
    ///
    /// # Examples
    /// See [`Worker`].
    pub fn new(temporal: &Temporal) -> Self {
        let max_concurrent = std::thread::available_parallelism().map_or(1, usize::from);
        Self { temporal: temporal.clone(), max_concurrent, executor: None }
    }

    /// How many calls run at once at most. One per core unless set; more for functions that wait.
    ///
    /// # Panics
    /// If `calls` is 0.
    ///
    /// # Examples
    /// See [`Worker`].
    pub fn max_concurrent(mut self, calls: usize) -> Self {
        assert!(calls > 0, "`max_concurrent(0)`: the worker could not run anything");
        self.max_concurrent = calls;
        self
    }

    /// What the functions run on. Unless set, a [`ThreadPool`] of `max_concurrent` threads that is named after the queue.
    ///
    /// With a pool of yours, its metrics and its `running_jobs` show what the worker does.
    ///
    /// # Examples
    /// ```no_run
    /// # use offload_temporal::{Temporal, Worker};
    /// use offload_runtime::ThreadPool;
    ///
    /// # async fn run(temporal: Temporal) -> Result<(), offload_runtime::Error> {
    /// let pool = ThreadPool::new(8);
    /// let worker = Worker::new(&temporal).max_concurrent(8).executor(pool.clone());
    /// worker.run_until(std::future::pending()).await?;
    /// println!("{}", pool.metrics());
    /// # Ok(())
    /// # }
    /// ```
    pub fn executor(mut self, executor: impl Executor + 'static) -> Self {
        self.executor = Some(Box::new(executor));
        self
    }

    /// Serves calls until `signal` resolves, then takes no more, and returns when all running calls have ended and their ends are stored.
    ///
    /// A server that goes away is waited for, in the middle of a call as well.
    ///
    /// # Cancel safety
    /// Dropping the future has the effect of `signal`, but for the wait: what runs goes on to its end in the background.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if there is no connection or no such namespace at the start, or the server refuses to give calls later on.
    ///
    /// # Examples
    /// See [`Worker`].
    pub async fn run_until(self, signal: impl Future<Output = ()>) -> Result<(), Error> {
        let Self { temporal, max_concurrent, executor } = self;
        let (link, options) = (Arc::clone(temporal.link()), Arc::clone(temporal.options()));
        let executor = executor.unwrap_or_else(|| {
            let pool = ThreadPool::builder().max_threads(max_concurrent).thread_name(options.task_queue.clone());
            Box::new(pool.build())
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = Serving { link: Arc::clone(&link), options, max_concurrent, executor: executor.into() };
        let mut ended = link.background().spawn(serving.run(stopped));
        // Two futures, in the caller's task: the signal need not be `Send`.
        let (mut signal, mut stop) = (pin!(signal), Some(stop));
        poll_fn(move |cx| {
            if stop.is_some() && signal.as_mut().poll(cx).is_ready() {
                stop = None;
            }
            match pin!(&mut ended).poll(cx) {
                Poll::Ready(Ok(result)) => Poll::Ready(result),
                Poll::Ready(Err(error)) => Poll::Ready(Err(Error::Unavailable(format!("the worker failed: {error}")))),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("temporal", &self.temporal)
            .field("max_concurrent", &self.max_concurrent)
            .finish_non_exhaustive()
    }
}

/// A worker that runs, on the link's thread.
struct Serving {
    link: Arc<Link>,
    options: Arc<Options>,
    max_concurrent: usize,
    executor: Arc<dyn Executor>,
}

impl Serving {
    async fn run(self, mut stopped: oneshot::Receiver<()>) -> Result<(), Error> {
        let (core, _runtime) = self.start().await.map_err(|why| self.unavailable(&why))?;
        let info = core.validate().await.map_err(|error| self.unavailable(&with_sources(&error)))?;
        let limit = info.limits.and_then(|limits| usize::try_from(limits.blob_size_limit_error).ok());
        let limit = limit.filter(|limit| *limit > 0).unwrap_or(payload::LIMIT);
        let core = Arc::new(core);
        let cancels: Arc<Mutex<HashMap<Vec<u8>, Cancel>>> = Arc::default();
        let (mut tasks, mut is_stopping, mut result) = (JoinSet::new(), false, Ok(()));
        // Kept across the loop: whether the SDK's poll loses something when it is dropped is not documented.
        let poll = |core: Arc<Core>| Box::pin(async move { core.poll_activity_task().await });
        let mut next = poll(Arc::clone(&core));
        loop {
            let task = tokio::select! {
                task = &mut next => task,
                // Sent or dropped, it means the same.
                _ = &mut stopped, if !is_stopping => {
                    is_stopping = true;
                    core.initiate_shutdown();
                    continue;
                }
                Some(_) = tasks.join_next() => continue,
            };
            match task {
                Ok(task) => match task.variant {
                    Some(Variant::Start(start)) => {
                        let (token, link, core) = (task.task_token, Arc::clone(&self.link), Arc::clone(&core));
                        let task =
                            Task { token: token.clone(), link, core, namespace: self.options.namespace.clone(), limit };
                        let (running, cancel) = task.begin(&*self.executor, &start);
                        lock(&cancels).insert(token.clone(), cancel);
                        let cancels = Arc::clone(&cancels);
                        tasks.spawn(async move {
                            running.await;
                            lock(&cancels).remove(&token);
                        });
                    }
                    Some(Variant::Cancel(cancel)) => {
                        if let Some(of_task) = lock(&cancels).get(&task.task_token) {
                            of_task.request(cancel.reason());
                        }
                    }
                    None => (),
                },
                Err(PollError::ShutDown) => break,
                // The SDK has begun to shut down: it repeats for itself what may pass.
                Err(PollError::TonicError(status)) => {
                    is_stopping = true;
                    result = Err(self.unavailable(&crate::call::describe(&status)));
                }
            }
            next = poll(Arc::clone(&core));
        }
        drop(next);
        while tasks.join_next().await.is_some() {}
        if let Ok(core) = Arc::try_unwrap(core) {
            // Late only if the server is gone; nothing is left to do there.
            let _ = tokio::time::timeout(FINALIZE, core.finalize_shutdown()).await;
        }
        result
    }

    async fn start(&self) -> Result<(Core, CoreRuntime), String> {
        // Not the link's: a connection cannot have two workers of one queue, and long polls of its own leave room for calls.
        let connection = Connection::connect(self.link.connect.clone());
        let limit = self.link.connect.connect_timeout.unwrap_or(FINALIZE);
        let connection = match tokio::time::timeout(limit, connection).await {
            Ok(connection) => connection.map_err(|error| with_sources(&error))?,
            Err(_) => return Err(format!("no answer within {limit:?}")),
        };
        let config = WorkerConfig::builder()
            .namespace(self.options.namespace.clone())
            .task_queue(self.options.task_queue.clone())
            .task_types(WorkerTaskTypes::activity_only())
            .max_outstanding_activities(self.max_concurrent)
            .versioning_strategy(WorkerVersioningStrategy::None { build_id: String::new() })
            .build()?;
        let runtime = CoreRuntime::new_assume_tokio(RuntimeOptions::default()).map_err(|error| error.to_string())?;
        let core = init_worker(&runtime, config, connection).map_err(|error| error.to_string())?;
        Ok((core, runtime))
    }

    fn unavailable(&self, why: &str) -> Error {
        let Options { namespace, task_queue, .. } = &*self.options;
        let address = self.link.address();
        Error::Unavailable(format!("no calls from {address} (namespace `{namespace}`, queue `{task_queue}`): {why}"))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
