//! All workers asleep: the event loop answers, what is too much is refused, and clients that hang up make room.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use super::client::{Connection, Web};
use crate::process::PATIENCE;

/// More than can sleep and wait at once.
const CROWD: usize = 64;

/// Threads of the pool that sleeps.
const WORKERS: usize = 4;

/// Sends requests to sleep until every worker sleeps and the queue is full, and returns the unanswered ones.
fn saturate(web: &mut Web) -> Vec<Connection> {
    let mut crowd: Vec<Connection> = (0..CROWD).map(|_| web.send("/sleep/3600")).collect();
    let deadline = Instant::now() + PATIENCE;
    let refused = loop {
        // The first answer can only be a refusal: no worker wakes up for an hour.
        match crowd.iter().position(|sleeper| !sleeper.is_silent()) {
            Some(answered) => break crowd.swap_remove(answered).answer(),
            None => assert!(Instant::now() < deadline, "no request is refused"),
        }
        thread::sleep(Duration::from_millis(1));
    };
    let (head, body) = refused.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    assert!(head.contains("\r\nretry-after: "), "{head}");
    assert_eq!(body, "the executor's queue is full\n");

    let asleep: BTreeSet<String> = (0..WORKERS).map(|_| web.process.stderr.next().expect("a worker speaks")).collect();
    let workers = (0..WORKERS).map(|worker| format!("sleep-{worker}: asleep for 3600 s")).collect();
    assert_eq!(asleep, workers, "each worker says that it sleeps");
    crowd
}

#[test]
fn the_root_answers_while_every_worker_sleeps() {
    let mut web = Web::start();
    let crowd = saturate(&mut web);
    let (status, body) = web.get("/");
    assert_eq!(status, 200);
    assert!(body.starts_with("Hello, world"), "{body}");
    assert_eq!(web.get("/lines?path=Cargo.toml").0, 200, "files have a pool of their own");
    assert_eq!(web.get("/sleep/0").0, 503, "a worker has woken up, so that the above proves nothing");
    assert!(crowd.iter().filter(|sleeper| sleeper.is_silent()).count() >= WORKERS);
}

#[test]
fn clients_that_hang_up_make_room() {
    let mut web = Web::start();
    let sleepers = saturate(&mut web);
    drop(sleepers);
    // The server hears of it connection by connection.
    while web.get("/sleep/0").0 == 503 {
        thread::yield_now();
    }
    let (status, body) = web.get("/sleep/0");
    assert_eq!(status, 200);
    assert!(body.starts_with("Awake!"), "{body}");
}
