//! The service as a process: started for a comparison, stopped as a person would, and how much memory one has.
//!
//! Each is started on a free port of loopback, with a directory of its own that goes when it does.

use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::Failure;

/// How long the service may take to start, and to stop: it drains first.
const READY: Duration = Duration::from_secs(30);
const STOPPED: Duration = Duration::from_secs(60);

/// Killed if it is dropped before it was stopped.
#[derive(Debug)]
pub(crate) struct Service {
    child: Child,
    pid: u32,
    address: SocketAddr,
    _data: TempDir,
}

impl Service {
    /// Starts the program `service` that was built beside this one.
    pub(crate) async fn start(inline: bool, options: &[OsString]) -> Result<Self, Failure> {
        let program = std::env::current_exe()?.with_file_name(format!("service{}", std::env::consts::EXE_SUFFIX));
        let data = tempfile::tempdir()?;
        let mut command = Command::new(&program);
        command
            .args(["--address", "127.0.0.1:0", "--data"])
            .arg(data.path())
            .args(inline.then_some("--inline"))
            .args(options);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| {
            format!("cannot start {}: {error}; `cargo build --release -p service` builds it", program.display())
        })?;
        let pid = child.id().ok_or("the service ended at once")?;
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let listening = async {
            while let Some(line) = lines.next_line().await? {
                if let Some(address) = line.strip_prefix("listening on http://") {
                    return Ok(address.parse()?);
                }
            }
            Err(Failure::from("the service ended before it was ready"))
        };
        let address = timeout(READY, listening).await.map_err(|_| "the service did not get ready")??;
        // What it says later is read, so that it never blocks on a full pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { child, pid, address, _data: data })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Asks it to stop and waits until it has.
    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        self.ask_to_stop()?;
        let status = timeout(STOPPED, self.child.wait()).await.map_err(|_| "the service did not stop")??;
        if status.success() { Ok(()) } else { Err(format!("the service ended with {status}").into()) }
    }

    #[cfg(unix)]
    fn ask_to_stop(&mut self) -> Result<(), Failure> {
        use nix::sys::signal::{Signal, kill};
        use nix::unistd::Pid;
        // It was not waited for yet: the number is still its own.
        Ok(kill(Pid::from_raw(self.pid.try_into()?), Signal::SIGTERM)?)
    }

    /// Here there is no asking.
    #[cfg(not(unix))]
    fn ask_to_stop(&mut self) -> Result<(), Failure> {
        Ok(self.child.start_kill()?)
    }
}

/// The memory that a process has, in KiB, as `/proc` tells it. Elsewhere than on Linux it isn't told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pid: u32,
    pub(crate) before: u64,
    pub(crate) peak: u64,
    pub(crate) after: u64,
}

impl Memory {
    pub(crate) fn begin(pid: u32) -> Option<Self> {
        let now = resident(pid)?;
        Some(Self { pid, before: now, peak: now, after: now })
    }

    pub(crate) fn look(&mut self) {
        if let Some(now) = resident(self.pid) {
            self.peak = self.peak.max(now);
            self.after = now;
        }
    }
}

fn resident(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    #[cfg(target_os = "linux")]
    #[test]
    fn memory_that_was_taken_is_seen() {
        let mut memory = super::Memory::begin(std::process::id()).unwrap();
        let held = vec![1_u8; 64 << 20];
        memory.look();
        assert!(memory.peak >= memory.before + (48 << 10), "{memory:?}");
        drop(held);
    }
}
