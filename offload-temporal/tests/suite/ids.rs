//! Calls that bear an id.

use std::path::Path;

use offload_runtime::Error;
use pollster::block_on;
use temporalio_common::protos::temporal::api::enums::v1::ActivityExecutionStatus;
use tests_process::functions;

use crate::server;
use crate::support::functions::Jobs;
use crate::support::raw::Raw;
use crate::support::server::connect;
use crate::support::workers::{Process, serve};
use crate::support::{Files, eventually, unique};

/// `main` of a caller process: prints the result of `trace`, by an id.
pub(crate) fn caller(arguments: &[String]) {
    let [url, id, trace, gate] = arguments else { panic!("URL ID TRACE GATE") };
    let jobs = Jobs { jobs: connect(url).task_queue(id).id(id) };
    print!("{}", block_on(jobs.trace(Path::new(trace), Path::new(gate))).unwrap());
}

pub(crate) fn a_caller_that_was_killed_finds_its_result() {
    let (files, id, url) = (Files::new(), unique("order"), server().url());
    let (trace, gate) = (files.path("trace"), files.path("gate"));
    let arguments = ["caller", &url, &id, trace.to_str().unwrap(), gate.to_str().unwrap()];
    let _worker = serve(&server().connect().task_queue(&id), 1);
    let mut first = Process::start(&arguments);
    eventually("the body runs", || files.lines("trace") == 1);
    first.kill();
    let second = Process::start(&arguments);
    std::fs::write(&gate, "").unwrap();
    // While it ran, or after: both attach.
    let result = second.output();
    assert!(result.starts_with(&std::process::id().to_string()), "{result}");
    assert_eq!(Process::start(&arguments).output(), result);
    assert_eq!(files.lines("trace"), 1);
}

pub(crate) fn two_callers_share_a_run() {
    let (files, id) = (Files::new(), unique("shared"));
    let jobs = Jobs { jobs: server().connect().task_queue(&id).id(&id) };
    let _worker = serve(&jobs.jobs, 2);
    let calls: Vec<_> = (0..4).map(|_| jobs.trace(&files.path("trace"), &files.path("gate"))).collect();
    eventually("the body runs", || files.lines("trace") == 1);
    std::fs::write(files.path("gate"), "").unwrap();
    let results: Vec<_> = calls.into_iter().map(|call| block_on(call).unwrap()).collect();
    assert!(results.iter().all(|result| *result == results[0]), "{results:?}");
    assert_eq!(files.lines("trace"), 1);
}

pub(crate) fn a_dropped_guest_cancels_nothing() {
    let (files, id) = (Files::new(), unique("guest"));
    let temporal = server().connect().task_queue(&id).id(&id);
    let call = || functions::waits_for_file(&temporal, files.path("state"), files.path("gate"));
    let host = call();
    let raw = Raw::connect(&server().url());
    eventually("it is stored", || raw.status(&id).is_some());
    let guest = call();
    // A third that is known to have been acknowledged after it, because it has seen the end.
    drop(guest);
    let _worker = serve(&temporal, 1);
    eventually("it runs", || files.has("state", "runs"));
    std::fs::write(files.path("gate"), "").unwrap();
    assert!(block_on(host).unwrap());
    assert!(block_on(call()).unwrap());
    assert_eq!(raw.status(&id), Some(ActivityExecutionStatus::Completed));
}

pub(crate) fn an_id_belongs_to_one_function() {
    let id = unique("one");
    let temporal = server().connect().task_queue(&id).id(&id);
    let _worker = serve(&temporal, 1);
    assert_eq!(block_on(functions::add(&temporal, 1, 2)).unwrap(), 3);
    // The arguments are not looked at.
    assert_eq!(block_on(functions::add(&temporal, 10, 20)).unwrap(), 3);
    let error = block_on(functions::echo(&temporal, "a".into())).unwrap_err();
    let Error::Codec(why) = error else { panic!("{error:?}") };
    assert!(why.contains(&id) && why.contains("functions::add") && why.contains("functions::echo"), "{why}");
}

pub(crate) fn a_failure_is_kept() {
    let (files, id) = (Files::new(), unique("failed"));
    let jobs = Jobs { jobs: server().connect().task_queue(&id).id(&id) };
    let _worker = serve(&jobs.jobs, 1);
    for _ in 0..2 {
        let error = block_on(jobs.panics_with_a_trace(&files.path("trace"))).unwrap_err();
        assert!(matches!(error, Error::Panicked(_)), "{error:?}");
    }
    assert_eq!(files.lines("trace"), 1);
}
