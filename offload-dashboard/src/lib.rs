//! A live page of a service's pools: what each runs, what waits for it, how late it is, and how much failed.
//!
//! ```
//! use offload_dashboard::Dashboard;
//! use offload_runtime::ThreadPool;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let (db, cpu) = (ThreadPool::new(4), ThreadPool::new(2));
//! let routes = Dashboard::new().pool("db", &db).pool("cpu", &cpu).router();
//! let service: axum::Router = axum::Router::new().merge(routes); // the page is at `/pools`
//! # drop(service);
//! # }
//! ```
//! The page loads nothing from elsewhere. It is read-only unless [`Dashboard::allow_cancel`] allows requests to cancel jobs. It does not authenticate
//! viewers: on an address that others reach, put it behind what guards the rest.
//!
//! # Routes
//! `/pools` is the page, `/pools/events` what it is sent, as server-sent events, and `POST /pools/cancel` exists with `allow_cancel` only. To mount
//! them elsewhere, nest the router: its links are relative.
//!
//! # Cost
//! One task reads the pools twice a second, however many pages are open, and keeps two minutes of points and five minutes of times. So that pages
//! do not take up the connections of others, at most 64 may watch at once ([`Dashboard::max_viewers`]).
//!
//! # Files
//! * `source.rs` what is watched · `reading.rs` what is seen at one moment, and its JSON · `times.rs` times of the last minutes
//! * `sampler.rs` the task that reads · `run_queue.rs` threads that wait for a core
//! * `events.rs` what a page is sent · `files.rs` the page · `cancel.rs` the one thing that it can do

#![forbid(unsafe_code)]

mod cancel;
mod events;
mod files;
mod reading;
mod run_queue;
mod sampler;
mod source;
mod times;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::request::Parts;
use axum::routing::{RouterIntoService, get, post};
#[cfg(feature = "process")]
use offload_runtime::process::ProcessPool;
#[cfg(feature = "remote")]
use offload_runtime::remote::RemoteMetrics;
use offload_runtime::{Executor, Limited, StatefulPool, ThreadPool};

use cancel::MayCancel;
use events::Viewers;
use sampler::Sampler;
use source::Source;

/// How many pages may watch at once, unless told otherwise.
const VIEWERS: usize = 64;

/// Makes the routes of the page.
///
/// It keeps a handle of each pool. So a pool that is shown does not close by the drop of all other handles: close it by
/// [`close`](ThreadPool::close) or [`shutdown`](ThreadPool::shutdown).
///
/// # Examples
/// ```
/// use offload_dashboard::Dashboard;
/// use offload_runtime::ThreadPool;
///
/// let dashboard = Dashboard::new()
///     .pool("db", &ThreadPool::new(4))
///     .purpose("SQLite")
///     .inline("tests")
///     .max_viewers(16)
///     .metrics_at("/metrics");
/// println!("{dashboard:?}");
/// ```
#[must_use = "it does nothing until `router` or `service`"]
pub struct Dashboard {
    sources: Vec<Source>,
    viewers: usize,
    may_cancel: Option<MayCancel>,
    end: Pin<Box<dyn Future<Output = ()> + Send>>,
    metrics: Option<String>,
}

impl Default for Dashboard {
    fn default() -> Self {
        Self::new()
    }
}

impl Dashboard {
    /// Makes a page without pools.
    ///
    /// # Examples
    /// See [`Dashboard`].
    pub fn new() -> Self {
        Self {
            sources: Vec::new(),
            viewers: VIEWERS,
            may_cancel: None,
            end: Box::pin(std::future::pending()),
            metrics: None,
        }
    }

    /// Adds a pool of threads.
    ///
    /// # Examples
    /// See [`Dashboard`].
    pub fn pool(mut self, name: impl Into<String>, pool: &ThreadPool) -> Self {
        self.sources.push(Source::threads(name.into(), pool));
        self
    }

    /// Adds a pool whose threads own a state.
    ///
    /// # Examples
    /// ```
    /// use offload_dashboard::Dashboard;
    /// use offload_runtime::StatefulPool;
    ///
    /// let db = StatefulPool::new(4, || Ok::<_, std::io::Error>(String::from("a connection")));
    /// let dashboard = Dashboard::new().stateful("db", &db);
    /// # drop(dashboard);
    /// ```
    pub fn stateful<S: 'static>(mut self, name: impl Into<String>, pool: &StatefulPool<S>) -> Self {
        self.sources.push(Source::stateful(name.into(), pool));
        self
    }

    /// Adds a view of an executor.
    ///
    /// # Examples
    /// ```
    /// use offload_dashboard::Dashboard;
    /// use offload_runtime::{ExecutorExt, ThreadPool};
    ///
    /// let pool = ThreadPool::new(8);
    /// let reports = pool.clone().limited(2);
    /// let dashboard = Dashboard::new().pool("all", &pool).view("reports", &reports);
    /// # drop(dashboard);
    /// ```
    pub fn view<E: Executor + 'static>(mut self, name: impl Into<String>, view: &Limited<E>) -> Self {
        self.sources.push(Source::view(name.into(), view));
        self
    }

    /// Adds a pool of child processes.
    ///
    /// # Examples
    /// ```no_run
    /// use offload_dashboard::Dashboard;
    /// use offload_runtime::process::ProcessPool;
    ///
    /// let workers = ProcessPool::new(4)?;
    /// let dashboard = Dashboard::new().processes("decoders", &workers);
    /// # drop(dashboard);
    /// # Ok::<(), offload_runtime::Error>(())
    /// ```
    #[cfg(feature = "process")]
    pub fn processes(mut self, name: impl Into<String>, pool: &ProcessPool) -> Self {
        self.sources.push(Source::processes(name.into(), pool));
        self
    }

    /// Adds a remote executor by its figures: `metrics` is called twice a second, and should not block. For calls on other machines that is
    /// `move || temporal.metrics()`, with a `Temporal` of `offload-temporal`.
    ///
    /// The page shows how many calls wait and run, their times and their failures, by method. It shows neither workers, which are elsewhere, nor
    /// single calls.
    ///
    /// # Examples
    /// ```
    /// use offload_dashboard::Dashboard;
    /// use offload_runtime::remote::Meter;
    ///
    /// let meter = Meter::new("orders"); // that of a remote executor
    /// let dashboard = Dashboard::new().remote("orders", move || meter.metrics());
    /// # drop(dashboard);
    /// ```
    #[cfg(feature = "remote")]
    pub fn remote(
        mut self,
        name: impl Into<String>,
        metrics: impl Fn() -> RemoteMetrics + Send + Sync + 'static,
    ) -> Self {
        self.sources.push(Source::remote(name.into(), metrics));
        self
    }

    /// Adds a name whose jobs run on the caller's own thread: the page says that there is nothing to see.
    ///
    /// # Examples
    /// See [`Dashboard`].
    pub fn inline(mut self, name: impl Into<String>) -> Self {
        self.sources.push(Source::inline(name.into()));
        self
    }

    /// Says in a few words what the executor that was added last is for.
    ///
    /// # Panics
    /// If none was added.
    ///
    /// # Examples
    /// ```
    /// use offload_dashboard::Dashboard;
    /// use offload_runtime::ThreadPool;
    ///
    /// let dashboard = Dashboard::new().pool("db", &ThreadPool::new(4)).purpose("SQLite");
    /// # drop(dashboard);
    /// ```
    pub fn purpose(mut self, purpose: impl Into<String>) -> Self {
        let last = self.sources.last_mut().expect("`Dashboard::purpose`: add an executor first");
        last.purpose = purpose.into();
        self
    }

    /// Sets how many pages may watch at once. Beyond that, one is answered 503. Default: 64.
    ///
    /// Each is a connection that stays: keep it below what the service accepts, so that pages never take up all connections.
    ///
    /// # Examples
    /// See [`Dashboard`].
    pub fn max_viewers(mut self, n: usize) -> Self {
        self.viewers = n;
        self
    }

    /// Lets viewers cancel running jobs whose request `may_cancel` allows, by a button beside the job. Default: no one may.
    ///
    /// `may_cancel` sees the head of the request, with its headers and extensions. A page of another origin cannot make such a request. The
    /// button does what [`RunningJob::cancel`](offload_runtime::RunningJob::cancel) does: a job that does not look at its cancellation goes on.
    ///
    /// # Examples
    /// ```
    /// use offload_dashboard::Dashboard;
    ///
    /// let dashboard = Dashboard::new().allow_cancel(|request| request.headers.get("x-operator").is_some());
    /// # drop(dashboard);
    /// ```
    pub fn allow_cancel(mut self, may_cancel: impl Fn(&Parts) -> bool + Send + Sync + 'static) -> Self {
        self.may_cancel = Some(Arc::new(may_cancel));
        self
    }

    /// Sets the address of a link to the service's metrics in other forms, such as `/metrics`. Default: no link.
    ///
    /// # Examples
    /// See [`Dashboard`].
    pub fn metrics_at(mut self, path: impl Into<String>) -> Self {
        self.metrics = Some(path.into());
        self
    }

    /// Ends the streams of all pages when `end` resolves, so that a service that stops need not wait for viewers. Default: never.
    ///
    /// # Examples
    /// ```
    /// use offload_dashboard::Dashboard;
    ///
    /// let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    /// let dashboard = Dashboard::new().until(async { drop(stopped.await) });
    /// # drop((stop, dashboard));
    /// ```
    pub fn until(mut self, end: impl Future<Output = ()> + Send + 'static) -> Self {
        self.end = Box::pin(end);
        self
    }

    /// Makes the routes, and starts the task that reads the pools. The task ends with the last clone of the routes.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    ///
    /// # Examples
    /// See the [crate].
    pub fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        let Self { sources, viewers, may_cancel, end, metrics } = self;
        let sources: Arc<[Source]> = sources.into();
        let sampler = Sampler::start(Arc::clone(&sources), may_cancel.is_some(), metrics, end);
        let page = Page { sampler, sources, viewers: Viewers::new(viewers), may_cancel };
        let mut routes = files::routes().route("/pools/events", get(events::stream));
        if page.may_cancel.is_some() {
            routes = routes.route("/pools/cancel", post(cancel::cancel));
        }
        routes.with_state(page)
    }

    /// Makes the routes as a [`tower` service](https://docs.rs/tower-service): what any HTTP server can call.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    ///
    /// # Examples
    /// ```
    /// use axum::{body::Body, http::Request};
    /// use offload_dashboard::Dashboard;
    /// use tower::ServiceExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let service = Dashboard::new().service();
    /// let answer = service.oneshot(Request::get("/pools").body(Body::empty()).unwrap()).await.unwrap();
    /// assert_eq!(answer.status(), 200);
    /// # }
    /// ```
    #[must_use]
    pub fn service(self) -> RouterIntoService<Body> {
        self.router::<()>().into_service()
    }
}

impl fmt::Debug for Dashboard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.sources.iter().map(|source| &*source.name).collect();
        f.debug_struct("Dashboard")
            .field("executors", &names)
            .field("max_viewers", &self.viewers)
            .field("allows_cancel", &self.may_cancel.is_some())
            .finish_non_exhaustive()
    }
}

/// What the handlers share.
#[derive(Clone)]
struct Page {
    sampler: Arc<Sampler>,
    sources: Arc<[Source]>,
    viewers: Viewers,
    may_cancel: Option<MayCancel>,
}
