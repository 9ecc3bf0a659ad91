//! A web server whose handlers await blocking methods.
//!
//! `cargo run --example web`, or `PORT=8000 cargo run --example web -- some/directory` to listen on another port of 127.0.0.1
//! (0: a free one) and to serve another directory than the current one.
//!
//! * `GET /` answers at once, whatever the workers do.
//! * `GET /sleep/{n}` blocks a worker for n seconds. When all of them sleep and the queue is full too, it is a 503.
//! * `GET /lines?path=README.md` counts the lines of a file under the served directory.
//! * `GET /pools` is the live page of both pools. A button beside a job cancels it.
//!
//! Ctrl-C stops accepting, finishes the requests that are there, and exits; a second one gives them up.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path as UrlPath, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use offload_dashboard::Dashboard;
use offload_runtime::{Error, ThreadPool, blocking, check_cancelled, on_cancel};
use percent_encoding::percent_decode_str;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

const HELP: &str = "\
A web server whose handlers await blocking methods.

Usage: web [DIRECTORY]

  DIRECTORY    what it serves; without it, the current directory
  -h, --help   this text

PORT in the environment is the port on 127.0.0.1; 0 takes a free one   (8888)

GET /                   answers at once
GET /sleep/{n}          blocks a worker for n seconds
GET /lines?path=FILE    counts the lines of a file in DIRECTORY
GET /pools              the live page of the pools
";

/// How many requests may sleep at once, and how many more may wait for that.
const SLEEPERS: usize = 4;
const WAITING_SLEEPERS: usize = 32;

/// The longest sleep that can be asked for, in seconds.
const LONGEST_SLEEP: u64 = 3600;

/// What the handlers share: handles, so that a clone is cheap.
#[derive(Clone)]
struct App {
    sleepers: ThreadPool,
    files: ThreadPool,
    root: Arc<Path>,
}

impl App {
    fn new(root: &Path) -> io::Result<Self> {
        let root = fs::canonicalize(root)?;
        if !root.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let pool = |name, threads, waiting| {
            ThreadPool::builder().thread_name(name).max_threads(threads).queue_capacity(waiting).build()
        };
        Ok(Self {
            sleepers: pool("sleep", SLEEPERS, WAITING_SLEEPERS),
            files: pool("files", 16, 1024),
            root: root.into(),
        })
    }

    /// Blocks a worker for so many seconds. A client that hangs up wakes it.
    #[blocking(executor = sleepers)]
    fn sleep(&self, seconds: u64) -> Result<(), Error> {
        eprintln!("{}: asleep for {seconds} s", thread::current().name().unwrap_or_default());
        let (hang_up, hung_up) = mpsc::channel::<()>();
        let _guard = on_cancel(move || drop(hang_up));
        // Nothing is ever sent: this ends when the time is over, or when the hook drops the sender.
        let _ = hung_up.recv_timeout(Duration::from_secs(seconds));
        Ok(())
    }

    /// Counts the lines of a file under the root. Gives up when the client hangs up.
    #[blocking(executor = files)]
    fn count_lines(&self, path: &Path) -> io::Result<u64> {
        let mut file = BufReader::new(File::open(self.find_file(path)?)?);
        let mut lines = 0;
        while file.skip_until(b'\n')? > 0 {
            lines += 1;
            check_cancelled();
        }
        Ok(lines)
    }

    /// Where `path` leads to, symbolic links followed. No step of the way may leave the root, so that an answer says nothing of
    /// what is outside.
    fn find_file(&self, path: &Path) -> io::Result<PathBuf> {
        let mut found = self.root.to_path_buf();
        for step in path.components() {
            match step {
                Component::Normal(name) => found = fs::canonicalize(found.join(name))?,
                Component::CurDir => {}
                Component::ParentDir => _ = found.pop(),
                // An absolute path begins outside.
                Component::RootDir | Component::Prefix(_) => found.push(step),
            }
            if !found.starts_with(&self.root) {
                return Err(bad_path("the path leaves the served directory"));
            }
        }
        // A directory has no lines, and opening a pipe would block until someone writes to it.
        if fs::metadata(&found)?.is_file() { Ok(found) } else { Err(bad_path("not a regular file")) }
    }
}

fn bad_path(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

async fn hello() -> String {
    format!("Hello, world ({})\n", time())
}

async fn sleep(State(app): State<App>, UrlPath(seconds): UrlPath<u64>) -> Result<String, Failure> {
    if seconds > LONGEST_SLEEP {
        return Err(Failure::bad_request(format!("{LONGEST_SLEEP} seconds at most")));
    }
    app.sleep(seconds).await?;
    Ok(format!("Awake! ({})\n", time()))
}

async fn lines(State(app): State<App>, RawQuery(query): RawQuery) -> Result<String, Failure> {
    let path = path_of(query.as_deref().unwrap_or_default())
        .ok_or_else(|| Failure::bad_request("expected `?path=` and a percent-encoded path in UTF-8"))?;
    let lines = app.count_lines(&path).await?;
    Ok(format!("{lines}\n"))
}

/// The path that a query names. Not by axum's `Query`, which replaces bytes that are not UTF-8 and so would find another file.
fn path_of(query: &str) -> Option<PathBuf> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix("path="))?.replace('+', " ");
    let path = percent_decode_str(&value).decode_utf8().ok()?;
    Some(PathBuf::from(path.as_ref()))
}

/// The time of day here.
fn time() -> impl std::fmt::Display {
    jiff::Zoned::now().strftime("%H:%M:%S%.3f").to_string()
}

/// Why a request has no answer.
struct Failure(StatusCode, String);

impl Failure {
    fn bad_request(why: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, why.into())
    }
}

/// A refusal of the executor, which `#[blocking]` has turned into the method's own error.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
    }
}

/// An error of the file system, or a refusal too: that is an `io::Error` of kind `ResourceBusy` when the queue was full.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let status = match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => StatusCode::NOT_FOUND,
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidFilename => StatusCode::BAD_REQUEST,
            io::ErrorKind::ResourceBusy => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self(status, error.to_string())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self(status, why) = self;
        let mut response = (status, format!("{why}\n")).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
        }
        response
    }
}

/// Serves until Ctrl-C. The error is a line for the user.
async fn serve(port: u16, root: &Path) -> Result<ExitCode, String> {
    let app = App::new(root).map_err(|error| format!("cannot serve {}: {error}", root.display()))?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener = TcpListener::bind(address).await.map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let mut interrupts = interrupts().map_err(|error| format!("cannot listen for Ctrl-C: {error}"))?;
    println!(
        "Listening on http://{address}, serving {root}. Try, in another terminal:\n  \
         curl http://{address}/\n  \
         curl http://{address}/sleep/5\n  \
         curl 'http://{address}/lines?path=README.md'\n\
         Its pools, live: http://{address}/pools. Ctrl-C stops it.",
        root = app.root.display()
    );

    let (leave, left) = oneshot::channel::<()>();
    let page = Dashboard::new()
        .pool("sleep", &app.sleepers)
        .pool("files", &app.files)
        // All that can reach this address runs on this machine.
        .allow_cancel(|_| true)
        // A page that is open does not keep the server.
        .until(async { _ = left.await });
    let routes = Router::new()
        .merge(page.router())
        .route("/", get(hello))
        .route("/sleep/{n}", get(sleep))
        .route("/lines", get(lines))
        .with_state(app.clone());
    let (stop, stopped) = oneshot::channel::<()>();
    let server = axum::serve(listener, routes).with_graceful_shutdown(async { _ = stopped.await });
    let server = tokio::spawn(server.into_future());
    interrupts.recv().await;
    eprintln!("Finishing what runs. Ctrl-C again gives it up.");
    drop((stop, leave));
    tokio::select! {
        () = finish(&app, server) => Ok(ExitCode::SUCCESS),
        _ = interrupts.recv() => Ok(ExitCode::from(130)),
    }
}

/// Waits until all requests are answered. `server` ends with its last connection; one whose client never sends a whole
/// request would keep it for good, so that it may also end when it has had nothing to do for a while.
async fn finish(app: &App, mut server: JoinHandle<io::Result<()>>) {
    let mut idle = 0;
    while idle < 2 && timeout(Duration::from_secs(1), &mut server).await.is_err() {
        let works = [&app.sleepers, &app.files].iter().any(|pool| !pool.running_jobs().is_empty());
        idle = if works { 0 } else { idle + 1 };
    }
    app.sleepers.shutdown().await;
    app.files.shutdown().await;
}

/// Ctrl-C from now on, and every time. (`tokio::signal::ctrl_c` listens from its first poll only.)
#[cfg(unix)]
fn interrupts() -> io::Result<tokio::signal::unix::Signal> {
    tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())
}

#[cfg(windows)]
fn interrupts() -> io::Result<tokio::signal::windows::CtrlC> {
    tokio::signal::windows::ctrl_c()
}

fn port() -> Result<u16, String> {
    match env::var_os("PORT") {
        None => Ok(8888),
        Some(port) => port
            .to_str()
            .and_then(|port| port.parse().ok())
            .ok_or_else(|| format!("PORT has to be a number from 0 to 65535, not {}", port.display())),
    }
}

/// The directory to serve: the argument, or else the current one.
fn root() -> Result<PathBuf, String> {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [] => Ok(PathBuf::from(".")),
        [option] if option.as_encoded_bytes().starts_with(b"-") => {
            Err(format!("unknown option {} (--help lists what there is)", option.display()))
        }
        [root] => Ok(PathBuf::from(root)),
        _ => Err("expected one argument, the directory to serve, or none".to_owned()),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    if env::args_os().skip(1).any(|argument| argument == "--help" || argument == "-h") {
        // The reader may have closed it, as `head` does.
        let _ = io::stdout().write_all(HELP.as_bytes());
        return ExitCode::SUCCESS;
    }
    let status = match (port(), root()) {
        (Ok(port), Ok(root)) => serve(port, &root).await,
        (Err(error), _) | (_, Err(error)) => Err(error),
    };
    status.unwrap_or_else(|error| {
        eprintln!("web: {error}");
        ExitCode::FAILURE
    })
}
