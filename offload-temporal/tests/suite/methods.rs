//! The same methods on threads, on child processes and on Temporal: the executor's type is all that differs.

use offload_runtime::ThreadPool;
use offload_runtime::process::ProcessPool;
use offload_runtime::remote::Local;
use tests_process::methods::behave_as_written;

use crate::server;
use crate::support::unique;
use crate::support::workers::serve;

pub(crate) fn on_threads() {
    behave_as_written(Local(ThreadPool::new(1)));
}

pub(crate) fn on_processes() {
    behave_as_written(ProcessPool::new(1).unwrap());
}

pub(crate) fn on_temporal() {
    let temporal = server().connect().task_queue(unique("methods"));
    let _worker = serve(&temporal, 1);
    behave_as_written(temporal);
}
