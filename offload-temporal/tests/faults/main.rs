//! Workers and the server are killed and stopped, and connections cut, under a load. It is a program of its own: its workers run it, too.
//!
//! `OFFLOAD_FAULT_SEED` repeats the order of the faults of a run, which it prints.

#[path = "../support/mod.rs"]
mod support;

mod chaos;
mod fake_server;
mod memory;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Trial};
use offload_runtime::Error;
use pollster::block_on;
use temporalio_common::protos::temporal::api::enums::v1::ActivityExecutionStatus as Status;

use chaos::Chaos;
use support::functions::Jobs;
use support::raw::Raw;
use support::server::connect;
use support::{Files, unique};

const CALLS: u32 = 1000;
const CALLERS: u32 = 40;

/// For the whole load, which takes one to two minutes on two cores.
const LIMIT: Duration = Duration::from_secs(480);

/// What a caller was told.
struct Told {
    number: u32,
    result: Result<u32, Error>,
    /// How often it was refused before that, as there was no server.
    refusals: u32,
}

/// Every second call may be begun ten times, the others once.
fn may_be_repeated(number: u32) -> bool {
    number.is_multiple_of(2)
}

fn every_call_ends_once() {
    let (files, prefix) = (Files::new(), unique("fault"));
    let trace = files.path("trace");
    let chaos = Chaos::start(&prefix);
    let is_over = Arc::new(AtomicBool::new(false));
    let (ends, told) = mpsc::channel();
    let next = Arc::new(AtomicUsize::new(0));
    for _ in 0..CALLERS {
        let jobs = connect(&chaos.url()).task_queue(&prefix).heartbeat(Duration::from_secs(3));
        let (ends, next, prefix, trace) = (ends.clone(), Arc::clone(&next), prefix.clone(), trace.clone());
        thread::spawn(move || {
            while let Some(number) = u32::try_from(next.fetch_add(1, Relaxed)).ok().filter(|number| *number < CALLS) {
                let attempts = if may_be_repeated(number) { 10 } else { 1 };
                let jobs = Jobs { jobs: jobs.clone().attempts(attempts).id(format!("{prefix}-{number}")) };
                let mut refusals = 0;
                let result = loop {
                    match block_on(jobs.count(&trace, number, 200)) {
                        // The id makes the repetition the same call.
                        Err(Error::Unavailable(_)) => {
                            refusals += 1;
                            thread::sleep(Duration::from_millis(100));
                        }
                        result => break result,
                    }
                };
                let _ = ends.send(Told { number, result, refusals });
            }
        });
    }
    drop(ends);
    let faults = thread::spawn({
        let is_over = Arc::clone(&is_over);
        move || chaos.run(&is_over)
    });
    let until = Instant::now() + LIMIT;
    let mut all: Vec<Told> = Vec::new();
    while let Ok(one) = told.recv_timeout(until.saturating_duration_since(Instant::now())) {
        all.push(one);
    }
    is_over.store(true, Relaxed);
    let (chaos, faults) = faults.join().unwrap();
    all.sort_by_key(|one| one.number);
    let missing: Vec<_> = (0..CALLS).filter(|number| all.iter().all(|one| one.number != *number)).collect();
    assert!(missing.is_empty(), "{} calls have not ended: {missing:?}", missing.len());
    assert!(all.len() == CALLS as usize, "one end for each call, and no other");

    // What the callers were told, what the server says, and what was done, agree.
    let raw = Raw::connect(&chaos.server_url());
    let mut runs = HashMap::<u32, u32>::new();
    for line in std::fs::read_to_string(&trace).unwrap().lines() {
        *runs.entry(line.parse().unwrap()).or_default() += 1;
    }
    let (mut failed, mut repeated, mut refused) = (0, 0, 0);
    for Told { number, result, refusals } in &all {
        let (runs, status) =
            (runs.get(number).copied().unwrap_or(0), raw.status(&format!("{prefix}-{number}")).unwrap());
        match result {
            Ok(value) => assert_eq!((value, status), (number, Status::Completed)),
            Err(Error::Died { .. } | Error::TimedOut) => {
                assert!(!may_be_repeated(*number), "ten attempts have not sufficed for {number}");
                assert!(matches!(status, Status::TimedOut | Status::Failed), "{number}: {status:?}");
                failed += 1;
            }
            Err(other) => panic!("{number}: {other:?}"),
        }
        match runs {
            0 => assert!(result.is_err(), "{number} has a result and has not run"),
            1 => (),
            more => {
                assert!(may_be_repeated(*number), "{number} may run once and has run {more} times");
                repeated += 1;
            }
        }
        refused += refusals;
    }
    println!(
        "{CALLS} calls: {failed} failed with their worker, {repeated} ran more than once, {refused} submissions were refused; {faults:?}"
    );
    assert!(faults.len() >= 5, "too few faults to say something");
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("worker") => return support::workers::main(&arguments[1..]),
        Some("memory") => return memory::caller(&arguments[1..]),
        _ => (),
    }
    let trials = vec![
        Trial::test("every_call_ends_once", || {
            every_call_ends_once();
            Ok(())
        }),
        Trial::test("memory_over_many_calls", || {
            memory::over_many_calls();
            Ok(())
        })
        .with_ignored_flag(true),
        Trial::test("memory_over_very_many_calls", || {
            memory::over_very_many_calls();
            Ok(())
        })
        .with_ignored_flag(true),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
