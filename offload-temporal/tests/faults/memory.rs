//! How much memory a caller and a worker need after many calls, and after many cancelled ones. It reports, and asserts nothing.
//! After the calls it prints by how much each grows per call: the slope of a line through all readings but those of the first fifth.
//!
//! `OFFLOAD_MEMORY_CALLS=100000 cargo test -p offload-temporal --test faults -- --ignored --nocapture memory_over_very_many_calls`

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use pollster::block_on;
use tests_process::functions;

use crate::fake_server;
use crate::support::functions::Jobs;
use crate::support::server::{Server, connect};
use crate::support::workers::Process;
use crate::support::{Files, eventually, unique};

/// How many calls are under way at once.
const CALLERS: usize = 64;

/// How many calls the worker runs at once.
const PLACES: usize = 16;

/// Through the server, of 20,000 calls and 960 that are cancelled while they run.
pub(crate) fn over_many_calls() {
    let server = Server::start();
    measure(&server.url(), 20_000, 960);
}

/// Through the fake server: what callers and workers keep does not depend on the server, and the real one needs half an hour and more for so many.
pub(crate) fn over_very_many_calls() {
    let calls = std::env::var("OFFLOAD_MEMORY_CALLS").map_or(100_000, |calls| calls.parse().unwrap());
    measure(&format!("http://{}", fake_server::start()), calls, 0);
}

fn measure(url: &str, calls: usize, cancelled: usize) {
    let queue = unique("memory");
    let worker = Process::worker(url, &queue, PLACES);
    let [calls, cancelled] = [calls, cancelled].map(|count| count.to_string());
    Process::start(&["memory", url, &queue, &calls, &cancelled, &worker.id().to_string()]).output();
}

/// `main` of the caller. It reports to stderr, which is that of this process.
pub(crate) fn caller(arguments: &[String]) {
    let [url, queue, calls, cancelled, worker] = arguments else { panic!("URL QUEUE CALLS CANCELLED WORKER") };
    let temporal = connect(url).task_queue(queue);
    let [calls, cancelled]: [usize; 2] = [calls, cancelled].map(|count| count.parse().unwrap());
    let (files, begin) = (Files::new(), Instant::now());
    let show = |what: &str, count: usize| {
        let [caller, worker] = ["self", worker.as_str()].map(resident);
        eprintln!("{count:7} {what}: caller {caller} KiB, worker {worker} KiB, {:?}", begin.elapsed());
        (count, [caller, worker])
    };
    let readings = Mutex::new(Vec::new());
    let step = (calls / 10).clamp(1, 5000);
    // Each waits for its own call only: on a machine that is overloaded the development server gives some to no worker.
    let next = AtomicUsize::new(1);
    let call_one_after_the_other = || loop {
        let number = next.fetch_add(1, Relaxed);
        if number > calls {
            return;
        }
        match block_on(functions::add(&temporal, 1, 2)) {
            Ok(sum) => assert_eq!(sum, 3),
            // It needed memory as well.
            Err(why) => eprintln!("{why}"),
        }
        if number.is_multiple_of(step) {
            let reading = show("calls", number);
            readings.lock().unwrap().push(reading);
        }
    };
    thread::scope(|scope| (0..CALLERS).for_each(|_| drop(scope.spawn(call_one_after_the_other))));
    let mut readings = readings.into_inner().unwrap();
    readings.retain(|(count, _)| *count > calls / 5);
    for (index, process) in ["caller", "worker"].into_iter().enumerate() {
        let points: Vec<_> = readings.iter().map(|(count, kibibytes)| (*count, kibibytes[index] * 1024)).collect();
        eprintln!("the {process} grows by {:.1} bytes for each call", slope(&points));
    }
    // Cancelled while they run: it is the worker that hears of it.
    let rounds = cancelled / PLACES;
    let jobs = Jobs { jobs: temporal.heartbeat(Duration::from_secs(1)) };
    for round in 1..=rounds {
        let names: Vec<_> = (0..PLACES).map(|place| format!("{round}-{place}")).collect();
        let running: Vec<_> = names.iter().map(|name| jobs.until_cancelled(&files.path(name))).collect();
        eventually("all run", || names.iter().all(|name| files.lines(name) == 1));
        drop(running);
        eventually("all are told", || names.iter().all(|name| files.lines(name) == 2));
        if round.is_multiple_of((rounds / 5).max(1)) {
            show("cancelled", round * PLACES);
        }
    }
    eprintln!("{}", jobs.jobs.metrics());
}

/// In KiB.
fn resident(process: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Of the line with the least squares.
#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 bytes and calls")]
fn slope(points: &[(usize, u64)]) -> f64 {
    let points: Vec<_> = points.iter().map(|(x, y)| (*x as f64, *y as f64)).collect();
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / points.len() as f64;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let covariance: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    covariance / points.iter().map(|point| (point.0 - x).powi(2)).sum::<f64>()
}
