//! What the tests share: pools of the program `worker`, time limits, and looks at other processes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use offload_runtime::process::{ProcessPool, ProcessPoolBuilder};

/// A pool of the program `worker`, which `cargo` has built beside the tests.
#[macro_export]
macro_rules! pool {
    ($($option:ident($($value:expr),*)),* $(,)?) => {
        $crate::support::builder(env!("CARGO_BIN_EXE_worker"))$(.$option($($value),*))*.build().unwrap()
    };
}

/// The builder of [`pool!`].
pub fn builder(program: &str) -> ProcessPoolBuilder {
    ProcessPool::builder().program(program)
}

/// Runs `test`, which panics here if it has not ended after four minutes: far more than it takes, as a busy machine may leave little to it.
pub fn bounded<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    let (over, is_over) = mpsc::channel();
    let runs = thread::spawn(move || over.send(test()));
    match is_over.recv_timeout(Duration::from_secs(240)) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it has not ended after four minutes"),
        Err(mpsc::RecvTimeoutError::Disconnected) => match runs.join() {
            Err(payload) => std::panic::resume_unwind(payload),
            Ok(_) => panic!("it ended without a result"),
        },
    }
}

/// Waits until `is` holds, for as long as a test may take.
pub fn eventually(what: &str, mut is: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !is() {
        assert!(Instant::now() < deadline, "this does not come true: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// What is in the file, once there is something.
pub fn content(file: &Path) -> String {
    eventually("the file is written", || fs::read_to_string(file).is_ok_and(|text| !text.is_empty()));
    fs::read_to_string(file).unwrap()
}

/// The state letter of a process, as `ps` shows it; `None` if there is no such process.
pub fn state(process: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// Whether the process is gone, or about to be waited for by someone else.
pub fn is_gone(process: u32) -> bool {
    matches!(state(process), None | Some('Z' | 'X'))
}

/// The children of this process, zombies included.
pub fn children() -> Vec<(u32, char)> {
    let own = std::process::id().to_string();
    let all = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let is_child = |process: &u32| {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.split(' ').nth(1) == Some(&own))
    };
    all.filter(is_child).filter_map(|process| Some((process, state(process)?))).collect()
}

/// How many descriptors this process has.
pub fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Sends a signal to a process.
pub fn signal(process: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(process.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

/// What this process publishes, to be installed before the first pool is made.
#[derive(Debug)]
pub struct Published(PrometheusHandle);

impl Published {
    /// The recorder of this process.
    pub fn install() -> &'static Self {
        static PUBLISHED: OnceLock<Published> = OnceLock::new();
        PUBLISHED.get_or_init(|| Self(PrometheusBuilder::new().install_recorder().unwrap()))
    }

    /// The values of `name` with all of `labels`, written as in the exposition.
    pub fn values(&self, name: &str, labels: &[&str]) -> Vec<f64> {
        let text = self.0.render();
        let lines = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('{')?.rsplit_once("} "));
        let has_all = |(own, _): &(&str, &str)| labels.iter().all(|label| own.split(',').any(|own| own == *label));
        lines.filter(has_all).map(|(_, value)| value.parse().unwrap()).collect()
    }

    /// The sum of these values, which are counts.
    pub fn count(&self, name: &str, labels: &[&str]) -> u64 {
        let sum: f64 = self.values(name, labels).into_iter().sum();
        format!("{sum}").parse().unwrap_or_else(|_| panic!("{name} is {sum}"))
    }
}

/// Makes a shell script that can be run at once.
pub fn script(directory: &Path, name: &str, text: &str) -> PathBuf {
    let path = directory.join(name);
    // Written under another name: a file that is being written cannot be run.
    let draft = directory.join("draft");
    fs::write(&draft, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&draft, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(draft, &path).unwrap();
    path
}
