//! Functions that leave traces in files.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::Duration;

use offload_runtime::blocking;
use offload_temporal::Temporal;

#[derive(Clone)]
pub(crate) struct Jobs {
    pub jobs: Temporal,
}

impl Jobs {
    /// Adds a line to the file, waits until `gate` is there, and returns what no other run returns.
    #[blocking(remote, executor = jobs, handle)]
    pub(crate) fn trace(&self, file: &Path, gate: &Path) -> String {
        append(file, "run");
        wait_for(gate);
        format!("{} {:?}", std::process::id(), std::time::SystemTime::now())
    }

    /// Adds a line to the file and panics.
    #[blocking(remote, executor = jobs, handle)]
    pub(crate) fn panics_with_a_trace(&self, file: &Path) -> u32 {
        append(file, "run");
        panic!("out of cheese")
    }

    /// Adds a line to the file and returns so many bytes.
    #[blocking(remote, executor = jobs, handle)]
    pub(crate) fn bytes_with_a_trace(&self, file: &Path, count: usize) -> String {
        append(file, "run");
        "x".repeat(count)
    }

    /// Adds a line to the file; kills its process in the first run, and returns the number of runs in later ones.
    #[blocking(remote, executor = jobs, handle)]
    pub(crate) fn dies_once(&self, file: &Path) -> usize {
        append(file, "run");
        let runs = std::fs::read_to_string(file).unwrap().lines().count();
        if runs == 1 {
            std::process::abort();
        }
        runs
    }

    /// Adds its number to the file, takes its time, and returns the number.
    #[blocking(remote, executor = jobs, handle)]
    pub(crate) fn count(&self, file: &Path, number: u32, milliseconds: u64) -> u32 {
        append(file, &number.to_string());
        thread::sleep(Duration::from_millis(milliseconds));
        number
    }

    /// Runs until it is cancelled, and says so in the file.
    #[blocking(remote, executor = jobs, handle)]
    pub(crate) fn until_cancelled(&self, file: &Path) {
        append(file, "run");
        while !offload_runtime::is_cancelled() {
            thread::sleep(Duration::from_millis(5));
        }
        append(file, "cancelled");
        offload_runtime::check_cancelled();
    }

    /// Calls another function of the same queue and waits for it.
    #[blocking(remote, executor = jobs, handle)]
    pub(crate) fn nested(&self, url: &str, task_queue: &str) -> String {
        let jobs = super::server::connect(url).task_queue(task_queue).schedule_to_start(Duration::from_secs(2));
        match pollster::block_on(tests_process::functions::add(&jobs, 1, 2)) {
            Ok(sum) => sum.to_string(),
            Err(error) => format!("{error:?}"),
        }
    }
}

fn append(file: &Path, line: &str) {
    let mut file = File::options().create(true).append(true).open(file).unwrap();
    // One write: lines of several processes do not mix.
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}

fn wait_for(file: &Path) {
    while !file.exists() {
        thread::sleep(Duration::from_millis(5));
    }
}
