//! The graceful stop: what is in hand is finished, what cannot be is named, and the exit code tells which of the two it was.

#![forbid(unsafe_code)]
#![cfg(unix)]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use offload_runtime::ExecutorExt;
use tempfile::TempDir;

use crate::support::client::{Client, PASSWORD};
use crate::support::pictures::png;
use crate::support::program::Program;
use crate::support::{Service, hold, until};

/// Passes over the memory that take minutes.
const MINUTES: [&str; 4] = ["--hash-memory", "65536", "--hash-passes", "100000"];

/// A request whose head is read, and whose body is asked for: the service has it in hand.
fn in_hand(client: &Client, head: &str, body: &[u8]) -> BufReader<TcpStream> {
    let length = body.len();
    let head = format!("POST {head}\r\nContent-Length: {length}\r\nExpect: 100-continue\r\nConnection: close");
    let mut connection = BufReader::new(client.connect(&head));
    let mut line = String::new();
    connection.read_line(&mut line).unwrap();
    assert_eq!(line, "HTTP/1.1 100 Continue\r\n");
    connection
}

#[tokio::test]
async fn sigterm_finishes_what_is_in_hand() {
    let data = TempDir::new().unwrap();
    let mut program = Program::start(data.path(), &[]);
    let ada = Client::new(program.address).join("ada").await;
    let picture = png(50, 50, 1);
    let mut upload = in_hand(&ada, "/pictures HTTP/1.1\r\nContent-Type: image/png", &picture);

    program.terminate();
    program.read_until("stopping");
    until("no connection is accepted", || TcpStream::connect(program.address).is_err()).await;
    upload.get_mut().write_all(&picture).unwrap();
    let mut answer = String::new();
    upload.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("HTTP/1.1 201 "), "{answer}");

    let (status, said) = program.wait();
    assert_eq!((status.code(), said.as_str()), (Some(0), ""));
    // What was promised is there.
    let program = Program::start(data.path(), &[]);
    let ada = Client::new(program.address).come_back("ada").await;
    assert_eq!(ada.get("/pictures").await.json().as_array().unwrap().len(), 1);
}

/// Though handles to its state are left: a database from a backup would meet the log of the one that it replaces.
#[tokio::test]
async fn a_stop_closes_the_database() {
    let service = Service::start().await;
    service.client.join("ada").await;
    let state = service.state().clone();
    let (stopped, data) = service.stop().await;
    stopped.unwrap();
    let mut left: Vec<_> = std::fs::read_dir(data.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.retain(|name| name.to_string_lossy().starts_with("service.sqlite3"));
    assert_eq!(left, ["service.sqlite3"]);
    drop(state);
}

#[test]
fn an_interrupt_stops_an_idle_service() {
    let data = TempDir::new().unwrap();
    let directory = data.path().join("made/on/the/way");
    let mut program = Program::start(&directory, &[]);
    let mode = std::os::unix::fs::PermissionsExt::mode(&directory.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o700, "others can read it");
    program.interrupt();
    assert_eq!(program.wait().0.code(), Some(0));
}

#[test]
fn what_outlives_the_deadline_is_named() {
    let data = TempDir::new().unwrap();
    let mut program = Program::start(data.path(), &[&MINUTES[..], &["--drain", "1"]].concat());
    let body = serde_json::json!({ "name": "ada", "password": PASSWORD }).to_string();
    let client = Client::new(program.address);
    let mut sign_up = in_hand(&client, "/accounts HTTP/1.1\r\nContent-Type: application/json", body.as_bytes());
    sign_up.get_mut().write_all(body.as_bytes()).unwrap();

    program.terminate();
    let (status, said) = program.wait();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("gave up: 1 request is not answered; cpu: 1 job still runs: Accounts::hash for "), "{said}");
    assert!(said.ends_with(" on cpu-0\n"), "more than that is named: {said}");
}

/// At the deadline one job runs and one waits: the client of the second is told, and its connection is not reset.
#[test]
fn a_request_whose_job_never_began_is_answered_503() {
    let data = TempDir::new().unwrap();
    let options = [&MINUTES[..], &["--drain", "1", "--cpu-threads", "1"]].concat();
    let mut program = Program::start(data.path(), &options);
    let client = Client::new(program.address);
    let mut sign_ups = ["ada", "eve"].map(|name| {
        let body = serde_json::json!({ "name": name, "password": PASSWORD }).to_string();
        let mut sign_up = in_hand(&client, "/accounts HTTP/1.1\r\nContent-Type: application/json", body.as_bytes());
        sign_up.get_mut().write_all(body.as_bytes()).unwrap();
        sign_up
    });
    program.terminate();
    let answers = sign_ups.each_mut().map(|sign_up| {
        let mut answer = String::new();
        // The connection of the job that runs may be reset.
        let _ = sign_up.read_to_string(&mut answer);
        answer
    });
    let refused = |answer: &&String| answer.contains("HTTP/1.1 503 ") && answer.contains(r#"{"error":"#);
    assert_eq!(answers.iter().filter(refused).count(), 1, "{answers:?}");
    let (status, said) = program.wait();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("gave up: 1 request is not answered; cpu: 1 job still runs, 1 wait: "), "{said}");
}

#[test]
fn a_second_signal_gives_up_at_once() {
    let data = TempDir::new().unwrap();
    let mut program = Program::start(data.path(), &[&MINUTES[..], &["--drain", "3600"]].concat());
    let body = serde_json::json!({ "name": "ada", "password": PASSWORD }).to_string();
    let client = Client::new(program.address);
    let mut sign_up = in_hand(&client, "/accounts HTTP/1.1\r\nContent-Type: application/json", body.as_bytes());
    sign_up.get_mut().write_all(body.as_bytes()).unwrap();
    program.terminate();
    program.read_until("stopping");
    program.interrupt();
    let (status, said) = program.wait();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("second signal"), "{said}");
}

#[test]
fn what_cannot_start_says_why() {
    let data = TempDir::new().unwrap();
    let first = Program::start(data.path(), &[]);
    let directory = data.path().to_str().unwrap();
    assert!(
        Program::fail_to_start(&["--address", "127.0.0.1:0", "--data", directory])
            .contains("in use by another process")
    );
    let other = TempDir::new().unwrap();
    let (other, taken) = (other.path().to_str().unwrap(), first.address.to_string());
    let said = Program::fail_to_start(&["--address", &taken, "--data", other]);
    assert!(said.starts_with(&format!("service: cannot listen on {taken}: ")), "{said}");
    let file = data.path().join("lock").display().to_string();
    let said = Program::fail_to_start(&["--address", "127.0.0.1:0", "--data", &file]);
    assert!(said.starts_with(&format!("service: {file}: ")), "{said}");
    std::fs::write(format!("{other}/service.sqlite3"), "no database".repeat(1000)).unwrap();
    let said = Program::fail_to_start(&["--address", "127.0.0.1:0", "--data", other]);
    assert!(said.starts_with(&format!("service: {other}/service.sqlite3: ")) && said.lines().count() == 1, "{said}");
    let said = Program::fail_to_start(&["--drain", "soon"]);
    assert!(said.starts_with("service: --drain soon: ") && said.contains("--help"), "{said}");
}

/// The stop does not wait for connections without a request: neither unused ones, nor those with half a head of a request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_do_not_hold_the_stop() {
    let service = Service::start_with(|config| {
        config.drain = support::LONG * 10;
        config.limits.silence = support::LONG * 10;
    })
    .await;
    let mut used = service.client.connect("GET / HTTP/1.1");
    used.read_exact(&mut [0; 12]).unwrap();
    let silent = TcpStream::connect(service.address()).unwrap();
    let mut half = TcpStream::connect(service.address()).unwrap();
    half.write_all(b"GET / HTTP/1.1\r\nHost:").unwrap();
    assert_eq!(service.client.get("/").await.status, 200);
    service.stop().await.0.unwrap();
    used.read_to_end(&mut Vec::new()).expect("one that was used is closed");
    drop((silent, half));
}

/// A job whose client has left is still one that runs: the stop waits for it.
#[tokio::test]
async fn detached_jobs_are_drained() {
    let service = Service::start_with(|config| config.cpu.threads = 1).await;
    let (cpu, files) = (service.state().cpu.clone(), service.state().files.clone());
    let held = hold(&cpu, 1).await;
    let (done, is_done) = std::sync::mpsc::channel();
    // It leads to another one, as a picture's rows lead to its files.
    cpu.submit(move || files.submit(move || done.send(()).unwrap()).detach()).detach();
    let stopping = tokio::spawn(service.stop());
    until("it takes no more", || offload_runtime::Executor::is_closed(&cpu)).await;
    assert!(!stopping.is_finished());
    drop(held);
    stopping.await.unwrap().0.unwrap();
    is_done.try_recv().expect("it ran before the stop ended");
}

/// At the deadline, what waits is refused and what runs is asked to end.
#[tokio::test]
async fn giving_up_refuses_and_cancels() {
    let service = Service::start_with(|config| {
        config.drain = Duration::from_millis(100);
        config.cpu.threads = 1;
    })
    .await;
    let cpu = service.state().cpu.clone();
    let (started, begun) = std::sync::mpsc::channel();
    let running = cpu.submit(move || {
        started.send(()).unwrap();
        while !offload_runtime::is_cancelled() {
            std::thread::yield_now();
        }
    });
    begun.recv_timeout(support::LONG).unwrap();
    let queued = cpu.submit(|| unreachable!("it was refused"));
    let (stopped, _) = service.stop().await;
    let gave_up = stopped.unwrap_err().to_string();
    assert!(gave_up.starts_with("0 requests are not answered; cpu: 1 job still runs, 1 wait: "), "{gave_up}");
    assert!(matches!(queued.await, Err::<(), _>(offload_runtime::Error::ShutDown)));
    running.await.unwrap();
}

/// Requests whose jobs are refused at the deadline have their answers sent in the rest of the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_deadline_a_stop_waits_for_answers_as_long_as_it_may() {
    let drain = Duration::from_secs(1);
    let service = Service::start_with(|config| config.drain = drain).await;
    // Its body never comes, so that it has no job and no answer.
    let in_hand = in_hand(&service.client, "/accounts HTTP/1.1\r\nContent-Type: application/json", b"{}");
    let begin = std::time::Instant::now();
    let (stopped, _) = service.stop().await;
    assert!(begin.elapsed() >= drain, "it ended after {:?}", begin.elapsed());
    assert_eq!(stopped.unwrap_err().to_string(), "1 request is not answered");
    drop(in_hand);
}
