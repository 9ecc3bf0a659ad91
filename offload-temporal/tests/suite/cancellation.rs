//! Calls that are dropped, or cancelled by others.

use std::time::Duration;

use offload_runtime::Error;
use offload_temporal::RunningCall;
use pollster::block_on;
use temporalio_common::protos::temporal::api::enums::v1::ActivityExecutionStatus;
use tests_process::functions;

use crate::server;
use crate::support::functions::Jobs;
use crate::support::proxy::Proxy;
use crate::support::raw::Raw;
use crate::support::server::connect;
use crate::support::workers::serve;
use crate::support::{Files, eventually, unique};

pub(crate) fn a_dropped_call_that_waits_never_runs() {
    let (files, id) = (Files::new(), unique("dropped"));
    let temporal = server().connect().task_queue(&id);
    let raw = Raw::connect(&server().url());
    let handle = functions::waits_for_file(&temporal.id(&id), files.path("state"), files.path("gate"));
    eventually("it is stored", || raw.status(&id) == Some(ActivityExecutionStatus::Running));
    drop(handle);
    eventually("it is cancelled", || raw.status(&id) == Some(ActivityExecutionStatus::Canceled));
    let _worker = serve(&temporal, 1);
    assert_eq!(block_on(functions::add(&temporal, 1, 2)).unwrap(), 3);
    assert!(!files.path("state").exists());
}

pub(crate) fn a_dropped_call_that_runs_is_told() {
    let (files, id) = (Files::new(), unique("dropped"));
    let jobs = Jobs { jobs: server().connect().task_queue(&id).heartbeat(Duration::from_secs(1)).id(&id) };
    let _worker = serve(&jobs.jobs, 1);
    let call = jobs.until_cancelled(&files.path("trace"));
    eventually("it runs", || files.has("trace", "run\n"));
    eventually("it is shown", || jobs.jobs.running_jobs().iter().any(|call| call.id() == id && !call.is_cancelled()));
    drop(call);
    eventually("it is told", || files.has("trace", "run\ncancelled\n"));
    let raw = Raw::connect(&server().url());
    eventually("it has ended as cancelled", || raw.status(&id) == Some(ActivityExecutionStatus::Canceled));
    eventually("it is counted", || jobs.jobs.metrics().cancelled_after_start() == 1);
    assert!(jobs.jobs.running_jobs().is_empty());
}

/// Until the server can be asked.
pub(crate) fn a_dropped_call_is_shown_until_the_server_knows() {
    let files = Files::new();
    let proxy = Proxy::start(server().address());
    let queue = unique("dropped");
    let jobs = Jobs { jobs: connect(&proxy.url()).task_queue(&queue).heartbeat(Duration::from_secs(1)) };
    let _worker = serve(&server().connect().task_queue(&queue), 1);
    let call = jobs.until_cancelled(&files.path("trace"));
    eventually("it runs", || files.has("trace", "run\n") && jobs.jobs.running_jobs().len() == 1);
    proxy.cut();
    drop(call);
    eventually("it is shown as cancelled", || jobs.jobs.running_jobs().iter().any(RunningCall::is_cancelled));
    assert_eq!((jobs.jobs.metrics().running(), jobs.jobs.metrics().cancelled()), (1, 0));
    proxy.mend();
    eventually("it is told", || files.has("trace", "run\ncancelled\n"));
    eventually("it is counted", || jobs.jobs.metrics().cancelled_after_start() == 1);
    assert!(jobs.jobs.running_jobs().is_empty());
}

pub(crate) fn a_call_that_is_cancelled_elsewhere() {
    let (files, id) = (Files::new(), unique("elsewhere"));
    let jobs = Jobs { jobs: server().connect().task_queue(&id).heartbeat(Duration::from_secs(1)).id(&id) };
    let _worker = serve(&jobs.jobs, 1);
    let call = jobs.until_cancelled(&files.path("trace"));
    eventually("it runs", || files.has("trace", "run\n"));
    Raw::connect(&server().url()).cancel(&id);
    let error = block_on(call).unwrap_err();
    assert!(matches!(error, Error::Cancelled), "{error:?}");
    assert!(files.has("trace", "run\ncancelled\n"));
}

/// The server refuses the second request, which is as good: the call is not shown for ever, nor asked for again.
pub(crate) fn a_second_request_to_cancel_changes_nothing() {
    let (files, id) = (Files::new(), unique("twice"));
    let temporal = server().connect().task_queue(&id).id(&id);
    let _worker = serve(&temporal, 1);
    let call = functions::waits_for_file(&temporal, files.path("state"), files.path("gate"));
    eventually("it runs", || files.has("state", "runs") && temporal.running_jobs().len() == 1);
    Raw::connect(&server().url()).cancel(&id);
    drop(call);
    eventually("it is counted", || temporal.metrics().cancelled_after_start() == 1);
    assert!(temporal.running_jobs().is_empty());
    std::fs::write(files.path("gate"), "").unwrap();
    eventually("it ends", || files.has("state", "ended"));
}
