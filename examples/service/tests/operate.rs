//! What an operator relies on while the service is busy: `/metrics`, `/healthz`, `/readyz`, and a log that is not flooded.

#![forbid(unsafe_code)]

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use offload_runtime::ExecutorExt;
use service::PoolSize;
use tempfile::TempDir;

use crate::support::client::Client;
use crate::support::program::Program;
use crate::support::{LONG, Service, hold, until};

const FOR_OPERATORS: [&str; 3] = ["/metrics", "/healthz", "/readyz"];

/// A connection on which a path was asked for, and that stays open. Returned when the answer has begun.
fn ask(address: SocketAddr, path: &str) -> (TcpStream, String) {
    let mut connection = TcpStream::connect(address).unwrap();
    connection.set_read_timeout(Some(LONG)).unwrap();
    write!(connection, "GET {path} HTTP/1.1\r\nHost: service\r\n\r\n").unwrap();
    let mut begin = [0; 12];
    connection.read_exact(&mut begin).unwrap();
    (connection, String::from_utf8(begin.to_vec()).unwrap())
}

/// The rest of an answer, up to the end of the connection.
fn rest(mut connection: TcpStream) -> String {
    let mut rest = String::new();
    connection.read_to_string(&mut rest).unwrap();
    rest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_viewers_than_connections_leave_room_for_all_others() {
    let service = Service::start_with(|config| {
        config.limits.connections = 80;
        config.limits.silence = LONG * 10;
    })
    .await;
    let viewers: Vec<_> = (0..160).map(|_| ask(service.address(), "/pools/events")).collect();
    assert_eq!(viewers.iter().filter(|(_, status)| status == "HTTP/1.1 200").count(), 64);
    for path in FOR_OPERATORS.into_iter().chain(["/"]) {
        assert_eq!(service.client.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_all_connections_are_in_use_only_operators_are_answered() {
    let service = Service::start_with(|config| {
        config.limits.connections = 2;
        config.limits.silence = LONG * 10;
    })
    .await;
    let held = [(); 2].map(|()| ask(service.address(), "/"));
    assert!(held.iter().all(|(_, status)| status == "HTTP/1.1 200"));
    // More than are kept: each is closed after its answer.
    for _ in 0..40 {
        let (refused, status) = ask(service.address(), "/");
        assert_eq!(status, "HTTP/1.1 503");
        let answer = rest(refused).to_lowercase();
        assert!(answer.contains("retry-after: 1") && answer.contains("connection: close"), "{answer}");
    }
    for path in FOR_OPERATORS {
        let (connection, status) = ask(service.address(), path);
        assert_eq!(status, "HTTP/1.1 200", "{path}");
        rest(connection);
    }
    drop(held);
    until("a connection is free", || ask(service.address(), "/").1 == "HTTP/1.1 200").await;
}

#[cfg(unix)]
#[test]
fn the_log_warns_once_that_all_connections_are_in_use() {
    let data = TempDir::new().unwrap();
    let mut program = Program::start(data.path(), &["--connections", "1"]);
    let held = ask(program.address, "/");
    for _ in 0..5 {
        assert_eq!(ask(program.address, "/").1, "HTTP/1.1 503");
    }
    drop(held);
    program.terminate();
    let (_, said) = program.wait();
    let warnings: Vec<&str> = said.lines().filter(|line| line.contains(" WARN ")).collect();
    assert!(matches!(warnings[..], [one] if one.contains("--connections 1")), "{said}");
}

#[tokio::test]
async fn a_service_whose_database_is_full_of_work_is_alive_and_not_ready() {
    let service = Service::start_with(|config| config.db = PoolSize { threads: 1, queue: 1 }).await;
    let client = Client::new(service.address());
    let held = hold(&service.state().db, 1).await;
    let queued = service.state().db.submit(|| ());
    assert_eq!(client.get("/healthz").await.status, 200);
    let ready = client.get("/readyz").await;
    assert_eq!((ready.status.as_u16(), ready.header("Retry-After")), (503, "1"));
    drop((held, queued));
    until("its thread is free", || support::metrics(&service.state().db).running() == 0).await;
    assert_eq!(client.get("/readyz").await.status, 200);
}
