//! [`Temporal`]: a connection and the options of its calls.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use offload_runtime::Error;
use offload_runtime::remote::{Call, Format, RemoteExecutor, RemoteMetrics};
use temporalio_client::grpc::WorkflowService;
use temporalio_client::tonic::Status;
use temporalio_client::{Connection, ConnectionOptions, Url};
use tokio::sync::oneshot;

use crate::background::Background;
use crate::call::{self, Request};
use crate::payload;
use crate::queue::{Queue, RunningCall};

/// How long a connection may take unless the options say otherwise.
const CONNECT: Duration = Duration::from_secs(10);

/// Runs `#[blocking(remote)]` methods as activities of a Temporal server, on whatever machine a [`Worker`](crate::Worker) serves its task queue.
///
/// The server stores each call before it acknowledges it. From then on every call ends in exactly one of result, failure or cancelled, also if the
/// caller, the workers or the server are killed.
///
/// It is cheap to clone. The methods that set options take it by value and give back a view with that option, so one connection serves
/// many queues.
///
/// # Defaults
/// Namespace `default`, task queue `offload`, one attempt, [`start_to_close`](Self::start_to_close) and
/// [`schedule_to_start`](Self::schedule_to_start) 1 hour, [`heartbeat`](Self::heartbeat) 30 seconds.
///
/// # What a call resolves to
/// | `Error` | When |
/// |---|---|
/// | `Unavailable` | the server refused the call, did not acknowledge it within 15 seconds, or has lost it, or the worker refused it; in doubt the call may run: the text says so |
/// | `TimedOut` | no worker took the call in time, or an attempt took too long |
/// | `Died` | the worker sent no heartbeat: it was killed, stopped or cut off |
/// | `UnknownFunction` | the worker's program has no function of that name |
/// | `Codec` | something could not be encoded or decoded, or is larger than 2 MiB, the server's limit; or an [`id`](Self::id) is another function's |
/// | `Cancelled` | it was cancelled or terminated by another caller of its id, or in Temporal's page |
/// | `Panicked` | the body panicked; the payload is the message |
///
/// # Cancel safety
/// Dropping the future of a call requests its cancellation. If it waits, it will not run; if it runs,
/// [`is_cancelled`](offload_runtime::is_cancelled) turns true in its body with one of the next heartbeats. `detach()` lets it go on. A process that
/// ends requests nothing.
///
/// # Examples
/// ```no_run
/// use offload_runtime::blocking;
/// use offload_temporal::Temporal;
///
/// struct Shop { jobs: Temporal }
///
/// impl Shop {
///     #[blocking(remote, executor = jobs, name = "shop.order")]
///     fn order(&self, number: u32) -> Result<String, String> {
///         Ok(format!("order {number} is on its way"))
///     }
/// }
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let jobs = Temporal::connect("http://127.0.0.1:7233").await?.task_queue("orders");
/// println!("{}", Shop { jobs }.order(17).await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Temporal {
    link: Arc<Link>,
    options: Arc<Options>,
    id: Option<Arc<str>>,
}

/// What calls are made with.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) namespace: String,
    pub(crate) task_queue: String,
    pub(crate) attempts: u32,
    pub(crate) start_to_close: Duration,
    pub(crate) schedule_to_start: Duration,
    pub(crate) heartbeat: Duration,
}

/// A connection, and the thread that serves it.
pub(crate) struct Link {
    background: Background,
    connection: Connection,
    /// For a worker, which has a connection of its own.
    pub(crate) connect: ConnectionOptions,
    address: String,
    /// By namespace and name: what calls and `metrics` find.
    queues: Mutex<HashMap<(String, String), Arc<Queue>>>,
}

impl Temporal {
    /// Connects to the server at `url`, such as `http://127.0.0.1:7233` or `https://my-namespace.tmprl.cloud:7233`.
    ///
    /// # Errors
    /// [`Error::Unavailable`], with the address, if `url` is not one or no server answers within 10 seconds. [`Error::Spawn`] if the system refuses
    /// the thread that serves the connection.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::Error;
    /// use offload_temporal::Temporal;
    ///
    /// // Nothing listens on port 1.
    /// let error = pollster::block_on(Temporal::connect("http://127.0.0.1:1")).unwrap_err();
    /// assert!(matches!(error, Error::Unavailable(why) if why.contains("127.0.0.1:1")));
    /// ```
    pub async fn connect(url: impl AsRef<str>) -> Result<Self, Error> {
        Self::connect_with(ConnectionOptions::new(parse(url.as_ref())?).build()).await
    }

    /// Connects with options of the SDK: TLS, API keys, headers, a proxy, retries.
    ///
    /// Without an identity, that is `PID@HOST`. Without a `connect_timeout`, that is 10 seconds.
    ///
    /// # Errors
    /// As [`connect`](Self::connect); and [`Error::Unavailable`] if the server has no certificate of a trusted authority, or refuses the key or
    /// the certificate.
    ///
    /// # Examples
    /// ```no_run
    /// use offload_temporal::Temporal;
    /// use offload_temporal::temporalio_client::{ClientTlsOptions, ConnectionOptions, TlsOptions, Url};
    ///
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// let url = Url::parse("https://eu-west-1.aws.api.temporal.io:7233")?;
    /// let options = ConnectionOptions::new(url).api_key(std::env::var("TEMPORAL_API_KEY")?).build();
    /// let jobs = Temporal::connect_with(options).await?.namespace("shop.a1b2c");
    ///
    /// // A server with a certificate of your own authority.
    /// let tls = TlsOptions::builder().server_root_ca_cert(std::fs::read("ca.pem")?).build();
    /// let options = ConnectionOptions::new(Url::parse("https://temporal.internal:7233")?).tls_options(tls).build();
    /// let jobs = Temporal::connect_with(options).await?;
    ///
    /// // One that demands a certificate, in PEM, as its key.
    /// let (certificate, key) = (std::fs::read("shop.pem")?, std::fs::read("shop.key")?);
    /// let client = ClientTlsOptions::builder().client_cert(certificate).client_private_key(key).build();
    /// let tls = TlsOptions::builder().client_tls_options(client).build();
    /// let options = ConnectionOptions::new(Url::parse("https://shop.a1b2c.tmprl.cloud:7233")?).tls_options(tls).build();
    /// let jobs = Temporal::connect_with(options).await?.namespace("shop.a1b2c");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect_with(mut options: ConnectionOptions) -> Result<Self, Error> {
        let limit = *options.connect_timeout.get_or_insert(CONNECT);
        if options.identity.is_empty() {
            options.identity = format!("{}@{}", std::process::id(), gethostname::gethostname().to_string_lossy());
        }
        let address = address(&options.target);
        let background = Background::start()?;
        let connection = connect(&background, &options, limit).await.map_err(|why| unavailable(&address, &why))?;
        let options_of_calls = Options {
            namespace: "default".into(),
            task_queue: "offload".into(),
            attempts: 1,
            start_to_close: Duration::from_secs(3600),
            schedule_to_start: Duration::from_secs(3600),
            heartbeat: Duration::from_secs(30),
        };
        let link = Link { background, connection, connect: options, address, queues: Mutex::default() };
        Ok(Self { link: Arc::new(link), options: Arc::new(options_of_calls), id: None })
    }

    /// The namespace of the calls. `default` unless set.
    ///
    /// # Examples
    /// See [`connect_with`](Self::connect_with).
    #[must_use]
    pub fn namespace(self, namespace: impl Into<String>) -> Self {
        self.with(|options| options.namespace = namespace.into())
    }

    /// The queue that calls wait in until a worker of the same queue takes them. `offload` unless set.
    ///
    /// # Examples
    /// ```no_run
    /// # use offload_temporal::Temporal;
    /// # fn run(temporal: Temporal) {
    /// let thumbnails = temporal.clone().task_queue("thumbnails");
    /// let mails = temporal.task_queue("mails").attempts(3);
    /// # }
    /// ```
    #[must_use]
    pub fn task_queue(self, task_queue: impl Into<String>) -> Self {
        self.with(|options| options.task_queue = task_queue.into())
    }

    /// How often a call is begun at most. Once unless set.
    ///
    /// With more than one, a call whose worker dies, or that takes longer than [`start_to_close`](Self::start_to_close), is begun again, after 1, 2, 4 ..
    /// 100 seconds. **Its body may then run more than once**, and two runs may overlap for a moment. A panic, an `Err` and a result that
    /// cannot be stored are ends of the call: they are not tried again.
    ///
    /// # Panics
    /// If `attempts` is 0.
    ///
    /// # Examples
    /// See [`task_queue`](Self::task_queue).
    #[must_use]
    pub fn attempts(self, attempts: u32) -> Self {
        assert!(attempts > 0, "`attempts(0)`: a call needs one attempt at least");
        self.with(|options| options.attempts = attempts)
    }

    /// How long one attempt may run. 1 hour unless set.
    ///
    /// The server gives the attempt up then, and the body finds [`is_cancelled`](offload_runtime::is_cancelled) true within five seconds.
    ///
    /// # Panics
    /// If `limit` is zero.
    ///
    /// # Examples
    /// ```no_run
    /// # use offload_temporal::Temporal;
    /// # fn run(temporal: Temporal) {
    /// use std::time::Duration;
    ///
    /// let quick = temporal
    ///     .start_to_close(Duration::from_secs(60))
    ///     .schedule_to_start(Duration::from_secs(300))
    ///     .heartbeat(Duration::from_secs(5));
    /// # }
    /// ```
    #[must_use]
    pub fn start_to_close(self, limit: Duration) -> Self {
        assert!(!limit.is_zero(), "`start_to_close` of zero: no call could ever end in time");
        self.with(|options| options.start_to_close = limit)
    }

    /// How long a call may wait for a worker. 1 hour unless set. Then it is [`Error::TimedOut`], and has not run.
    ///
    /// # Panics
    /// If `limit` is zero.
    ///
    /// # Examples
    /// See [`start_to_close`](Self::start_to_close).
    #[must_use]
    pub fn schedule_to_start(self, limit: Duration) -> Self {
        assert!(!limit.is_zero(), "`schedule_to_start` of zero: no call could ever begin in time");
        self.with(|options| options.schedule_to_start = limit)
    }

    /// How long a worker may be silent before it counts as dead. 30 seconds unless set.
    ///
    /// Workers send heartbeats by themselves, while the body runs, at 0.8 of this interval. A cancellation reaches the body as the answer to one of
    /// them. So a shorter one is quicker to notice a dead worker and to cancel, and costs more requests.
    ///
    /// # Panics
    /// If `limit` is zero.
    ///
    /// # Examples
    /// See [`start_to_close`](Self::start_to_close).
    #[must_use]
    pub fn heartbeat(self, limit: Duration) -> Self {
        assert!(!limit.is_zero(), "`heartbeat` of zero: no worker could ever send one in time");
        self.with(|options| options.heartbeat = limit)
    }

    /// A view whose calls bear the id `id`, which makes them idempotent: the body runs for the first of them, and all have its result.
    ///
    /// A call of an id that is running, or has ended, attaches to that execution, also after a restart of the caller or from another machine. The
    /// arguments of the later calls are not looked at. An ended execution is kept for the *retention* of its namespace (24 hours on the development
    /// server); after that the id is new again.
    ///
    /// A failure is kept like a result: to try again, use another id. An id belongs to one function: calling another with it is
    /// [`Error::Codec`].
    ///
    /// # Cancel safety
    /// Dropping the future cancels the execution if that call has started it. One that has attached stops waiting, and nothing else: there may be
    /// others.
    ///
    /// # Examples
    /// ```no_run
    /// # use offload_runtime::blocking;
    /// # use offload_temporal::Temporal;
    /// struct Shop { jobs: Temporal }
    ///
    /// impl Shop {
    ///     #[blocking(remote, executor = self.jobs.id(format!("ship-{order}")), name = "shop.ship")]
    ///     fn ship(&self, order: u32) -> Result<String, String> {
    ///         Ok(format!("order {order} has left"))
    ///     }
    /// }
    ///
    /// # async fn run(shop: Shop) -> Result<(), String> {
    /// // Ships once, however often this is repeated.
    /// let receipt = shop.ship(17).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn id(&self, id: impl AsRef<str>) -> Self {
        Self { id: Some(id.as_ref().into()), ..self.clone() }
    }

    /// What the calls of this connection to this task queue are doing, and have done.
    ///
    /// A call is *queued* until the server has acknowledged it, and *running* from then on. When a worker takes it is known to that worker and to the
    /// server, which tells it on request only: [`state`](Self::state). A call that ends without a result although the server had it, as [`Error::Died`] or [`Error::TimedOut`], counts as panicked. One whose handle is
    /// dropped counts as cancelled once the server was asked to cancel it.
    ///
    /// Views of one connection with the same namespace and task queue share their figures. With the feature `metrics` of `offload-runtime` they are
    /// published [under the names of all pools](offload_runtime#names-of-the-metrics), with the label `pool` as `temporal.QUEUE`. What a worker does
    /// is in the figures of [its pool](crate::Worker::executor).
    ///
    /// # Examples
    /// ```no_run
    /// # use offload_temporal::Temporal;
    /// # fn run(temporal: Temporal) {
    /// let metrics = temporal.task_queue("orders").metrics();
    /// println!("{metrics}"); // temporal.orders: 2 running, 0 queued; 17 completed, ...
    /// for site in metrics.by_site() {
    ///     println!("{}: {} calls", site.site(), site.completed());
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn metrics(&self) -> RemoteMetrics {
        self.queue().meter.metrics()
    }

    /// The calls of this connection to this task queue that the server has: they wait there for a worker, or are with one. [`state`](Self::state) tells
    /// which.
    ///
    /// # Examples
    /// ```no_run
    /// # use offload_temporal::Temporal;
    /// # fn run(temporal: Temporal) {
    /// for call in temporal.running_jobs() {
    ///     println!("{} ({}) for {:?}", call.site(), call.id(), call.elapsed());
    ///     if call.is_cancelled() {
    ///         println!("its caller has left, and the server is not yet told");
    ///     }
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn running_jobs(&self) -> Vec<RunningCall> {
        self.queue().running()
    }

    fn with(mut self, set: impl FnOnce(&mut Options)) -> Self {
        set(Arc::make_mut(&mut self.options));
        self
    }

    pub(crate) fn link(&self) -> &Arc<Link> {
        &self.link
    }

    fn queue(&self) -> Arc<Queue> {
        let Options { namespace, task_queue, .. } = &*self.options;
        let mut queues = self.link.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let known = queues.entry((namespace.clone(), task_queue.clone()));
        Arc::clone(known.or_insert_with(|| Queue::new(task_queue)))
    }

    pub(crate) fn options(&self) -> &Arc<Options> {
        &self.options
    }
}

impl RemoteExecutor for Temporal {
    fn format(&self) -> Format {
        Format::Json
    }

    fn execute(&self, call: Call) {
        let queue = self.queue();
        let call = queue.meter.submit(call);
        let arguments = payload::of_arguments(call.call().payload())
            .map_err(|why| format!("the arguments: {why}"))
            .and_then(|payloads| payload::check_size("the arguments", &payloads, payload::LIMIT).map(|()| payloads));
        let arguments = match arguments {
            Ok(arguments) => arguments,
            Err(why) => return call.refuse(Error::Codec(why)),
        };
        let request = Request {
            link: Arc::clone(&self.link),
            options: Arc::clone(&self.options),
            queue,
            function: call.call().function(),
            arguments,
            id: self.id.as_ref().map_or_else(|| uuid::Uuid::new_v4().to_string(), ToString::to_string),
            is_shared: self.id.is_some(),
        };
        let (cancel, cancelled) = oneshot::channel();
        call.call().on_cancel(move || {
            // An error: the call has ended.
            let _ = cancel.send(());
        });
        self.link.background.spawn(call::drive(request, call, cancelled));
    }
}

/// Nothing secret: neither keys nor certificates nor headers, and of the address what names the server.
impl fmt::Debug for Temporal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Temporal")
            .field("address", &self.link.address)
            .field("options", &self.options)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Link {
    pub(crate) fn background(&self) -> &Background {
        &self.background
    }

    pub(crate) fn service(&self) -> Box<dyn WorkflowService> {
        self.connection.workflow_service()
    }

    pub(crate) fn identity(&self) -> &str {
        &self.connect.identity
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn said(&self, namespace: &str, status: &Status) -> String {
        format!("{} (namespace `{namespace}`): {}", self.address, call::describe(status))
    }
}

/// Connects within `limit`: the SDK's own limit is for the socket alone.
async fn connect(background: &Background, options: &ConnectionOptions, limit: Duration) -> Result<Connection, String> {
    let options = options.clone();
    let connecting = background.spawn(async move { tokio::time::timeout(limit, Connection::connect(options)).await });
    match connecting.await {
        Ok(Ok(Ok(connection))) => Ok(connection),
        Ok(Ok(Err(error))) => Err(with_sources(&error)),
        Ok(Err(_)) => Err(format!("no answer within {limit:?}")),
        Err(error) => Err(error.to_string()),
    }
}

/// The error and its sources, as the first alone often says nothing.
pub(crate) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = error.source();
    }
    text
}

fn unavailable(address: &str, why: &str) -> Error {
    Error::Unavailable(format!("no connection to Temporal at {address}: {why}"))
}

fn parse(url: &str) -> Result<Url, Error> {
    match Url::parse(url) {
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") && parsed.has_host() => Ok(parsed),
        _ => Err(Error::Unavailable(format!("`{url}` is not an address such as http://127.0.0.1:7233"))),
    }
}

/// Scheme, host and port: a URL may have a password.
fn address(url: &Url) -> String {
    let port = url.port_or_known_default().unwrap_or(7233);
    format!("{}://{}:{port}", url.scheme(), url.host_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_no_password() {
        let url = parse("https://user:secret@temporal.example:7233/path?key=secret").unwrap();
        assert_eq!(address(&url), "https://temporal.example:7233");
        assert_eq!(address(&parse("http://[::1]").unwrap()), "http://[::1]:80");
    }

    #[test]
    fn what_is_not_an_address_is_refused_with_it() {
        for wrong in ["", "localhost:7233", "127.0.0.1:7233", "ftp://host:1"] {
            let Err(Error::Unavailable(why)) = parse(wrong) else { panic!("{wrong}") };
            assert!(why.contains(&format!("`{wrong}`")), "{why}");
        }
    }
}
