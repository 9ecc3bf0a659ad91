//! One worker: its process, its phase, and what a phase keeps.

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
}

impl Running {
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

    /// Kills the process and what it has started. The process has not been waited for, so its number is not another's; or something else in this
    /// program has waited for it, and then nothing can be known.
    pub(super) fn kill(&self) {
        if let Some(process) = self.process.as_ref().filter(|process| !process.reaped) {
            let _ = rustix::process::kill_process_group(process.pid, Signal::KILL);
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
