//! The supervisor: the pool's thread that waits for all workers at once, and for the clock.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvFlags, SendFlags};

use super::after::After;
use super::config::Config;
use super::helper::{self, Task};
use super::metrics;
use super::state::State;
use super::wire::{Conn, Read, SCRATCH};
use super::{Pool, ProcessPool};
use crate::error::Error;
use crate::metrics::Sites;
use crate::sync::{self, Arc, AtomicBool, Mutex, Ordering, thread};

/// Wakes the supervisor.
pub(super) struct Poke {
    sender: UnixStream,
    receiver: UnixStream,
    /// A byte is on its way, or there.
    poked: AtomicBool,
}

impl Poke {
    fn new() -> io::Result<Self> {
        let (sender, receiver) = UnixStream::pair()?;
        sender.set_nonblocking(true)?;
        Ok(Self { sender, receiver, poked: AtomicBool::new(false) })
    }

    pub(super) fn poke(&self) {
        // ORDERING: AcqRel pairs with the swap in `heard`: what was done before this is seen by the look that follows that swap.
        if !self.poked.swap(true, Ordering::AcqRel) {
            let _ = rustix::net::send(&self.sender, &[1], SendFlags::empty());
        }
    }

    fn heard(&self) {
        let mut bytes = [0; 8];
        let _ = rustix::net::recv(&self.receiver, &mut bytes, RecvFlags::DONTWAIT);
        // ORDERING: as in `poke`. A poke between the read and this is not sent, and not needed: the supervisor has yet to look.
        self.poked.swap(false, Ordering::AcqRel);
    }
}

/// Makes the pool and starts its two threads.
pub(super) fn start(config: Config) -> Result<ProcessPool, Error> {
    let (tasks, of_helper) = mpsc::channel();
    let sites = Arc::new(Sites::new(true, config.label()));
    let state = Mutex::new(State::new(&sites));
    let poke = Poke::new().map_err(Error::Spawn)?;
    let name = config.name.to_string();
    let pool = Arc::new(Pool { config, sites, state, poke, tasks });
    let thread = |role: &str| thread::Builder::new().name(format!("{name}-{role}"));
    let of_thread = Arc::clone(&pool);
    thread("helper").spawn(move || helper::run(&of_thread, &of_helper)).map_err(Error::Spawn)?;
    let of_thread = Arc::clone(&pool);
    if let Err(error) = thread("supervisor").spawn(move || run(&of_thread)) {
        pool.ask_helper(Task::Stop);
        return Err(Error::Spawn(error));
    }
    Ok(ProcessPool::of(pool))
}

/// What the supervisor waits for, of one worker.
struct Target {
    id: u64,
    conn: Arc<Conn>,
    reads: bool,
    writes: bool,
}

fn run(pool: &Arc<Pool>) {
    let mut scratch = vec![0; SCRATCH];
    loop {
        let mut after = After::default();
        let (looks, targets, until, over) = {
            let mut state = sync::lock(&pool.state);
            let looks = state.memory_looks();
            let until = state.tick(&pool.config, &mut after);
            let target = |(id, conn, reads): (u64, &Arc<Conn>, bool)| Target {
                id,
                conn: Arc::clone(conn),
                reads,
                writes: conn.wants_to_write(),
            };
            let targets: Vec<_> = state.conns().map(target).collect();
            (looks, targets, until, state.is_over())
        };
        after.perform(pool);
        if over {
            pool.ask_helper(Task::Stop);
            return;
        }
        look_at_memory(pool, &looks);
        wait(pool, &targets, until, &mut scratch);
    }
}

/// Reads and writes what can be, until a worker has come or gone, a poke asks for another look, or it is `until`.
fn wait(pool: &Pool, targets: &[Target], until: Option<Instant>, scratch: &mut [u8]) {
    let mut fds = vec![PollFd::from_borrowed_fd(pool.poke.receiver.as_fd(), PollFlags::IN)];
    for target in targets {
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, target.reads);
        flags.set(PollFlags::OUT, target.writes && target.reads);
        if !flags.is_empty() {
            fds.push(PollFd::from_borrowed_fd(target.conn.data.as_fd(), flags));
        }
        if let Some(exit) = &target.conn.exit {
            fds.push(PollFd::from_borrowed_fd(exit.as_fd(), PollFlags::IN));
        }
    }
    let mut again = true;
    while again {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let timeout = left.map(|left| Timespec {
            tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        });
        // An error is a signal's interruption, or lack of memory: the next round may do better.
        let Ok(1..) = poll(&mut fds, timeout.as_ref()) else { return };
        let mut ready = fds.iter().map(PollFd::revents);
        let mut next = || ready.next().unwrap_or(PollFlags::empty());
        if !next().is_empty() {
            pool.poke.heard();
            again = false;
        }
        for target in targets {
            let data = if target.reads { next() } else { PollFlags::empty() };
            let exited = target.conn.exit.is_some() && !next().is_empty();
            if data.contains(PollFlags::OUT) {
                again &= target.conn.flush();
            }
            let has_input = data.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR);
            if has_input || exited {
                again &= read(pool, target, exited, scratch);
            }
        }
    }
}

/// Reads what has come from a worker. What it sent before its exit counts. `false`: it is lost.
fn read(pool: &Pool, target: &Target, exited: bool, scratch: &mut [u8]) -> bool {
    let Target { id, conn, reads, .. } = target;
    let limit = pool.config.payload_limit.saturating_add(1024);
    let read = if *reads { conn.read(scratch, limit) } else { Read::Closed };
    let why = match read {
        Read::Frame(header, body) => {
            pool.step(|state, config, after| state.frame(*id, header, body, config, after));
            // Its end, if it has exited, is seen by the next poll.
            return true;
        }
        // What it has exited without having sent will not come.
        Read::Later if !exited => return true,
        Read::Later | Read::Closed => None,
        Read::Broken => Some("it sent what is no frame of the protocol".into()),
    };
    pool.step(|state, config, after| state.lose(*id, why, config, after));
    false
}

fn look_at_memory(pool: &Pool, looks: &[(u64, u32)]) {
    for (id, process) in looks {
        if let Some(bytes) = metrics::resident(*process) {
            pool.step(|state, config, after| state.resident(*id, bytes, config, after));
        }
    }
}
