//! The service as a program of its own, to be killed and signalled.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::LONG;

/// The program. Killed when this is dropped.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: SocketAddr,
    /// The lines that it says on stderr.
    said: Receiver<String>,
}

impl Program {
    /// Starts it on a free port, with hashes that cost little unless `options` say otherwise, and returns when it listens.
    pub(crate) fn start(data: &Path, options: &[&str]) -> Self {
        Self::start_as(Command::new(env!("CARGO_BIN_EXE_service")), data, options)
    }

    fn start_as(command: Command, data: &Path, options: &[&str]) -> Self {
        let data = data.to_str().unwrap();
        let cheap = ["--address", "127.0.0.1:0", "--hash-memory", "64", "--hash-passes", "1", "--data", data];
        let (mut program, line) = Self::spawn(command, &[&cheap[..], options].concat());
        let Some(address) = line.strip_prefix("listening on http://") else {
            panic!("it said {line:?} and {:?}", program.wait());
        };
        program.address = address.parse().unwrap();
        program
    }

    /// The same where no file can grow beyond a block of 512 bytes.
    #[cfg(unix)]
    pub(crate) fn start_on_a_full_disk(data: &Path) -> Self {
        let limit = ["-c", r#"trap "" XFSZ; ulimit -f 1; exec "$0" "$@""#, env!("CARGO_BIN_EXE_service")];
        let mut command = Command::new("sh");
        command.args(limit);
        Self::start_as(command, data, &[])
    }

    /// Starts it where it cannot start: what it says about that on stderr.
    pub(crate) fn fail_to_start(options: &[&str]) -> String {
        let (mut program, line) = Self::spawn(Command::new(env!("CARGO_BIN_EXE_service")), options);
        assert_eq!(line, "", "it started");
        let (status, said) = program.wait();
        assert_eq!(status.code(), Some(1), "{said}");
        said
    }

    /// The program, and the first line that it prints: none if it ends before.
    fn spawn(mut command: Command, options: &[&str]) -> (Self, String) {
        command.args(options).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let said = lines(child.stderr.take().unwrap());
        let printed = lines(child.stdout.take().unwrap());
        let program = Self { child, address: SocketAddr::from(([0; 4], 0)), said };
        (program, next_line(&printed).unwrap_or_default())
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
        while !next_line(&self.said).expect("it ended without saying so").contains(text) {}
    }

    /// Waits for its end: how it ended, and what else it said on stderr.
    pub(crate) fn wait(&mut self) -> (ExitStatus, String) {
        let begin = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begin.elapsed() < LONG, "it does not end");
            thread::sleep(Duration::from_millis(5));
        };
        let mut said = String::new();
        while let Some(line) = next_line(&self.said) {
            said += &line;
            said.push('\n');
        }
        (status, said)
    }
}

/// Reads lines in the background, so that waiting for one can have a bound.
fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            // A test that has ended needs no more of them.
            let _ = sender.send(line);
        }
    });
    lines
}

/// The next line, or none at the end.
fn next_line(lines: &Receiver<String>) -> Option<String> {
    match lines.recv_timeout(LONG) {
        Ok(line) => Some(line),
        Err(RecvTimeoutError::Disconnected) => None,
        Err(RecvTimeoutError::Timeout) => panic!("it says nothing"),
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
