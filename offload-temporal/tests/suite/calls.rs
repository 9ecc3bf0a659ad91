//! Calls that end as they should.

use offload_runtime::Error;
use pollster::block_on;
use temporalio_common::protos::temporal::api::activity::v1::activity_execution_outcome::Value;
use tests_process::functions::{self, Refusal};
use tests_process::methods::Pictures;

use crate::server;
use crate::support::functions::Jobs;
use crate::support::raw::Raw;
use crate::support::workers::serve;
use crate::support::{Files, eventually, unique};

pub(crate) fn results_and_errors_of_the_user_cross() {
    let temporal = server().connect().task_queue(unique("results"));
    let _worker = serve(&temporal, 2);
    assert_eq!(block_on(functions::add(&temporal, 1, 2)).unwrap(), 3);
    assert_eq!(block_on(functions::halve(&temporal, 7)).unwrap(), Err(Refusal::Odd(7)));
    assert_eq!(block_on(functions::echo(&temporal, "\"ä\n".into())).unwrap(), "\"ä\n");
    // Nearly what the server stores in one piece.
    let long = "x".repeat(2_000_000);
    assert_eq!(block_on(functions::echo(&temporal, long.clone())).unwrap(), long);
}

pub(crate) fn a_call_can_be_read_in_temporals_page() {
    let id = unique("readable");
    let temporal = server().connect().task_queue(&id).id(&id);
    let _worker = serve(&temporal, 1);
    assert_eq!(block_on(functions::count_words(&temporal, "a b a".into())).unwrap()["a"], 2);
    let described = Raw::connect(&server().url()).describe(&id).unwrap();
    let info = described.info.unwrap();
    assert_eq!(info.activity_type.unwrap().name, "tests_process::functions::count_words");
    let input = described.input.unwrap().payloads;
    assert_eq!((input.len(), &*input[0].data), (1, &br#""a b a""#[..]));
    assert_eq!(input[0].metadata["encoding"], b"json/plain");
    let Some(Value::Result(result)) = described.outcome.unwrap().value else { panic!("{id} has no result") };
    let text = String::from_utf8(result.payloads[0].data.clone()).unwrap();
    assert!(text == r#"{"a":2,"b":1}"# || text == r#"{"b":1,"a":2}"#, "{text}");
}

pub(crate) fn a_panic_fails_its_call_and_not_the_worker() {
    let (files, queue) = (Files::new(), unique("panics"));
    // A panic is an end of the call: the attempts are for workers that die.
    let jobs = Jobs { jobs: server().connect().task_queue(queue).attempts(3) };
    let _worker = serve(&jobs.jobs, 1);
    let error = block_on(jobs.panics_with_a_trace(&files.path("trace"))).unwrap_err();
    assert!(matches!(&error, Error::Panicked(panic) if panic.message() == Some("out of cheese")), "{error:?}");
    assert_eq!(files.lines("trace"), 1);
    assert_eq!(block_on(functions::add(&jobs.jobs, 1, 2)).unwrap(), 3);
}

pub(crate) fn a_dropped_future_that_was_never_polled_has_sent_nothing() {
    let id = unique("lazy");
    let pictures = Pictures { workers: server().connect().task_queue(&id).id(&id) };
    drop(pictures.nothing());
    // A call after it has gone through, so one that was sent before would be there.
    let other = pictures.workers.id(unique("lazy"));
    let _worker = serve(&other, 1);
    block_on(functions::add(&other, 1, 2)).unwrap();
    assert!(Raw::connect(&server().url()).describe(&id).is_none());
}

pub(crate) fn a_detached_call_goes_on() {
    let files = Files::new();
    let temporal = server().connect().task_queue(unique("detached"));
    functions::waits_for_file(&temporal, files.path("state"), files.path("gate")).detach();
    // All handles are gone: the call is still sent and awaited.
    drop(temporal.clone());
    let _worker = serve(&temporal, 1);
    eventually("it runs", || files.has("state", "runs"));
    std::fs::write(files.path("gate"), "").unwrap();
    eventually("it ends", || files.has("state", "ended"));
}

pub(crate) fn fifty_calls_at_once() {
    let temporal = server().connect().task_queue(unique("many"));
    let _worker = serve(&temporal, 8);
    let handles: Vec<_> = (0..50).map(|n| functions::add(&temporal, n, 1)).collect();
    for (n, handle) in (0..).zip(handles) {
        assert_eq!(block_on(handle).unwrap(), n + 1);
    }
}
