//! Starting a child: the guards, the command, and what the child is told first.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, IoSlice, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use rustix::process::Pid;

use super::child::{self, Settings};
use super::config::Config;
use super::wire::{Conn, Header, Kind};
use crate::error::Error;
use crate::remote::{Format, registry};
use crate::sync::{Arc, AtomicBool, Ordering};

/// The first argument of a child. An argument, not a variable: what a child starts does not inherit it.
const MARKER: &str = "--offload-runtime-worker";

/// A program file that another thread is writing, or has just written, is tried so often.
const BUSY_TRIES: u32 = 10;

static INITIALIZED: AtomicBool = AtomicBool::new(false);

/// Whether this process was started by a pool.
pub(super) fn is_child() -> bool {
    std::env::args_os().nth(1).is_some_and(|argument| argument == MARKER)
}

/// See [`super::init`].
pub(super) fn init() {
    if let Some(clash) = registry().clash() {
        panic!("`offload_runtime::process::init`: {clash}");
    }
    if is_child() {
        child::serve();
    }
    // ORDERING: Relaxed: nothing is published with it.
    INITIALIZED.store(true, Ordering::Relaxed);
}

/// What must hold before any child exists.
pub(super) fn guard(own_program: bool) -> Result<(), Error> {
    let unavailable = |why: &str| Err(Error::Unavailable(why.to_owned()));
    if is_child() {
        return unavailable(
            "a worker process cannot have a `ProcessPool` of its own; make it after `process::init` in `main`",
        );
    }
    // ORDERING: Relaxed, as above.
    if own_program && !INITIALIZED.load(Ordering::Relaxed) {
        return unavailable(
            "`offload_runtime::process::init` was not called: call it first in `main`, or choose a `program` that does",
        );
    }
    match registry().clash() {
        Some(clash) => unavailable(clash),
        None => Ok(()),
    }
}

/// A function for [`ProcessPoolBuilder::on_worker_start`](super::ProcessPoolBuilder::on_worker_start), registered by
/// [`worker_start!`](crate::worker_start).
#[doc(hidden)]
#[derive(Debug)]
pub struct StartHook {
    /// Its path.
    pub name: &'static str,
    /// The function.
    pub hook: fn(),
}

inventory::collect!(StartHook);

/// The name of a registered function.
pub(super) fn hook_name(hook: fn()) -> Option<&'static str> {
    inventory::iter::<StartHook>().find(|known| std::ptr::fn_addr_eq(known.hook, hook)).map(|known| known.name)
}

pub(super) fn run_hook(name: &str) {
    let known = inventory::iter::<StartHook>().find(|known| known.name == name);
    match known {
        Some(known) => (known.hook)(),
        None => panic!("this program has no function `{name}` registered by `worker_start!`"),
    }
}

/// The program that is running, even if its file has been replaced or deleted.
pub(super) fn own_program() -> io::Result<PathBuf> {
    let own = Path::new("/proc/self/exe");
    if own.exists() { Ok(own.to_owned()) } else { std::env::current_exe() }
}

/// The same in two processes that run the same file.
pub(super) fn build_identity() -> u64 {
    let mut hasher = DefaultHasher::new();
    env!("CARGO_PKG_VERSION").hash(&mut hasher);
    if let Ok(file) = own_program().and_then(fs::metadata) {
        (file.dev(), file.ino(), file.len(), file.mtime(), file.mtime_nsec()).hash(&mut hasher);
    }
    hasher.finish()
}

/// A child that has been started, and has not said hello.
pub(super) struct Started {
    pub(super) child: Child,
    pub(super) pid: Pid,
    pub(super) conn: Arc<Conn>,
}

/// Starts a child. Takes about a millisecond.
pub(super) fn start(config: &Config) -> Result<Started, Error> {
    let (data, of_child) = UnixStream::pair().map_err(Error::Spawn)?;
    let (control, control_of_child) = UnixStream::pair().map_err(Error::Spawn)?;
    let mut child = spawn(config, &OwnedFd::from(of_child)).map_err(Error::Spawn)?;
    // A child that has died already is found by the supervisor, which learns why.
    let _ = greet(config, &data, &control_of_child);
    let connected = (|| {
        let pid = Pid::from_raw(i32::try_from(child.id()).map_err(io::Error::other)?).ok_or(io::ErrorKind::NotFound)?;
        Ok((pid, Conn::new(data, control, exit_descriptor(pid))?))
    })();
    match connected {
        Ok((pid, conn)) => Ok(Started { child, pid, conn: Arc::new(conn) }),
        Err(error) => {
            // The sockets are closed, but a child that is no worker would not mind.
            let _ = child.kill();
            let _ = child.wait();
            Err(Error::Spawn(error))
        }
    }
}

fn spawn(config: &Config, socket: &OwnedFd) -> io::Result<Child> {
    let mut tries = 0;
    loop {
        let mut command = Command::new(&config.program);
        if let Some(name) = std::env::args_os().next().filter(|_| config.own_program) {
            command.arg0(name);
        }
        // A group of its own: Ctrl-C reaches the parent alone, and what the child starts can be killed with it.
        command.arg(MARKER).stdin(Stdio::from(socket.try_clone()?)).process_group(0);
        command.envs(config.env.iter().map(|(name, value)| (name, value)));
        if let Some(directory) = &config.current_dir {
            command.current_dir(directory);
        }
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy && tries < BUSY_TRIES => {
                tries += 1;
                thread::sleep(Duration::from_millis(1 << tries.min(5)));
            }
            spawned => return spawned,
        }
    }
}

/// Sends the settings, and with them the child's end of the control socket.
fn greet(config: &Config, data: &UnixStream, control: &UnixStream) -> io::Result<()> {
    let settings = Settings { limit: config.payload_limit, on_start: config.on_start.map(str::to_owned) };
    let body = Format::Postcard.encode(&settings).map_err(io::Error::other)?;
    let head = Header::of(Kind::Settings, 0, body.len() as u64).to_bytes();
    let descriptors = [control.as_fd()];
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut rights = SendAncillaryBuffer::new(&mut space);
    rights.push(SendAncillaryMessage::ScmRights(&descriptors));
    // Into the empty buffer of a new socket: whole, and at once.
    rustix::net::sendmsg(data, &[IoSlice::new(&head)], &mut rights, SendFlags::empty())?;
    (&*data).write_all(&body)
}

#[cfg(target_os = "linux")]
fn exit_descriptor(pid: Pid) -> Option<OwnedFd> {
    rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok()
}

#[cfg(not(target_os = "linux"))]
fn exit_descriptor(_: Pid) -> Option<OwnedFd> {
    None
}
