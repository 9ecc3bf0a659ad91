//! The child: what `init` does in a process that a pool has started. It never returns from there.
//!
//! Two threads. The main thread reads a call, runs it and writes the reply, one after the other. The *watcher* reads the control socket: numbers of calls
//! to cancel, and the end of file that says that the parent is gone, which ends the process at once, whatever runs.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process;
use std::thread;

use rustix::buffer::spare_capacity;
use rustix::io::retry_on_intr;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use super::start;
use super::wire::{HEADER, Header, Kind, SCRATCH, VERSION};
use crate::job::JobHandle;
use crate::remote::{Caller, Failure, Format, note_location, registry, run_cancellable};
use crate::sync::{self, Arc, Mutex};

/// A buffer of more bytes is not kept from one call to the next.
const SPARE: usize = 4 * 1024 * 1024;

/// What the parent says first.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Settings {
    /// The longest body of a reply, in bytes.
    pub(super) limit: u64,
    /// The name of the function that is to run before the first call.
    pub(super) on_start: Option<String>,
}

/// What the child answers.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hello {
    pub(super) version: u32,
    /// Of the program file.
    pub(super) build: u64,
    /// Of the functions that can be called.
    pub(super) registry: u64,
}

impl Hello {
    pub(super) fn of_this_process() -> Self {
        Self { version: VERSION, build: start::build_identity(), registry: registry().hash() }
    }

    /// Checks the first message of a child. `own_program`: it runs the program of this process.
    pub(super) fn check(message: &[u8], own_program: bool) -> Result<(), String> {
        let hello: Self = Format::Postcard.decode(message).map_err(|why| format!("its hello cannot be read: {why}"))?;
        let here = Self::of_this_process();
        if hello.version != here.version {
            return Err(format!(
                "it speaks version {} of the protocol, and this process version {}",
                hello.version, here.version
            ));
        }
        if own_program && hello != here {
            return Err("it runs another build of this program".into());
        }
        Ok(())
    }
}

/// Serves calls until there are none.
pub(super) fn serve() -> ! {
    match Child::connect() {
        Ok(mut child) => match child.serve() {
            // By `exit`, so that coverage tools and the like write what they have.
            Ok(()) => process::exit(0),
            // The parent is gone, in the middle of a frame.
            Err(_) => end_at_once(),
        },
        Err(error) => {
            eprintln!("offload: this process was started as a worker, but not by a `ProcessPool`: {error}");
            process::exit(70)
        }
    }
}

struct Child {
    data: BufReader<UnixStream>,
    limit: u64,
    current: Arc<Mutex<Current>>,
    /// Of the last call's arguments: most of what a large call costs is the memory that is new to the process.
    spare: Vec<u8>,
}

/// What the two threads share.
#[derive(Default)]
struct Current {
    /// The call that runs, by its number.
    running: Option<(u64, Arc<JobHandle<()>>)>,
    /// The last call that was to be cancelled. The watcher may learn of that before the main thread has read the call.
    cancelled: u64,
}

impl Current {
    /// A call begins. `true`: it is cancelled already.
    fn begin(&mut self, number: u64, handle: Arc<JobHandle<()>>) -> bool {
        self.running = Some((number, handle));
        self.cancelled == number
    }

    /// A call is to be cancelled. Returns its handle if it runs. One that has ended is not affected.
    fn cancel(&mut self, number: u64) -> Option<Arc<JobHandle<()>>> {
        self.cancelled = number;
        self.running.as_ref().filter(|(running, _)| *running == number).map(|(_, handle)| Arc::clone(handle))
    }
}

impl Child {
    fn connect() -> io::Result<Self> {
        // Beyond the three that programs expect to be their own, and closed in whatever this process starts.
        let data = rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3)?;
        rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
        let mut data = UnixStream::from(data);
        let (header, control) = receive_settings(&data)?;
        let mut body = vec![0; usize::try_from(header.length).map_err(io::Error::other)?];
        data.read_exact(&mut body)?;
        let settings: Settings = Format::Postcard.decode(&body).map_err(io::Error::other)?;
        let current = Arc::new(Mutex::new(Current::default()));
        watch(UnixStream::from(control), &current)?;
        note_locations();
        if let Some(name) = settings.on_start {
            start::run_hook(&name);
        }
        let hello = Format::Postcard.encode(&Hello::of_this_process()).map_err(io::Error::other)?;
        send(&data, Kind::Hello, 0, &hello)?;
        Ok(Self { data: BufReader::with_capacity(SCRATCH, data), limit: settings.limit, current, spare: Vec::new() })
    }

    fn serve(&mut self) -> io::Result<()> {
        let mut head = [0; HEADER];
        loop {
            // An end of file before a frame is a retirement.
            if is_at_end(&mut self.data)? {
                return Ok(());
            }
            self.data.read_exact(&mut head)?;
            let header = Header::parse(&head).ok_or(io::ErrorKind::InvalidData)?;
            let mut trace = vec![0; header.trace.into()];
            self.data.read_exact(&mut trace)?;
            let trace = String::from_utf8(trace).map_err(io::Error::other)?;
            let arguments = self.read_body(usize::try_from(header.length).map_err(io::Error::other)?)?;
            let caller = Caller { level: header.level, trace };
            let result = caller.while_it_runs(|| self.run(header, &caller, arguments));
            let (kind, body) = match result {
                Ok(bytes) => (Kind::Value, bytes),
                Err(failure) => (Kind::Failure, Format::Postcard.encode(&failure).map_err(io::Error::other)?),
            };
            send(self.data.get_ref(), kind, header.number, &body)?;
        }
    }

    /// What has been read ahead, and then straight into its place.
    fn read_body(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut body = std::mem::take(&mut self.spare);
        body.clear();
        body.reserve_exact(length);
        let ahead = self.data.buffer();
        body.extend_from_slice(&ahead[..ahead.len().min(length)]);
        self.data.consume(body.len());
        while body.len() < length {
            if retry_on_intr(|| rustix::io::read(self.data.get_ref(), spare_capacity(&mut body)))? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        // The buffer may have room for more, but no other frame comes before the reply to this one.
        if body.len() == length { Ok(body) } else { Err(io::ErrorKind::InvalidData.into()) }
    }

    fn run(&mut self, header: Header, caller: &Caller, arguments: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let Some(function) = registry().find_fingerprint(header.function) else {
            // The parent knows its name.
            return Err(Failure::UnknownFunction(String::new()));
        };
        let current = &self.current;
        let arrive = |context: &_| caller.arrive(context);
        let (result, arguments) = run_cancellable(function, Format::Postcard, arguments, arrive, |handle| {
            let is_cancelled = sync::lock(current).begin(header.number, Arc::clone(&handle));
            if is_cancelled {
                handle.cancel();
            }
        });
        let ended = sync::lock(current).running.take();
        drop(ended);
        if arguments.capacity() <= SPARE {
            self.spare = arguments;
        }
        let bytes = result?;
        if bytes.len() as u64 > self.limit {
            return Err(Failure::Codec(over_limit("the result", bytes.len(), self.limit)));
        }
        Ok(bytes)
    }
}

pub(super) fn over_limit(what: &str, length: usize, limit: u64) -> String {
    format!("{what} has {length} bytes, and the pool's `payload_limit` is {limit}")
}

/// The header of the settings, and the control socket, which comes with it.
fn receive_settings(data: &UnixStream) -> io::Result<(Header, OwnedFd)> {
    let mut head = [0; HEADER];
    let (mut have, mut control) = (0, None);
    while have < HEADER {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut rights = RecvAncillaryBuffer::new(&mut space);
        let mut parts = [IoSliceMut::new(&mut head[have..])];
        let received = retry_on_intr(|| rustix::net::recvmsg(data, &mut parts, &mut rights, RecvFlags::CMSG_CLOEXEC))?;
        if received.bytes == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        have += received.bytes;
        for message in rights.drain() {
            if let RecvAncillaryMessage::ScmRights(mut descriptors) = message {
                control = descriptors.next().or(control);
            }
        }
    }
    let header = Header::parse(&head).filter(|header| header.kind == Kind::Settings);
    header.zip(control).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Waits for a byte, or the end.
fn is_at_end(data: &mut impl BufRead) -> io::Result<bool> {
    loop {
        match data.fill_buf() {
            Ok(bytes) => return Ok(bytes.is_empty()),
            // A handler of the user's for some signal.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(error) => return Err(error),
        }
    }
}

fn send(mut data: &UnixStream, kind: Kind, number: u64, body: &[u8]) -> io::Result<()> {
    let head = Header::of(kind, number, body.len() as u64).to_bytes();
    if body.len() <= SCRATCH {
        // One write, one wake of the parent.
        return data.write_all(&[&head, body].concat());
    }
    data.write_all(&head)?;
    data.write_all(body)
}

/// Starts the watcher.
fn watch(control: UnixStream, current: &Arc<Mutex<Current>>) -> io::Result<()> {
    let current = Arc::clone(current);
    let watch = move || {
        let (mut control, mut number) = (control, [0; 8]);
        while control.read_exact(&mut number).is_ok() {
            let handle = sync::lock(&current).cancel(u64::from_le_bytes(number));
            // Runs hooks: not under the lock.
            if let Some(handle) = handle {
                handle.cancel();
            }
        }
        end_at_once();
    };
    thread::Builder::new().name("offload-watcher".into()).spawn(watch).map(drop)
}

/// Ends this process and what it has started, without destructors: a body may be running.
fn end_at_once() -> ! {
    let _ = rustix::process::kill_process_group(rustix::process::getpgrp(), Signal::KILL);
    process::abort()
}

/// Has the panic hook tell where panics are, which is all that it changes.
fn note_locations() {
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if let Some(location) = info.location() {
            note_location(location.to_string());
        }
        previous(info);
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_build_and_another_protocol_are_refused() {
        let check = |hello: &Hello, own| Hello::check(&Format::Postcard.encode(hello).unwrap(), own);
        let here = Hello::of_this_process;
        assert_eq!(check(&here(), true), Ok(()));
        for (hello, what) in [
            (Hello { build: here().build ^ 1, ..here() }, "another build"),
            (Hello { registry: here().registry ^ 1, ..here() }, "another build"),
            (Hello { version: here().version + 1, ..here() }, &*format!("version {} of the protocol", VERSION + 1)),
        ] {
            assert!(check(&hello, true).unwrap_err().contains(what));
            // A chosen program is another build; the protocol must be the same.
            assert_eq!(check(&hello, false).is_ok(), what == "another build");
        }
        assert!(Hello::check(b"", true).unwrap_err().contains("cannot be read"));
    }

    #[test]
    fn a_signal_while_a_worker_waits_is_not_the_end() {
        struct Interrupted(u32);
        impl Read for Interrupted {
            fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
                self.0 += 1;
                if self.0 <= 2 {
                    return Err(io::ErrorKind::Interrupted.into());
                }
                bytes[0] = 7;
                Ok(usize::from(self.0 == 3))
            }
        }
        let mut data = BufReader::new(Interrupted(0));
        assert!(!is_at_end(&mut data).unwrap());
        data.consume(1);
        assert!(is_at_end(&mut data).unwrap());
    }
}
