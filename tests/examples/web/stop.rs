//! Ctrl-C: no more connections, the running request is finished, status 0.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use super::client::Web;
use crate::process::PATIENCE;

const FINISHING: &str = "Finishing what runs. Ctrl-C again gives it up.";

/// Presses Ctrl-C and waits until it is noticed.
fn interrupt(web: &mut Web) {
    web.process.interrupt();
    assert_eq!(web.process.stderr.next().as_deref(), Some(FINISHING));
}

/// Waits until a worker sleeps.
fn await_sleeper(web: &mut Web, seconds: u32) {
    assert_eq!(web.process.stderr.next(), Some(format!("sleep-0: asleep for {seconds} s")));
}

#[test]
fn an_idle_server_exits_with_0() {
    let mut web = Web::start();
    assert_eq!(web.get("/").0, 200);
    interrupt(&mut web);
    assert_eq!(web.process.wait().code(), Some(0));
}

#[test]
fn the_running_request_is_finished() {
    let mut web = Web::start();
    let sleeper = web.send("/sleep/4");
    await_sleeper(&mut web, 4);
    interrupt(&mut web);

    let answer = sleeper.answer();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("\r\n\r\nAwake! ("), "{answer}");
    assert_eq!(web.process.wait().code(), Some(0));
    assert_eq!(web.process.stderr.rest(), "");
}

#[test]
fn no_other_is_accepted_meanwhile() {
    let mut web = Web::start();
    let sleeper = web.send("/sleep/3600");
    await_sleeper(&mut web, 3600);
    interrupt(&mut web);

    let deadline = Instant::now() + PATIENCE;
    let refused = loop {
        match web.connect() {
            // The second is a client in the queue of the socket as that was closed.
            Ok(_) => assert!(Instant::now() < deadline, "still accepts"),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => assert!(Instant::now() < deadline),
            Err(error) => break error,
        }
        // Not faster, or this machine runs out of ports.
        thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused, "{refused}");
    assert!(sleeper.is_silent(), "the request has ended, so that the above proves nothing");

    // Its client hangs up; that ends it.
    drop(sleeper);
    assert_eq!(web.process.wait().code(), Some(0));
}

#[test]
fn a_second_interrupt_gives_up() {
    let mut web = Web::start();
    let sleeper = web.send("/sleep/3600");
    await_sleeper(&mut web, 3600);
    interrupt(&mut web);
    web.process.interrupt();
    assert_eq!(web.process.wait().code(), Some(130));
    drop(sleeper);
}

#[test]
fn a_client_that_says_nothing_does_not_hold_it_up() {
    let mut web = Web::start();
    let silent = web.connect().unwrap();
    let mut slow = web.connect().unwrap();
    slow.write("GET / HT");
    // Accepted in order: when this one is answered, the others are connections of the server.
    assert_eq!(web.get("/").0, 200);
    interrupt(&mut web);
    assert_eq!(web.process.wait().code(), Some(0));
    drop((silent, slow));
}
