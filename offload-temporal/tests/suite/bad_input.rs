//! Calls that cannot be made, or not as they were asked for.

use std::net::TcpListener;
use std::time::Duration;

use offload_runtime::__private::{function_site, remote as generated};
use offload_runtime::remote::Failure;
use offload_runtime::{Error, JobHandle, Site};
use offload_temporal::temporalio_client::{ConnectionOptions, Url};
use offload_temporal::{Temporal, Worker};
use pollster::block_on;
use tests_process::functions;

use crate::server;
use crate::support::functions::Jobs;
use crate::support::workers::serve;
use crate::support::{Files, eventually, unique};

#[track_caller]
fn unavailable<T>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::Unavailable(why)) => why,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was not refused"),
    }
}

pub(crate) fn no_server() {
    let why = unavailable(block_on(Temporal::connect("http://127.0.0.1:1")));
    assert!(why.contains("http://127.0.0.1:1"), "{why}");
}

pub(crate) fn a_server_that_never_answers() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("http://{}", silent.local_addr().unwrap())).unwrap();
    let options = ConnectionOptions::new(url.clone()).connect_timeout(Duration::from_millis(300)).build();
    let why = unavailable(block_on(Temporal::connect_with(options)));
    assert!(why.contains(url.as_str().trim_end_matches('/')) && why.contains("300ms"), "{why}");
}

pub(crate) fn a_wrong_namespace() {
    let temporal = server().connect().namespace("nowhere").task_queue(unique("namespace"));
    let why = unavailable(block_on(functions::add(&temporal, 1, 2)));
    assert!(why.contains("`nowhere`") && why.contains(&server().url()), "{why}");
    let why = unavailable(block_on(Worker::new(&temporal).run_until(std::future::pending())));
    assert!(why.contains("`nowhere`") && why.contains(&server().url()), "{why}");
}

pub(crate) fn a_queue_without_workers() {
    let temporal = server().connect().task_queue(unique("nobody")).schedule_to_start(Duration::from_secs(1));
    let error = block_on(functions::add(&temporal, 1, 2)).unwrap_err();
    assert!(matches!(error, Error::TimedOut), "{error:?}");
    // The server had it, so it had begun for its caller.
    let metrics = temporal.metrics();
    assert_eq!((metrics.panicked(), metrics.running()), (1, 0));
    assert_eq!(metrics.recent_panics()[0].message(), Some(&*Error::TimedOut.to_string()));
}

/// A function that only the caller has.
fn call_of<T: serde::de::DeserializeOwned + Send + 'static>(
    temporal: &Temporal,
    function: &'static generated::Function,
    argument: &str,
) -> JobHandle<T> {
    const SITE: &Site = &function_site("f", module_path!(), || concat!(module_path!(), "::f"));
    generated::submit(temporal, SITE, function, |packer| packer.put(argument))
}

fn never_run(_: &mut generated::Unpacker<'_>) -> Result<Vec<u8>, Failure> {
    unreachable!("it is the other function that runs")
}

pub(crate) fn an_unknown_function() {
    static FUNCTION: generated::Function = generated::Function::new("x", "shop.new", true, || "fn()", never_run);
    let temporal = server().connect().task_queue(unique("unknown")).attempts(3);
    let _worker = serve(&temporal, 1);
    let error = block_on(call_of::<u64>(&temporal, &FUNCTION, "a")).unwrap_err();
    assert!(matches!(&error, Error::UnknownFunction(name) if name == "shop.new"), "{error:?}");
    assert_eq!(block_on(functions::add(&temporal, 1, 2)).unwrap(), 3);
}

pub(crate) fn arguments_of_another_type() {
    static FUNCTION: generated::Function =
        generated::Function::new("x", "tests_process::functions::sleeps", true, || "fn()", never_run);
    let temporal = server().connect().task_queue(unique("types")).attempts(3);
    let _worker = serve(&temporal, 1);
    let error = block_on(call_of::<u64>(&temporal, &FUNCTION, "a")).unwrap_err();
    assert!(matches!(&error, Error::Codec(why) if why.contains("the arguments")), "{error:?}");
}

pub(crate) fn an_argument_that_is_too_large() {
    let temporal = server().connect().task_queue(unique("large"));
    let error = block_on(functions::echo(&temporal, "x".repeat(3_000_000))).unwrap_err();
    let Error::Codec(why) = error else { panic!("{error:?}") };
    assert!(why.contains("the arguments: 30000") && why.contains("2097152"), "{why}");
    let metrics = temporal.metrics();
    assert_eq!((metrics.submitted(), metrics.refused(), metrics.queued() + metrics.running()), (1, 1, 0));
}

pub(crate) fn a_result_that_is_too_large_is_not_made_twice() {
    let files = Files::new();
    let jobs = Jobs { jobs: server().connect().task_queue(unique("large")).attempts(3) };
    let _worker = serve(&jobs.jobs, 1);
    let error = block_on(jobs.bytes_with_a_trace(&files.path("trace"), 3_000_000)).unwrap_err();
    let Error::Codec(why) = error else { panic!("{error:?}") };
    assert!(why.contains("the result: 30000") && why.contains("2097152"), "{why}");
    assert_eq!(files.lines("trace"), 1);
    // The largest that fits, to the byte: 2 of quotes, 32 of the message around it.
    let largest = 2_097_152 - 2 - 32;
    let result = block_on(jobs.bytes_with_a_trace(&files.path("trace"), largest));
    assert_eq!(result.map(|text| text.len()).map_err(|error| error.to_string()), Ok(largest));
    let error = block_on(jobs.bytes_with_a_trace(&files.path("trace"), largest + 1)).unwrap_err();
    assert!(matches!(&error, Error::Codec(why) if why.contains("2097153")), "{error:?}");
}

pub(crate) fn a_call_that_takes_too_long() {
    let files = Files::new();
    let jobs =
        Jobs { jobs: server().connect().task_queue(unique("slow")).attempts(1).start_to_close(Duration::from_secs(1)) };
    let _worker = serve(&jobs.jobs, 1);
    let error = block_on(jobs.until_cancelled(&files.path("trace"))).unwrap_err();
    assert!(matches!(error, Error::TimedOut), "{error:?}");
    eventually("the body is told", || files.has("trace", "run\ncancelled\n"));
}

/// With one thread for both: the inner call can never begin, and its limit says so.
pub(crate) fn a_wait_inside_a_call_ends() {
    let queue = unique("nested");
    let jobs = Jobs { jobs: server().connect().task_queue(&queue) };
    let _worker = serve(&jobs.jobs, 1);
    assert_eq!(block_on(jobs.nested(&server().url(), &queue)).unwrap(), "TimedOut");
}

pub(crate) fn nothing_secret_in_debug() {
    let mut url = Url::parse(&server().url()).unwrap();
    url.set_username("user").unwrap();
    url.set_password(Some("hunter2")).unwrap();
    let headers = [("x-token".to_owned(), "hunter3".to_owned())].into();
    let options = ConnectionOptions::new(url).api_key("hunter4").headers(headers);
    // Without certificates a key would demand them.
    let shown = match block_on(Temporal::connect_with(options.build())) {
        Ok(temporal) => format!("{temporal:?} {:?}", Worker::new(&temporal)),
        Err(error) => format!("{error} {error:?}"),
    };
    assert!(!shown.contains("hunter"), "{shown}");
    let temporal = server().connect().id("order-17");
    let shown = format!("{temporal:?}");
    assert!(shown.contains("order-17") && shown.contains(&server().url()), "{shown}");
}
