//! Pools whose workers run this same program: a test without the harness, so that `init` comes first.
//!
//! Each scenario runs in a process of its own, as some kill their process, reap its children, or delete its file.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use offload_runtime::Error;
use offload_runtime::process::{self, ProcessPool};
use pollster::block_on;
use rustix::process::{Signal, WaitOptions};
use tests_process::functions;
use tests_process::support::{bounded, children, eventually, is_gone, signal};

type Scenario = (&'static str, fn());

const SCENARIOS: [Scenario; 6] = [
    ("calls_run_in_children_of_this_program", calls_run_in_children_of_this_program),
    ("children_are_gone_within_a_second_after_their_parent_is_killed", children_are_gone_after_their_parent),
    ("a_program_that_reaps_children_itself_loses_no_call", a_program_that_reaps_children_itself_loses_no_call),
    ("a_program_file_may_be_replaced_and_deleted", a_program_file_may_be_replaced_and_deleted),
    ("a_relative_program_and_a_removed_working_directory", a_relative_program_and_a_removed_working_directory),
    ("two_functions_of_one_name_are_an_error_at_init", two_functions_of_one_name_are_an_error_at_init),
];

fn main() -> ExitCode {
    process::init();
    let arguments: Vec<_> = env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("scenario") => {
            let scenario = SCENARIOS.iter().find(|(name, _)| *name == arguments[1]).expect("a scenario").1;
            bounded(scenario);
            ExitCode::SUCCESS
        }
        Some("parent") => parent(),
        Some("replaced") => {
            bounded(replaced);
            ExitCode::SUCCESS
        }
        Some("--list") => {
            for (name, _) in SCENARIOS {
                println!("{name}: test");
            }
            ExitCode::SUCCESS
        }
        filter => run_all(filter.filter(|filter| !filter.starts_with('-'))),
    }
}

fn run_all(filter: Option<&str>) -> ExitCode {
    let mut failed = 0;
    for (name, _) in SCENARIOS.iter().filter(|(name, _)| filter.is_none_or(|filter| name.contains(filter))) {
        let status = Command::new(env::current_exe().unwrap()).args(["scenario", name]).status().unwrap();
        println!("test {name} ... {}", if status.success() { "ok" } else { "FAILED" });
        failed += u8::from(!status.success());
    }
    println!("\ntest result: {}", if failed == 0 { "ok" } else { "FAILED" });
    ExitCode::from(failed)
}

fn calls_run_in_children_of_this_program() {
    let pool = ProcessPool::new(2).unwrap();
    let child = block_on(functions::process_id(&pool)).unwrap();
    assert_ne!(child, std::process::id());
    assert!(children().iter().any(|(known, _)| *known == child));
    let own = fs::read_link("/proc/self/exe").unwrap();
    assert_eq!(fs::read_link(format!("/proc/{child}/exe")).unwrap(), own);
    assert!(block_on(functions::wants_a_pool(&pool)).unwrap().contains("a worker process cannot have"));
    block_on(pool.shutdown());
    assert!(children().is_empty(), "{:?}", children());
}

/// Starts workers: one idle, one that runs, one that is stopped. Writes their ids and waits to be killed.
fn parent() -> ExitCode {
    let pool = ProcessPool::new(3).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let files = [directory.path().join("a"), directory.path().join("b")];
    let calls: Vec<_> = files.iter().map(|file| functions::runs_for_ever(&pool, file.clone())).collect();
    let idle = block_on(functions::process_id(&pool)).unwrap();
    let ids = files.map(|file| tests_process::support::content(&file).parse::<u32>().unwrap());
    signal(ids[1], Signal::STOP);
    // The system wakes the stopped processes of a group that has lost its parent; one that is about to stop would be missed.
    let threads = || fs::read_dir(format!("/proc/{}/task", ids[1])).unwrap();
    let is_stopped = |thread: u32| tests_process::support::state(thread) == Some('T');
    eventually("it is stopped", || {
        threads().all(|id| is_stopped(id.unwrap().file_name().to_str().unwrap().parse().unwrap()))
    });
    println!("{} {} {idle}", ids[0], ids[1]);
    loop {
        thread::park();
        assert_eq!(calls.len(), 2);
    }
}

fn children_are_gone_after_their_parent() {
    let mut within_a_second = 0;
    for _ in 0..5 {
        let mut parent =
            Command::new(env::current_exe().unwrap()).arg("parent").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(parent.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ids: Vec<u32> = line.split_whitespace().map(|id| id.parse().unwrap()).collect();
        assert_eq!(ids.len(), 3, "{line}");
        assert!(!ids.iter().any(|id| is_gone(*id)));
        parent.kill().unwrap();
        assert_eq!(parent.wait().unwrap().signal(), Some(9));
        let killed = Instant::now();
        eventually("they are gone", || ids.iter().all(|id| is_gone(*id)));
        within_a_second += u32::from(killed.elapsed() < Duration::from_secs(1));
    }
    // Not each time: the machine may be busy.
    assert!(within_a_second > 0);
}

/// As an `init` of a container does.
fn a_program_that_reaps_children_itself_loses_no_call() {
    let pool = ProcessPool::builder().max_workers(2).calls_per_worker(7).build().unwrap();
    thread::spawn(|| {
        loop {
            if rustix::process::wait(WaitOptions::empty()).is_err() {
                thread::yield_now();
            }
        }
    });
    for n in 0..300 {
        match block_on(functions::add(&pool, n, 1)) {
            Ok(sum) => assert_eq!(sum, n + 1),
            other => panic!("{other:?}"),
        }
        if n % 10 == 0 {
            match block_on(functions::dies(&pool, "exit 3".into())) {
                // It depends on which of the two waits first.
                Err(Error::Died { status }) => {
                    assert!(status.contains("exit status: 3") || status.starts_with("unknown exit status"), "{status}");
                }
                other => panic!("{other:?}"),
            }
        }
    }
    block_on(pool.shutdown());
}

fn a_program_file_may_be_replaced_and_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("program");
    fs::copy(env::current_exe().unwrap(), &path).unwrap();
    // A child that another thread forks meanwhile may hold the file open for writing for a moment.
    assert!(Command::new(&path).arg("replaced").status().unwrap().success());
}

fn replaced() {
    let path = env::current_exe().unwrap();
    let pool = ProcessPool::builder().max_workers(1).calls_per_worker(1).build().unwrap();
    assert_eq!(block_on(functions::add(&pool, 1, 2)).unwrap(), 3);
    fs::remove_file(&path).unwrap();
    assert_eq!(block_on(functions::add(&pool, 2, 2)).unwrap(), 4, "deleted");
    fs::write(&path, "another build").unwrap();
    assert_eq!(block_on(functions::add(&pool, 3, 2)).unwrap(), 5, "replaced");
}

fn a_relative_program_and_a_removed_working_directory() {
    let worker = Path::new(env!("CARGO_BIN_EXE_worker"));
    env::set_current_dir(worker.parent().unwrap()).unwrap();
    let relative = Path::new(".").join(worker.file_name().unwrap());
    let elsewhere = tempfile::tempdir().unwrap();
    let build = || ProcessPool::builder().max_workers(1).program(&relative);
    let there = build().current_dir(elsewhere.path()).build().unwrap();
    let later = build().build().unwrap();
    let own = ProcessPool::new(1).unwrap();
    let removed = tempfile::tempdir().unwrap();
    env::set_current_dir(removed.path()).unwrap();
    removed.close().unwrap();
    for pool in [there, later, own] {
        assert_eq!(block_on(functions::add(&pool, 1, 2)).unwrap(), 3);
    }
}

fn two_functions_of_one_name_are_an_error_at_init() {
    let output = Command::new(env!("CARGO_BIN_EXE_duplicate")).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(101), "{text}");
    assert!(text.contains("two remote functions are named `pictures.scale`, at "), "{text}");
}
