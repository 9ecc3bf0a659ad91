//! tokio-console shows jobs as blocking tasks, with their methods' names.
//!
//! The real `console-subscriber` serves its gRPC interface on loopback, and the client that tokio-console is built on asks it. The subscriber
//! refuses to work unless it is compiled with one of two flags of the compiler, so this is only there with
//! `--cfg console_without_tokio_unstable`: `ci/console.sh`.

#![cfg(console_without_tokio_unstable)]

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use console_api::field::{Name, Value};
use console_api::instrument::instrument_client::InstrumentClient;
use console_api::instrument::{InstrumentRequest, Update};
use console_api::tasks::{Stats, Task};
use console_subscriber::ConsoleLayer;
use offload_runtime::{ExecutorExt, ThreadPool, blocking};
use tests::support::{Gate, PATIENCE, finish};
use tonic::Streaming;
use tonic::transport::Channel;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::Registry;
use tracing_subscriber::{EnvFilter, Layer};

#[derive(Clone)]
struct Vault {
    executor: ThreadPool,
}

impl Vault {
    #[blocking]
    fn unlock(&self, gate: Gate) {
        gate.pass();
    }
}

/// What the console knows: each update tells what is new.
struct Console {
    updates: Streaming<Update>,
    tasks: Vec<Task>,
    stats: HashMap<u64, Stats>,
    /// The targets of spans, by the ids of their metadata.
    targets: HashMap<u64, String>,
}

impl Console {
    async fn connect(address: SocketAddr) -> Self {
        // The server is about to listen.
        let connecting = async {
            loop {
                match InstrumentClient::connect(format!("http://{address}")).await {
                    Ok(client) => break client,
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        };
        let mut client: InstrumentClient<Channel> =
            tokio::time::timeout(PATIENCE, connecting).await.expect("it listens");
        let updates = client.watch_updates(InstrumentRequest {}).await.unwrap().into_inner();
        Self { updates, tasks: Vec::new(), stats: HashMap::new(), targets: HashMap::new() }
    }

    /// Reads updates until `found` finds what it looks for.
    async fn until<T>(&mut self, what: &str, found: impl Fn(&Self) -> Option<T>) -> T {
        let reading = async {
            loop {
                if let Some(found) = found(self) {
                    break found;
                }
                let update = self.updates.message().await.unwrap().expect("the server goes on");
                for metadata in update.new_metadata.into_iter().flat_map(|new| new.metadata) {
                    self.targets.insert(metadata.id.unwrap().id, metadata.metadata.unwrap().target);
                }
                let tasks = update.task_update.unwrap_or_default();
                assert_eq!(tasks.dropped_events, 0);
                self.tasks.extend(tasks.new_tasks);
                self.stats.extend(tasks.stats_update);
            }
        };
        tokio::time::timeout(PATIENCE, reading).await.unwrap_or_else(|_| panic!("the console was not told: {what}"))
    }

    /// The task of that name, once there is one.
    async fn task(&mut self, name: &str) -> Task {
        let has_name = |task: &&Task| field(task, "task.name").is_some_and(|is| is.contains(name));
        self.until(name, |console| console.tasks.iter().find(has_name).cloned()).await
    }

    async fn stats(&mut self, task: &Task, what: &str, holds: impl Fn(&Stats) -> bool) {
        let id = task.id.unwrap().id;
        self.until(what, |console| console.stats.get(&id).filter(|stats| holds(stats)).map(|_| ())).await;
    }
}

/// A field of a task, as text.
fn field(task: &Task, name: &str) -> Option<String> {
    let is = |field: &&console_api::Field| matches!(&field.name, Some(Name::StrName(is)) if is == name);
    Some(match task.fields.iter().find(is)?.value.clone()? {
        Value::DebugVal(text) | Value::StrVal(text) => text,
        Value::U64Val(number) => number.to_string(),
        other => panic!("{other:?}"),
    })
}

/// The layer of the console, and where it listens. The threads of its server live as long as the process, as with `console_subscriber::init`.
fn serve() -> (ConsoleLayer, SocketAddr) {
    // It has no way to tell which port it got for port 0.
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let builder = ConsoleLayer::builder().server_addr(address).publish_interval(Duration::from_millis(20));
    let (layer, server) = builder.build();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // What its own server does is not to be shown.
        let _guard = tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::default());
        runtime.block_on(server.serve()).unwrap();
    });
    (layer, address)
}

#[tokio::test]
async fn jobs_are_blocking_tasks_by_the_names_of_their_methods() {
    let (console, address) = serve();
    // As `console_subscriber::init` sets it up: the console sees spans of tokio's targets only, the log everything else.
    let console = console.with_filter(Targets::new().with_target("tokio", tracing::Level::TRACE));
    let log = tracing_subscriber::fmt::layer().with_test_writer().with_filter(EnvFilter::new("warn"));
    tracing::subscriber::set_global_default(Registry::default().with(console).with(log)).expect("it is the only one");
    let mut console = Console::connect(address).await;

    let vault = Vault { executor: ThreadPool::builder().max_threads(1).thread_name("vault").build() };
    let gate = Gate::closed();
    let unlocking = tokio::spawn({
        let (vault, gate) = (vault.clone(), gate.clone());
        async move { vault.unlock(gate).await }
    });
    let task = console.task("Vault::unlock").await;
    assert_eq!(field(&task, "task.name").as_deref(), Some("Vault::unlock"));
    assert_eq!(field(&task, "kind").as_deref(), Some("blocking"));
    field(&task, "task.id").unwrap().parse::<u64>().unwrap();
    let location = task.location.clone().unwrap();
    assert_eq!(location.file.as_deref(), Some(file!()));
    assert!(location.line.is_some() && location.column.is_some());
    let metadata = task.metadata.unwrap().id;
    assert_eq!(console.targets[&metadata], "tokio::task::blocking");

    // It is shown as running while the body runs, and as gone when it has.
    console
        .stats(&task, "it runs", |stats| {
            let polls = stats.poll_stats.as_ref().unwrap();
            polls.polls == 1
                && polls.last_poll_started.is_some()
                && polls.last_poll_ended.is_none()
                && stats.dropped_at.is_none()
        })
        .await;

    // One that waits behind it: not begun.
    let waits = vault.executor.submit(|| ());
    let behind = console.task("console.rs:").await;
    console.stats(&behind, "it waits", |stats| stats.poll_stats.as_ref().unwrap().polls == 0).await;

    gate.open();
    unlocking.await.unwrap();
    finish(waits).unwrap();
    for task in [&task, &behind] {
        console
            .stats(task, "it has ended", |stats| {
                stats.dropped_at.is_some() && stats.poll_stats.as_ref().unwrap().last_poll_ended.is_some()
            })
            .await;
    }
}
