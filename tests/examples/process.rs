//! An example as a process: built once, watched line by line, killed when it is dropped.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a test waits for what has to happen. Only a failure takes that long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is a folder of the workspace")
}

/// A command that runs an example.
pub(crate) fn example(name: &str) -> Command {
    static BUILT: OnceLock<HashMap<String, PathBuf>> = OnceLock::new();
    let mut command = Command::new(&BUILT.get_or_init(build)[name]);
    command.env_remove("PORT").stdin(Stdio::null());
    command
}

/// Builds the examples as `cargo test` does, which leaves nothing to do if this runs under it, and asks cargo where they are.
fn build() -> HashMap<String, PathBuf> {
    let mut cargo = Command::new(std::env::var_os("CARGO").as_deref().unwrap_or(OsStr::new("cargo")));
    cargo.args(["build", "--examples", "--message-format=json-render-diagnostics"]).current_dir(workspace());
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let output = cargo.stdin(Stdio::null()).stderr(Stdio::inherit()).output().expect("cargo runs");
    assert!(output.status.success(), "`cargo build --examples` failed");
    let messages = output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let messages = messages.map(|line| serde_json::from_slice(line).expect("cargo writes JSON"));
    messages
        .filter_map(|message: Value| {
            let is_example = message["target"]["kind"][0] == "example";
            let name = message["target"]["name"].as_str().filter(|_| is_example)?;
            Some((name.to_owned(), message["executable"].as_str()?.into()))
        })
        .collect()
}

/// Runs an example to its end and returns what it printed. It has to succeed, and to report no error.
pub(crate) fn output_of(name: &str) -> Vec<String> {
    let mut process = Process::start(&mut example(name));
    let lines: Vec<String> = std::iter::from_fn(|| process.stdout.next()).collect();
    assert_eq!(process.stderr.rest(), "");
    assert!(process.wait().success());
    lines
}

/// A running example. **Dropping** it kills it.
pub(crate) struct Process {
    child: Child,
    pub(crate) stdout: Lines,
    pub(crate) stderr: Lines,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("an example runs");
        let stdout = Lines::of(child.stdout.take().expect("it is piped"));
        let stderr = Lines::of(child.stderr.take().expect("it is piped"));
        Self { child, stdout, stderr }
    }

    /// Presses Ctrl-C.
    #[cfg(unix)]
    pub(crate) fn interrupt(&self) {
        // By the shell, as `kill` is built into it and a system need not have it as a program.
        let status = Command::new("sh").arg("-c").arg(format!("kill -INT {}", self.child.id())).status();
        assert!(status.expect("there is a shell").success());
    }

    /// Waits for the end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return status;
            }
            assert!(Instant::now() < deadline, "the process does not end");
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail if it has ended, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a process writes, line by line as it comes.
pub(crate) struct Lines(Receiver<String>);

impl Lines {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let (line, lines) = mpsc::channel();
        thread::spawn(move || {
            BufReader::new(stream).lines().map_while(Result::ok).try_for_each(|text| line.send(text))
        });
        Self(lines)
    }

    /// The next line, or `None` at the end.
    pub(crate) fn next(&mut self) -> Option<String> {
        match self.0.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("the process prints nothing and does not end"),
        }
    }

    /// Everything that is left, when the process has ended.
    pub(crate) fn rest(&mut self) -> String {
        std::iter::from_fn(|| self.next()).collect::<Vec<_>>().join("\n")
    }
}
