//! How much memory a caller and a worker need after many calls, and after many cancelled ones. It reports, and asserts nothing.
//!
//! `OFFLOAD_MEMORY_CALLS=100000 cargo test -p offload-temporal --test faults -- --ignored --nocapture`

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use offload_runtime::JobHandle;
use pollster::block_on;
use tests_process::functions;

use crate::support::functions::Jobs;
use crate::support::server::{Server, connect};
use crate::support::workers::Process;
use crate::support::{Files, eventually, unique};

/// How many calls are under way at once.
const WINDOW: usize = 64;

/// How many calls the worker runs at once.
const PLACES: usize = 16;

pub(crate) fn over_many_calls() {
    let calls = std::env::var("OFFLOAD_MEMORY_CALLS").unwrap_or_else(|_| "20000".into());
    let (server, queue) = (Server::start(), unique("memory"));
    let worker = Process::worker(&server.url(), &queue, PLACES);
    Process::start(&["memory", &server.url(), &queue, &calls, &worker.id().to_string()]).output();
}

/// `main` of the caller. It reports to stderr, which is that of this process.
pub(crate) fn caller(arguments: &[String]) {
    let [url, queue, calls, worker] = arguments else { panic!("URL QUEUE CALLS WORKER") };
    let temporal = connect(url).task_queue(queue).heartbeat(Duration::from_secs(30));
    let (calls, files, begin) = (calls.parse().unwrap(), Files::new(), Instant::now());
    let show = |what: &str, count: usize| {
        let [caller, worker] = ["self", worker.as_str()].map(resident);
        eprintln!("{count:7} {what}: caller {caller} KiB, worker {worker} KiB, {:?}", begin.elapsed());
    };
    let mut running = VecDeque::new();
    // On a machine that is overloaded calls are refused now and then. They need memory, too.
    let end = |call: JobHandle<u64>| match block_on(call) {
        Ok(sum) => assert_eq!(sum, 3),
        Err(why) => eprintln!("{why}"),
    };
    for number in 1..=calls {
        running.push_back(functions::add(&temporal, 1, 2));
        if running.len() == WINDOW {
            end(running.pop_front().unwrap());
        }
        if number % (calls / 10).max(1) == 0 {
            show("calls", number);
        }
    }
    running.into_iter().for_each(end);
    // Cancelled while they run: it is the worker that hears of it.
    let rounds = (calls / 20 / PLACES).max(1);
    let jobs = Jobs { jobs: temporal.heartbeat(Duration::from_secs(1)) };
    for round in 1..=rounds {
        let names: Vec<_> = (0..PLACES).map(|place| format!("{round}-{place}")).collect();
        let running: Vec<_> = names.iter().map(|name| jobs.until_cancelled(&files.path(name))).collect();
        eventually("all run", || names.iter().all(|name| files.lines(name) == 1));
        drop(running);
        eventually("all are told", || names.iter().all(|name| files.lines(name) == 2));
        if round % (rounds / 5).max(1) == 0 {
            show("cancelled", round * PLACES);
        }
    }
    eprintln!("{}", jobs.jobs.metrics());
}

fn resident(process: &str) -> String {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap().trim().trim_end_matches(" kB").to_owned()
}
