//! What the tests share: the service in this process or as a program of its own, a client, pictures.
//!
//! Every wait has a bound: a test that would hang fails.
#![allow(dead_code, reason = "each test uses some of it")]

pub(crate) mod client;
pub(crate) mod pictures;
pub(crate) mod program;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use offload_runtime::{ExecutorExt, JobHandle, PoolMetrics};
use service::{Config, GaveUp, Pool, Running, State};
use tempfile::TempDir;
use tokio::time::timeout;

use self::client::Client;

/// How long anything may take before a test fails.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// Defaults, with hashes that cost little, on a free port.
pub(crate) fn config(data: &Path) -> Config {
    Config {
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        data: data.to_owned(),
        hashing: argon2::Params::new(64, 1, 1, None).unwrap(),
        drain: LONG,
        ..Config::default()
    }
}

/// The service in this process, on a directory of its own.
pub(crate) struct Service {
    running: Running,
    pub(crate) client: Client,
    pub(crate) data: TempDir,
}

impl Service {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(choose: impl FnOnce(&mut Config)) -> Self {
        Self::start_in(TempDir::new().unwrap(), choose).await
    }

    pub(crate) async fn start_in(data: TempDir, choose: impl FnOnce(&mut Config)) -> Self {
        let mut config = config(data.path());
        choose(&mut config);
        let running = service::serve(config).await.unwrap();
        Self { client: Client::new(running.address()), running, data }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.running.address()
    }

    pub(crate) fn state(&self) -> &State {
        self.running.state()
    }

    /// Stops it, and gives back its directory.
    pub(crate) async fn stop(self) -> (Result<(), GaveUp>, TempDir) {
        // Its idle connections go first, as those of clients that leave do.
        drop(self.client);
        let stopped = timeout(LONG, self.running.stop()).await.expect("the stop has an end");
        (stopped, self.data)
    }

    /// All rows and files, for tests that check that nothing changed.
    pub(crate) fn contents(&self) -> Vec<String> {
        contents(self.data.path())
    }
}

/// The rows of a data directory, the sessions excepted, and the names of its files.
pub(crate) fn contents(data: &Path) -> Vec<String> {
    let database = rusqlite::Connection::open(data.join("service.sqlite3")).unwrap();
    let mut found = Vec::new();
    for select in ["SELECT 'account ' || name FROM account", "SELECT 'picture ' || lower(hex(id)) FROM picture"] {
        let mut select = database.prepare(select).unwrap();
        found.extend(select.query_map((), |row| row.get(0)).unwrap().map(Result::<String, _>::unwrap));
    }
    found.extend(files(data));
    found.sort();
    found
}

/// The files of pictures, and what is left of others.
pub(crate) fn files(data: &Path) -> Vec<String> {
    let names = ["pictures", "incoming"].map(|directory| std::fs::read_dir(data.join(directory)).unwrap());
    names.into_iter().flatten().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Jobs that hold threads of a pool until this is dropped.
pub(crate) struct Held {
    // Dropped first: no caller waits for the jobs.
    release: Vec<Sender<()>>,
    jobs: Vec<JobHandle<()>>,
}

/// Holds `threads` threads of a pool, and returns when it does. Where the pool refuses, it tries again.
pub(crate) async fn hold(pool: &Pool, threads: usize) -> Held {
    let mut held = Held { release: Vec::new(), jobs: Vec::new() };
    let begin = Instant::now();
    while held.jobs.len() < threads {
        assert!(begin.elapsed() < LONG, "the pool has no thread to be held");
        let (sender, wait) = channel::<()>();
        let (started, has_started) = tokio::sync::oneshot::channel();
        let job = pool.submit(move || {
            started.send(()).unwrap();
            // Nothing is sent: it ends when the sender is dropped.
            wait.recv().unwrap_err();
        });
        if timeout(LONG, has_started).await.expect("the job begins or is refused").is_ok() {
            held.release.push(sender);
            held.jobs.push(job);
        }
    }
    held
}

/// What a pool has counted.
pub(crate) fn metrics(pool: &Pool) -> PoolMetrics {
    pool.threads().expect("a pool of threads").metrics()
}

/// How many jobs wait for a thread of a pool.
pub(crate) fn queued(pool: &Pool) -> u64 {
    metrics(pool).queued()
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < LONG, "it never came to this: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
