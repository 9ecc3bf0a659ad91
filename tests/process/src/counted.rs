//! What an executor says about its remote calls, in its figures, its running calls and what it publishes: the same on all of them.

use offload_runtime::remote::RemoteExecutor;
use pollster::block_on;

use crate::functions;
use crate::methods::behave_as_written;
use crate::support::{Published, content, eventually};

/// What an executor says at one moment.
#[derive(Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "as the methods of the metrics that they are of")]
pub struct Seen {
    pub submitted: u64,
    pub queued: u64,
    pub running: u64,
    pub completed: u64,
    pub panicked: u64,
    pub cancelled: u64,
    pub refused: u64,
    /// The names of the methods, and how many calls each had.
    pub by_site: Vec<(&'static str, u64)>,
    /// The names of the methods that run.
    pub running_jobs: Vec<&'static str>,
}

/// What `metrics` and `running_jobs` of an executor say, whatever its type.
#[macro_export]
macro_rules! seen {
    ($executor:expr) => {{
        let (metrics, running) = ($executor.metrics(), $executor.running_jobs());
        let name = |site: offload_runtime::Site| site.name().expect("a remote function has a name");
        $crate::counted::Seen {
            submitted: metrics.submitted(),
            queued: metrics.queued(),
            running: metrics.running(),
            completed: metrics.completed(),
            panicked: metrics.panicked(),
            cancelled: metrics.cancelled(),
            refused: metrics.refused(),
            by_site: metrics.by_site().iter().map(|site| (name(site.site()), site.submitted())).collect(),
            running_jobs: running.iter().map(|job| name(job.site())).collect(),
        }
    }};
}

/// Calls the methods of [`methods`](crate::methods) and a few functions on a new executor of one worker, and checks what it says of them.
///
/// `pool` is its name where it publishes.
///
/// # Panics
/// If that is not what was done.
pub fn is_what_was_done<E: RemoteExecutor>(workers: &E, pool: &str, look: impl Fn(&E) -> Seen) {
    let published = Published::install();
    let directory = tempfile::tempdir().unwrap();
    let [state, other, gate] = ["state", "other", "gate"].map(|name| directory.path().join(name));

    behave_as_written(workers);
    let methods =
        [("scale", 2), ("describe", 2), ("shift", 1), ("nothing", 1), ("length", 1), ("longest", 1), ("fails", 1)];
    let mut expected = Seen {
        submitted: 9,
        queued: 0,
        running: 0,
        completed: 8,
        panicked: 1,
        cancelled: 0,
        refused: 0,
        by_site: methods.to_vec(),
        running_jobs: vec![],
    };
    assert_eq!(look(workers), expected);

    // One that runs.
    let held = functions::waits_for_file(workers, state.clone(), gate.clone());
    assert_eq!(content(&state), "runs");
    (expected.submitted, expected.running, expected.running_jobs) = (10, 1, vec!["waits_for_file"]);
    expected.by_site.push(("waits_for_file", 1));
    // It may run before its caller is told that the server has it.
    eventually("it is shown as running", || look(workers) == expected);

    // One that waits for the worker, and whose caller leaves.
    let waiting = functions::waits_for_file(workers, other.clone(), gate.clone());
    let seen = look(workers);
    assert_eq!((seen.submitted, seen.queued + seen.running, seen.cancelled), (11, 2, 0));
    drop(waiting);
    (expected.submitted, expected.cancelled, expected.by_site[7].1) = (11, 1, 2);
    eventually("it is counted as cancelled", || look(workers) == expected);

    // An end is counted before it is seen.
    std::fs::write(&gate, "").unwrap();
    assert!(block_on(held).unwrap());
    (expected.running, expected.completed, expected.running_jobs) = (0, 9, vec![]);
    assert_eq!(look(workers), expected);
    assert!(!other.exists(), "a call that was cancelled while it waited has run");

    // The same is published.
    let pool = format!("pool=\"{pool}\"");
    let method = "method=\"tests_process::functions::waits_for_file\"";
    let names = ["submitted", "queued", "running", "completed", "panicked", "cancelled"]
        .map(|name| format!("offload_jobs_{name}"));
    let counts = |labels: &[&str]| names.each_ref().map(|name| published.count(name, labels));
    eventually("it is published", || counts(&[&pool]) == [11, 0, 0, 9, 1, 1]);
    assert_eq!(counts(&[&pool, method]), [2, 0, 0, 1, 0, 1]);
    for time in ["offload_job_wait_count", "offload_job_run_count"] {
        assert!(published.count(time, &[&pool, method]) >= 1, "{time}");
    }
}
