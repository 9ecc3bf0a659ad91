//! `background`: the job on the pool, its callback on the event loop; one detached; one cancelled before it began.

use crate::process::output_of;

/// The places of these lines, which have to be there once each, in this order.
fn assert_order(lines: &[String], expected: &[&str]) {
    let place = |text: &&str| {
        let mut places = lines.iter().enumerate().filter(|(_, line)| line == text).map(|(place, _)| place);
        let first = places.next();
        assert!(first.is_some() && places.next().is_none(), "`{text}` is not there once: {lines:#?}");
        first
    };
    assert!(expected.iter().map(place).is_sorted(), "{lines:#?}");
}

#[test]
fn the_callback_runs_on_the_event_loop() {
    let lines = output_of("background");
    assert_order(&lines, &["job: on background-0", "callback: Ok(3628800) on main", "results: [Ok(3628800)]"]);
    // The loop printed it after it had submitted, before it was called back.
    assert_order(&lines, &["submitted; the event loop is free", "callback: Ok(3628800) on main"]);
}

#[test]
fn a_detached_job_ends() {
    let lines = output_of("background");
    let ran = "detached job: on background-0";
    assert_order(&lines, &[ran, "detached job: done, without a handle"]);
}

#[test]
fn a_cancelled_job_never_begins() {
    let lines = output_of("background");
    // It was resolved while the job before it still ran.
    assert_order(&lines, &["cancelled job: Err(Cancelled)", "job before it: Ok(Ok(()))"]);
    assert!(!lines.iter().any(|line| line == "never printed"), "{lines:#?}");
}

#[test]
fn the_pool_refuses_after_its_shutdown() {
    assert_eq!(output_of("background").last().map(String::as_str), Some("pool: Err(ShutDown)"));
}
