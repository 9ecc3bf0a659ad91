//! One worker: its process, its phase, and what a phase keeps.

#[cfg(target_os = "linux")]
use std::os::fd::AsFd;
use std::process::Child;
use std::time::Instant;

use rustix::process::{Pid, Signal};

use super::start::Started;
use super::wire::Conn;
use crate::clock::{Moment, Stamp};
use crate::job::End;
use crate::metrics::Tally;
use crate::remote::Call;
use crate::site::Site;
use crate::sync::Arc;

/// A call goes to another worker so often: several may have been killed at once. Not more often, as it may be what workers die of while they read it.
const MOVES: u32 = 3;

pub(super) struct Worker {
    /// Its place among the `max_workers`: what its metrics are labelled with. The next worker has it when this one has gone.
    pub(super) index: usize,
    pub(super) phase: Phase,
    /// `None` while the process is being started.
    pub(super) process: Option<Process>,
    /// How many calls it has been given.
    pub(super) calls: u64,
}

pub(super) struct Process {
    child: Child,
    /// It was waited for: its number may be another's.
    reaped: bool,
    pub(super) pid: Pid,
    pub(super) conn: Arc<Conn>,
}

impl Process {
    /// Kills its group, unless its number may be another's by now: something else in this program has waited for it.
    ///
    /// Between the check and the signal it would have to die, to be waited for, and all numbers of the system to be given out once.
    fn kill(&self) {
        if self.is_unreaped() {
            let _ = rustix::process::kill_process_group(self.pid, Signal::KILL);
        }
        #[cfg(target_os = "linux")]
        if let Some(process) = &self.conn.exit {
            // It may have left its group. This never reaches another process.
            let _ = rustix::process::pidfd_send_signal(process, Signal::KILL);
        }
    }

    #[cfg(target_os = "linux")]
    fn is_unreaped(&self) -> bool {
        use rustix::process::{WaitId, WaitIdOptions};

        let id = self.conn.exit.as_ref().map_or(WaitId::Pid(self.pid), |process| WaitId::PidFd(process.as_fd()));
        // `NOWAIT`: it stays as it is.
        rustix::process::waitid(id, WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT).is_ok()
    }

    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::unused_self, reason = "the signature of the other")]
    fn is_unreaped(&self) -> bool {
        true
    }
}

/// See the diagram in `mod.rs`.
pub(super) enum Phase {
    Starting,
    Greeting { until: Instant },
    Idle { since: Instant },
    Busy(Running),
    Retiring { until: Instant },
    Dying { left: Left, since: Instant },
}

/// What is still to be answered when a dying worker's exit status is known.
pub(super) enum Left {
    Nothing,
    /// The call, and why its worker was killed, if it was.
    Call(Running, Option<String>),
    /// The start has failed; for this reason, if it is known.
    Start(Option<String>),
}

/// A call that is with a worker.
pub(super) struct Running {
    pub(super) number: u64,
    /// `None` once its handle is gone.
    pub(super) call: Option<Call>,
    pub(super) site: &'static Site,
    pub(super) tally: Arc<Tally>,
    pub(super) stamp: Stamp,
    pub(super) began: Instant,
    /// When the worker is killed.
    pub(super) until: Option<Instant>,
    /// How many workers have died before they had read the call.
    pub(super) moves: u32,
}

impl Running {
    /// Whether another worker may have it if this one dies before it has read it.
    pub(super) fn may_move(&self) -> bool {
        self.moves < MOVES && self.call.is_some()
    }

    /// Notes how it ended, which has to be done before its result can be seen.
    pub(super) fn note_end(&self, end: End<'_>) {
        let since = Moment::now().before(self.began.elapsed());
        self.tally.ended(end, self.stamp, Some(since));
    }
}

impl Worker {
    pub(super) fn new(index: usize) -> Self {
        Self { index, phase: Phase::Starting, process: None, calls: 0 }
    }

    pub(super) fn started(&mut self, started: Started, until: Instant) {
        let Started { child, pid, conn } = started;
        self.process = Some(Process { child, reaped: false, pid, conn });
        self.phase = Phase::Greeting { until };
    }

    pub(super) fn process_id(&self) -> Option<u32> {
        self.process.as_ref().map(|process| process.child.id())
    }

    pub(super) fn conn(&self) -> Option<&Arc<Conn>> {
        self.process.as_ref().map(|process| &process.conn)
    }

    /// Whether its start, or the failure of it, is still to be told.
    pub(super) fn is_starting(&self) -> bool {
        matches!(self.phase, Phase::Starting | Phase::Greeting { .. } | Phase::Dying { left: Left::Start(_), .. })
    }

    /// Whether it can have calls now, or after the one that it has.
    pub(super) fn is_able(&self) -> bool {
        matches!(self.phase, Phase::Idle { .. } | Phase::Busy(_))
    }

    /// Kills the process and what it has started.
    pub(super) fn kill(&self) {
        if let Some(process) = self.process.as_ref().filter(|process| !process.reaped) {
            process.kill();
        }
    }

    /// How the process ended, if it has.
    pub(super) fn reap(&mut self) -> Option<String> {
        let process = self.process.as_mut()?;
        let status = match process.child.try_wait() {
            Ok(Some(status)) => status.to_string(),
            Ok(None) => return None,
            Err(_) => "unknown exit status, as something else in this program has waited for the process".into(),
        };
        process.reaped = true;
        Some(status)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::net::UnixStream;
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    use rustix::process::{PidfdFlags, WaitOptions, pidfd_open, waitpid};

    use super::*;

    fn sleeper(group: i32) -> Child {
        Command::new("sleep").arg("1000").process_group(group).spawn().unwrap()
    }

    /// A worker, and another process of its group. `has_descriptor`: for the worker's exit, as newer systems have.
    fn with_another(has_descriptor: bool) -> (Worker, Pid, Child) {
        let child = sleeper(0);
        let pid = Pid::from_child(&child);
        let other = sleeper(pid.as_raw_nonzero().get());
        let exit = has_descriptor.then(|| pidfd_open(pid, PidfdFlags::empty()).unwrap());
        let [(data, _), (control, _)] = [(); 2].map(|()| UnixStream::pair().unwrap());
        let mut worker = Worker::new(0);
        let conn = Arc::new(Conn::new(data, control, exit).unwrap());
        worker.started(Started { child, pid, conn }, Instant::now());
        (worker, pid, other)
    }

    #[test]
    fn a_group_is_killed_with_its_process_alive_or_dead() {
        for (has_descriptor, is_dead) in [(true, false), (true, true), (false, false), (false, true)] {
            let (mut worker, pid, mut other) = with_another(has_descriptor);
            if is_dead {
                rustix::process::kill_process(pid, Signal::TERM).unwrap();
            }
            worker.kill();
            assert!(other.wait().unwrap().to_string().contains("SIGKILL"));
            let status = loop {
                if let Some(status) = worker.reap() {
                    break status;
                }
            };
            assert!(status.contains(if is_dead { "SIGTERM" } else { "SIGKILL" }), "{status}");
        }
    }

    /// The group of that number might be others' by now.
    #[test]
    fn a_group_whose_process_was_waited_for_by_the_program_is_let_alone() {
        for has_descriptor in [true, false] {
            let (mut worker, pid, mut other) = with_another(has_descriptor);
            rustix::process::kill_process(pid, Signal::KILL).unwrap();
            assert!(waitpid(Some(pid), WaitOptions::empty()).unwrap().is_some());
            worker.kill();
            assert!(worker.reap().unwrap().starts_with("unknown exit status"));
            let _ = rustix::process::kill_process(Pid::from_child(&other), Signal::TERM);
            assert!(other.wait().unwrap().to_string().contains("SIGTERM"));
        }
    }
}
