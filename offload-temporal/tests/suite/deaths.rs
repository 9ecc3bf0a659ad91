//! Workers and servers that are killed, and connections that are cut.

use std::time::Duration;

use offload_runtime::Error;
use pollster::block_on;
use tests_process::functions;

use crate::server;
use crate::support::functions::Jobs;
use crate::support::proxy::Proxy;
use crate::support::server::{Server, connect};
use crate::support::workers::{Process, serve};
use crate::support::{Files, eventually, unique};

pub(crate) fn a_killed_worker_fails_its_call() {
    let (files, queue) = (Files::new(), unique("killed"));
    let jobs = Jobs { jobs: server().connect().task_queue(&queue).attempts(1).heartbeat(Duration::from_secs(1)) };
    let _worker = Process::worker(&server().url(), &queue, 1);
    let error = block_on(jobs.dies_once(&files.path("trace"))).unwrap_err();
    assert!(matches!(&error, Error::Died { status } if status.contains("heartbeat")), "{error:?}");
    assert_eq!(files.lines("trace"), 1);
}

pub(crate) fn a_second_attempt_after_a_killed_worker() {
    let (files, queue) = (Files::new(), unique("killed"));
    let jobs = Jobs { jobs: server().connect().task_queue(&queue).heartbeat(Duration::from_secs(1)).attempts(2) };
    let _workers = [(); 2].map(|()| Process::worker(&server().url(), &queue, 1));
    assert_eq!(block_on(jobs.dies_once(&files.path("trace"))).unwrap(), 2);
}

/// As one that needs more memory than there is: the system kills with SIGKILL.
pub(crate) fn a_call_that_kills_each_worker_has_died() {
    let queue = unique("kills");
    let temporal = server().connect().task_queue(&queue).heartbeat(Duration::from_secs(1)).attempts(2);
    let _workers = [(); 2].map(|()| Process::worker(&server().url(), &queue, 1));
    let error = block_on(functions::dies(&temporal, "kill".into())).unwrap_err();
    assert!(matches!(&error, Error::Died { status } if status.contains("heartbeat")), "{error:?}");
}

pub(crate) fn a_killed_server_delivers_after_its_restart() {
    let (files, server) = (Files::new(), Server::start());
    let temporal = server.connect();
    let worker = serve(&temporal, 1);
    let call = functions::waits_for_file(&temporal, files.path("state"), files.path("gate"));
    eventually("it runs", || files.has("state", "runs"));
    server.kill();
    std::fs::write(files.path("gate"), "").unwrap();
    eventually("it ends", || files.has("state", "ended"));
    // While there is no server: refused, not hung.
    let refused = block_on(functions::add(&temporal, 1, 2)).unwrap_err();
    let Error::Unavailable(why) = refused else { panic!("{refused:?}") };
    assert!(why.contains(&server.url()) && why.contains("whether it has stored the call is not known"), "{why}");
    server.restart();
    assert!(block_on(call).unwrap());
    assert_eq!(block_on(functions::add(&temporal, 1, 2)).unwrap(), 3);
    worker.stop().unwrap();
}

pub(crate) fn a_cut_connection_delays_and_loses_nothing() {
    let files = Files::new();
    let proxy = Proxy::start(server().address());
    let temporal = connect(&proxy.url()).task_queue(unique("cut"));
    let _worker = serve(&server().connect().task_queue(unique("other")), 1);
    let call = functions::waits_for_file(&temporal, files.path("state"), files.path("gate"));
    let _worker = serve(&temporal, 1);
    eventually("it runs", || files.has("state", "runs"));
    proxy.cut();
    std::fs::write(files.path("gate"), "").unwrap();
    eventually("it ends", || files.has("state", "ended"));
    proxy.mend();
    assert!(block_on(call).unwrap());
    assert_eq!(block_on(functions::add(&temporal, 1, 2)).unwrap(), 3);
}

/// For longer than the ten seconds for which the SDK reports an end. The body does not run again: there are attempts for it.
pub(crate) fn an_end_that_cannot_be_reported_is_kept() {
    let files = Files::new();
    let proxy = Proxy::start(server().address());
    let queue = unique("late");
    let jobs = Jobs { jobs: server().connect().task_queue(&queue).attempts(2).heartbeat(Duration::from_secs(60)) };
    let _worker = serve(&connect(&proxy.url()).task_queue(&queue), 1);
    let call = jobs.trace(&files.path("trace"), &files.path("gate"));
    eventually("it runs", || files.lines("trace") == 1);
    proxy.cut();
    std::fs::write(files.path("gate"), "").unwrap();
    std::thread::sleep(Duration::from_secs(15));
    assert!(!call.is_finished());
    proxy.mend();
    block_on(call).unwrap();
    assert_eq!(files.lines("trace"), 1);
}

pub(crate) fn a_worker_stops_although_its_server_is_gone() {
    let server = Server::start();
    let temporal = server.connect();
    let worker = serve(&temporal, 1);
    assert_eq!(block_on(functions::add(&temporal, 1, 2)).unwrap(), 3);
    server.kill();
    worker.stop().unwrap();
}
