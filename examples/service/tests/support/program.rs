//! The service as a program of its own, to be killed and signalled.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::Instant;

use super::LONG;

/// The program. Killed when this is dropped.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: SocketAddr,
    stderr: Option<BufReader<ChildStderr>>,
}

impl Program {
    /// Starts it on a free port, with hashes that cost little unless `options` say otherwise, and returns when it listens.
    pub(crate) fn start(data: &Path, options: &[&str]) -> Self {
        let data = data.to_str().unwrap();
        let cheap = ["--address", "127.0.0.1:0", "--hash-memory", "64", "--hash-passes", "1", "--data", data];
        let (mut program, line) = Self::spawn(&[&cheap[..], options].concat());
        let Some(address) = line.strip_prefix("listening on http://") else {
            panic!("it said {line:?} and {:?}", program.wait());
        };
        program.address = address.parse().unwrap();
        program
    }

    /// Starts it where it cannot start: what it says about that on stderr.
    pub(crate) fn fail_to_start(options: &[&str]) -> String {
        let (mut program, line) = Self::spawn(options);
        assert_eq!(line, "", "it started");
        let (status, said) = program.wait();
        assert_eq!(status.code(), Some(1), "{said}");
        said
    }

    /// The program, and the first line that it prints: none if it ends before.
    fn spawn(options: &[&str]) -> (Self, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_service"));
        command.args(options).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stderr = child.stderr.take().map(BufReader::new);
        let stdout = child.stdout.take().unwrap();
        let program = Self { child, address: SocketAddr::from(([0; 4], 0)), stderr };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        (program, line.trim_end().to_owned())
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Reads what it says on stderr up to a line that contains `text`.
    pub(crate) fn read_until(&mut self, text: &str) {
        let stderr = self.stderr.as_mut().expect("not waited for");
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "it ended without saying {text:?}");
        }
    }

    /// Waits for its end: how it ended, and what else it said on stderr.
    pub(crate) fn wait(&mut self) -> (ExitStatus, String) {
        let begin = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begin.elapsed() < LONG, "it does not end");
            std::thread::sleep(std::time::Duration::from_millis(5));
        };
        let mut said = String::new();
        self.stderr.take().expect("not waited for before").read_to_string(&mut said).unwrap();
        (status, said)
    }
}

#[cfg(unix)]
impl Program {
    /// `kill -TERM`.
    pub(crate) fn terminate(&self) {
        self.signal(nix::sys::signal::Signal::SIGTERM);
    }

    /// As Ctrl-C does.
    pub(crate) fn interrupt(&self) {
        self.signal(nix::sys::signal::Signal::SIGINT);
    }

    fn signal(&self, signal: nix::sys::signal::Signal) {
        let id = nix::unistd::Pid::from_raw(self.child.id().try_into().unwrap());
        nix::sys::signal::kill(id, signal).unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
