//! Calls through a real server. It is a program of its own: it is also its workers, its callers and its child processes.

#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod calls;
mod cancellation;
mod deaths;
mod ids;
mod methods;
mod state;
mod tls;
mod workers;

use std::sync::OnceLock;

use libtest_mimic::{Arguments, Trial};
use support::server::Server;
use tests_process::support::Published;

/// The server that tests share unless they kill it. Each has a task queue of its own.
static SERVER: OnceLock<Server> = OnceLock::new();

fn server() -> &'static Server {
    SERVER.get_or_init(Server::start)
}

/// Each function as a test of its name.
macro_rules! trials {
    ($($module:ident: $($name:ident),* $(,)?;)*) => {
        vec![$($(Trial::test(concat!(stringify!($module), "::", stringify!($name)), || {
            $module::$name();
            Ok(())
        })),*),*]
    };
}

fn main() {
    // First: a child of a `ProcessPool` serves calls here.
    offload_runtime::process::init();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("worker") => return support::workers::main(&arguments[1..]),
        Some("caller") => return ids::caller(&arguments[1..]),
        _ => (),
    }
    // Before the first pool is made.
    Published::install();
    let trials = trials! {
        methods: on_threads, on_processes, on_temporal, the_callers_trace_is_the_same;
        calls:
            results_and_errors_of_the_user_cross, a_call_can_be_read_in_temporals_page, a_panic_fails_its_call_and_not_the_worker,
            a_dropped_future_that_was_never_polled_has_sent_nothing, a_detached_call_goes_on, fifty_calls_at_once;
        bad_input:
            no_server, a_server_that_never_answers, a_wrong_namespace, a_queue_without_workers, an_unknown_function,
            arguments_of_another_type, an_argument_that_is_too_large, a_result_that_is_too_large_is_not_made_twice,
            a_call_that_takes_too_long, a_wait_inside_a_call_ends, nothing_secret_in_debug;
        tls:
            calls_and_workers_with_the_right_authority, another_authority_is_refused, another_name_is_refused,
            a_server_without_tls_is_refused, a_key_is_sent_and_not_shown, a_certificate_is_shown_to_the_server_and_to_no_other,
            a_server_that_demands_a_certificate_refuses_none_and_others, a_key_that_is_none_is_refused_and_not_shown;
        state:
            pending_is_not_unknown_and_not_running, ends_are_told_apart, without_a_server_or_a_namespace_nothing_is_known;
        cancellation:
            a_dropped_call_that_waits_never_runs, a_dropped_call_that_runs_is_told, a_dropped_call_is_shown_until_the_server_knows, a_call_that_is_cancelled_elsewhere,
            a_second_request_to_cancel_changes_nothing;
        ids:
            a_caller_that_was_killed_finds_its_result, two_callers_share_a_run, a_dropped_guest_cancels_nothing,
            an_id_belongs_to_one_function, a_failure_is_kept;
        workers:
            shutdown_drains, two_workers_share_a_queue, two_workers_of_one_process_share_a_queue, a_users_pool_shows_what_runs,
            a_dropped_worker_ends_what_it_runs;
        deaths:
            a_killed_worker_fails_its_call, a_second_attempt_after_a_killed_worker, a_call_that_kills_each_worker_has_died,
            a_killed_server_delivers_after_its_restart,
            a_cut_connection_delays_and_loses_nothing, an_end_that_cannot_be_reported_is_kept,
            a_worker_stops_although_its_server_is_gone;
    };
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    // A static is not dropped.
    if let Some(server) = SERVER.get() {
        server.kill();
    }
    conclusion.exit();
}
