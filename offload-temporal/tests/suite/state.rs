//! What the server knows of a call: waiting is told from running, and from nothing at all.

use std::time::Duration;

use offload_runtime::Error;
use offload_temporal::{CallState, Temporal};
use pollster::block_on;
use tests_process::functions;

use crate::server;
use crate::support::functions::Jobs;
use crate::support::proxy::Proxy;
use crate::support::server::connect;
use crate::support::workers::serve;
use crate::support::{Files, eventually, unique};

fn state(temporal: &Temporal, id: &str) -> CallState {
    block_on(temporal.state(id)).unwrap()
}

pub(crate) fn pending_is_not_unknown_and_not_running() {
    let (files, id) = (Files::new(), unique("state"));
    let temporal = server().connect().task_queue(&id);
    assert_eq!(state(&temporal, &id), CallState::Unknown);
    let call = functions::waits_for_file(&temporal.id(&id), files.path("state"), files.path("gate"));
    eventually("it is stored", || state(&temporal, &id) != CallState::Unknown);
    assert_eq!(state(&temporal, &id), CallState::Waiting);
    // For its caller it runs: the server has it.
    eventually("it is shown", || temporal.running_jobs().iter().any(|call| call.id() == id));
    assert_eq!((temporal.metrics().queued(), temporal.metrics().running()), (0, 1));

    let _worker = serve(&temporal, 1);
    eventually("it runs", || files.has("state", "runs"));
    let CallState::Running { attempt, worker } = state(&temporal, &id) else { panic!("it runs") };
    assert!(worker.starts_with(&format!("{}@", std::process::id())), "{worker}");
    // The server may have lost one on its way to the worker.
    assert!((1..=3).contains(&attempt), "{attempt}");
    std::fs::write(files.path("gate"), "").unwrap();
    assert!(block_on(call).unwrap());
    assert_eq!(state(&temporal, &id), CallState::Completed);
}

pub(crate) fn ends_are_told_apart() {
    let (files, queue) = (Files::new(), unique("state"));
    let jobs = |id: &str| Jobs {
        jobs: server().connect().task_queue(&queue).id(format!("{queue}-{id}")).heartbeat(Duration::from_secs(1)),
    };
    let state = |id: &str| state(&server().connect(), &format!("{queue}-{id}"));
    let _worker = serve(&server().connect().task_queue(&queue), 1);
    assert!(matches!(block_on(jobs("panics").panics_with_a_trace(&files.path("a"))), Err(Error::Panicked(_))));
    assert_eq!(state("panics"), CallState::Failed);
    let late = Jobs { jobs: jobs("late").jobs.attempts(1).start_to_close(Duration::from_secs(1)) };
    assert!(matches!(block_on(late.until_cancelled(&files.path("b"))), Err(Error::TimedOut)));
    assert_eq!(state("late"), CallState::Failed);
    let cancelled = jobs("cancelled").until_cancelled(&files.path("c"));
    eventually("it runs", || files.has("c", "run\n"));
    drop(cancelled);
    eventually("it is cancelled", || state("cancelled") == CallState::Cancelled);
}

pub(crate) fn without_a_server_or_a_namespace_nothing_is_known() {
    let proxy = Proxy::start(server().address());
    let temporal = connect(&proxy.url());
    let Err(Error::Unavailable(why)) = block_on(temporal.clone().namespace("nowhere").state("a")) else { panic!() };
    assert!(why.contains("`nowhere`") && why.contains(&proxy.url()), "{why}");
    proxy.cut();
    let Err(Error::Unavailable(why)) = block_on(temporal.state("a")) else { panic!() };
    assert!(why.contains(&proxy.url()), "{why}");
}
