//! Frames between parent and child, and the parent's side of the two sockets of a worker, which never blocks.
//!
//! A frame is a header of 32 bytes, in a `Call` the text for the caller's trace, and a body. Parent: one `Settings`, then `Call`s, each after the reply to the one before. Child: one `Hello`, then
//! one `Value` or `Failure` per call. So neither side ever has two frames to read, and no read and no write can wait for the other.
//! The second socket, *control*, carries the numbers of calls that are to be cancelled; its end tells the child that the parent is gone.

use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use rustix::buffer::spare_capacity;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags};

use crate::sync::{self, Mutex};

/// The protocol's version: another one is refused by the handshake.
pub(super) const VERSION: u32 = 2;
pub(super) const HEADER: usize = 32;
const MAGIC: u32 = 0x0f_f1_0a_d1;

/// What a small reply, with its header, is read into at once.
pub(super) const SCRATCH: usize = 64 * 1024;

/// A frame with a body up to this is kept until its reply has come, as the child may die before it has read it. A larger one cannot be sent as a whole
/// before the child has read some of it.
const KEPT: usize = 256 * 1024;

/// So much of one large reply is read before other workers have their turn.
const TURN: usize = 1024 * 1024;

#[cfg(not(target_vendor = "apple"))]
const QUIET: SendFlags = SendFlags::NOSIGNAL.union(SendFlags::DONTWAIT);
#[cfg(target_vendor = "apple")]
const QUIET: SendFlags = SendFlags::DONTWAIT;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Settings = 1,
    Hello = 2,
    Call = 3,
    Value = 4,
    Failure = 5,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    /// Of a call's caller; see `remote/caller.rs`.
    pub(super) level: u8,
    /// Of the text for the caller's trace, in bytes.
    pub(super) trace: u16,
    /// Of the call.
    pub(super) number: u64,
    /// The fingerprint of the function that is called.
    pub(super) function: u64,
    /// Of the body, in bytes.
    pub(super) length: u64,
}

impl Header {
    /// Of a frame that is not a call.
    pub(super) fn of(kind: Kind, number: u64, length: u64) -> Self {
        Self { kind, level: 0, trace: 0, number, function: 0, length }
    }

    pub(super) fn to_bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..4].copy_from_slice(&MAGIC.to_le_bytes());
        bytes[4] = self.kind as u8;
        bytes[5] = self.level;
        bytes[6..8].copy_from_slice(&self.trace.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.number.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.function.to_le_bytes());
        bytes[24..].copy_from_slice(&self.length.to_le_bytes());
        bytes
    }

    /// `None`: no frame of this protocol begins like this.
    pub(super) fn parse(bytes: &[u8; HEADER]) -> Option<Self> {
        let word = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        if bytes[..4] != MAGIC.to_le_bytes() {
            return None;
        }
        let kinds = [Kind::Settings, Kind::Hello, Kind::Call, Kind::Value, Kind::Failure];
        let kind = kinds.into_iter().find(|kind| *kind as u8 == bytes[4])?;
        let (level, trace) = (bytes[5], u16::from_le_bytes([bytes[6], bytes[7]]));
        Some(Self { kind, level, trace, number: word(8)?, function: word(16)?, length: word(24)? })
    }
}

/// A frame on its way out.
pub(super) struct Outgoing {
    /// The header and the text.
    head: Vec<u8>,
    body: Vec<u8>,
    sent: usize,
}

impl Outgoing {
    pub(super) fn new(header: Header, trace: &str, body: Vec<u8>) -> Self {
        Self { head: [&header.to_bytes(), trace.as_bytes()].concat(), body, sent: 0 }
    }

    fn is_sent(&self) -> bool {
        self.sent == self.head.len() + self.body.len()
    }
}

/// What a read came to.
pub(super) enum Read {
    Frame(Header, Vec<u8>),
    /// The rest is still to come.
    Later,
    /// There will be nothing more.
    Closed,
    /// What has come is no frame.
    Broken,
}

/// The parent's ends of one worker.
pub(super) struct Conn {
    pub(super) data: UnixStream,
    control: UnixStream,
    /// Readable once the process has exited. `None` where the system has no such thing.
    pub(super) exit: Option<OwnedFd>,
    io: Mutex<Io>,
}

#[derive(Default)]
struct Io {
    /// The frame on its way out, or [kept](KEPT).
    outgoing: Option<Outgoing>,
    /// The child has closed its end before it had read everything.
    was_reset: bool,
    /// The received part of the header.
    head: Vec<u8>,
    /// Once the header is there.
    incoming: Option<(Header, Vec<u8>)>,
}

impl Conn {
    pub(super) fn new(data: UnixStream, control: UnixStream, exit: Option<OwnedFd>) -> io::Result<Self> {
        data.set_nonblocking(true)?;
        control.set_nonblocking(true)?;
        Ok(Self { data, control, exit, io: Mutex::default() })
    }

    /// Leaves a frame to be sent, by [`flush`](Self::flush).
    pub(super) fn put(&self, frame: Outgoing) {
        sync::lock(&self.io).outgoing = Some(frame);
    }

    /// Sends what can be sent at once. `true`: something is left. An error closes the socket, which the reading side finds.
    pub(super) fn flush(&self) -> bool {
        let mut io = sync::lock(&self.io);
        while let Some(frame) = io.outgoing.as_mut().filter(|frame| !frame.is_sent()) {
            let head = &frame.head[frame.sent.min(frame.head.len())..];
            let body = &frame.body[frame.sent.saturating_sub(frame.head.len())..];
            let parts = [IoSlice::new(head), IoSlice::new(body)];
            match rustix::net::sendmsg(&self.data, &parts, &mut SendAncillaryBuffer::default(), QUIET) {
                Ok(sent) => frame.sent += sent,
                Err(Errno::INTR) => (),
                Err(Errno::AGAIN) => return true,
                // Not always that the child is gone: the system may lack memory (ENOBUFS). Half a frame would have both sides wait for ever.
                Err(_) => {
                    let _ = self.data.shutdown(std::net::Shutdown::Both);
                    return false;
                }
            }
        }
        // The memory of a large call is free while it runs.
        io.outgoing.take_if(|frame| frame.body.len() > KEPT);
        false
    }

    pub(super) fn wants_to_write(&self) -> bool {
        sync::lock(&self.io).outgoing.as_ref().is_some_and(|frame| !frame.is_sent())
    }

    /// The frame that the child has not read as a whole, now that it is lost. So nothing of what the frame asks for has been done.
    pub(super) fn take_unread(&self) -> Option<Outgoing> {
        let mut io = sync::lock(&self.io);
        let was_reset = io.was_reset;
        let frame = io.outgoing.take().filter(|frame| was_reset || !frame.is_sent())?;
        Some(Outgoing { sent: 0, ..frame })
    }

    /// Whether an idle child has gone, as its end of the socket says; or has said what it was not asked for.
    pub(super) fn is_closed(&self) -> bool {
        let looked = rustix::net::recv(&self.data, &mut [0; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT);
        !matches!(looked, Err(Errno::AGAIN | Errno::INTR))
    }

    /// Asks the child to cancel a call.
    pub(super) fn ask_to_cancel(&self, number: u64) {
        // Eight bytes per call: the socket's buffer is never full.
        let _ = rustix::net::send(&self.control, &number.to_le_bytes(), QUIET);
    }

    /// Tells the child that no call will come: it exits by itself.
    pub(super) fn retire(&self) {
        let _ = self.data.shutdown(std::net::Shutdown::Write);
    }

    /// Reads on. A body longer than `limit` is taken for no frame.
    pub(super) fn read(&self, scratch: &mut [u8], limit: u64) -> Read {
        let mut io = sync::lock(&self.io);
        let mut turn = 0;
        loop {
            let read = match &mut io.incoming {
                None => self.read_head(&mut io, scratch, limit),
                Some((header, body)) => {
                    let missing = usize::try_from(header.length).map_or(0, |length| length - body.len());
                    if missing == 0 {
                        Ok(0)
                    } else {
                        rustix::net::recv(&self.data, spare_capacity(body), RecvFlags::DONTWAIT).map(|(_, read)| read)
                    }
                }
            };
            let is_whole = io.incoming.as_ref().is_some_and(|(header, body)| body.len() as u64 >= header.length);
            match read {
                _ if is_whole => {
                    let (header, body) = io.incoming.take().expect("it is whole");
                    io.outgoing = None;
                    // A child that sends more than it was asked for does not follow the protocol.
                    return if body.len() as u64 == header.length { Read::Frame(header, body) } else { Read::Broken };
                }
                Err(Errno::AGAIN) => return Read::Later,
                Err(Errno::INTR) => (),
                Err(Errno::PROTO | Errno::OVERFLOW) => return Read::Broken,
                // How Linux says that the other end was closed with something unread, which is of the only frame that there is at a time.
                Err(Errno::CONNRESET) => {
                    io.was_reset = cfg!(target_os = "linux");
                    return Read::Closed;
                }
                Err(_) | Ok(0) => return Read::Closed,
                Ok(read) => {
                    turn += read;
                    if turn > TURN {
                        return Read::Later;
                    }
                }
            }
        }
    }

    /// Reads until the header is there, and what comes with it.
    fn read_head(&self, io: &mut Io, scratch: &mut [u8], limit: u64) -> rustix::io::Result<usize> {
        let (_, read) = rustix::net::recv(&self.data, &mut *scratch, RecvFlags::DONTWAIT)?;
        let missing = (HEADER - io.head.len()).min(read);
        io.head.extend_from_slice(&scratch[..missing]);
        if let Ok(head) = <&[u8; HEADER]>::try_from(io.head.as_slice()) {
            let header = Header::parse(head).filter(|header| header.length <= limit).ok_or(Errno::PROTO)?;
            io.head.clear();
            let mut body = Vec::with_capacity(usize::try_from(header.length).map_err(|_| Errno::OVERFLOW)?);
            body.extend_from_slice(&scratch[missing..read]);
            io.incoming = Some((header, body));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write};
    use std::thread;

    use super::*;

    fn conn() -> (Conn, UnixStream) {
        let (data, child) = UnixStream::pair().unwrap();
        let (control, _) = UnixStream::pair().unwrap();
        (Conn::new(data, control, None).unwrap(), child)
    }

    fn value(length: u64) -> Header {
        Header { level: 3, trace: 5, function: 9, ..Header::of(Kind::Value, 7, length) }
    }

    #[test]
    fn a_header_is_read_as_it_was_written_and_nothing_else_is_one() {
        let bytes = value(3).to_bytes();
        assert_eq!(Header::parse(&bytes), Some(value(3)));
        for wrong in [0, 4] {
            let mut bytes = bytes;
            bytes[wrong] ^= 0x40;
            assert_eq!(Header::parse(&bytes), None);
        }
    }

    #[test]
    fn a_frame_that_comes_byte_by_byte_is_whole_at_its_last_byte() {
        let (conn, mut child) = conn();
        let mut scratch = vec![0; SCRATCH];
        let frame = [&value(3).to_bytes()[..], b"abc"].concat();
        for (at, byte) in frame.iter().enumerate() {
            assert!(matches!(conn.read(&mut scratch, 10), Read::Later), "byte {at}");
            child.write_all(&[*byte]).unwrap();
        }
        let Read::Frame(header, body) = conn.read(&mut scratch, 10) else { panic!("not whole") };
        assert_eq!((header, &*body), (value(3), &b"abc"[..]));
        drop(child);
        assert!(matches!(conn.read(&mut scratch, 10), Read::Closed));
    }

    #[test]
    fn a_body_over_the_limit_or_beyond_its_length_is_no_frame() {
        for (header, body) in [(value(11), 11), (value(2), 3)] {
            let (conn, mut child) = conn();
            child.write_all(&[&header.to_bytes()[..], &vec![1; body]].concat()).unwrap();
            assert!(matches!(conn.read(&mut vec![0; SCRATCH], 10), Read::Broken));
        }
    }

    #[test]
    fn a_frame_that_cannot_be_sent_closes_the_socket() {
        let (conn, child) = conn();
        // Nothing that is sent arrives, but the child could still reply.
        child.shutdown(std::net::Shutdown::Read).unwrap();
        conn.put(frame(3));
        assert!(!conn.flush());
        assert!(matches!(conn.read(&mut vec![0; SCRATCH], 10), Read::Closed));
    }

    /// A call with a body of so many bytes.
    fn frame(length: usize) -> Outgoing {
        Outgoing::new(Header::of(Kind::Call, 7, length as u64), "", vec![1; length])
    }

    fn is_closed_by_the_child(conn: &Conn) -> bool {
        matches!(conn.read(&mut vec![0; SCRATCH], 10), Read::Closed)
    }

    #[test]
    fn what_cannot_be_sent_or_is_sent_in_part_has_not_been_read() {
        for length in [3, 8 * 1024 * 1024] {
            let (conn, child) = conn();
            assert!(!conn.is_closed());
            drop(child);
            assert!(conn.is_closed());
            conn.put(frame(length));
            assert!(!conn.flush());
            assert!(is_closed_by_the_child(&conn));
            assert_eq!(conn.take_unread().map(|frame| (frame.body.len(), frame.sent)), Some((length, 0)));
        }
        let (conn, mut child) = conn();
        conn.put(frame(8 * 1024 * 1024));
        assert!(conn.flush());
        // As much as there is: then the rest is missing.
        child.read_exact(&mut vec![0; 100 * 1024]).unwrap();
        drop(child);
        assert!(is_closed_by_the_child(&conn));
        assert!(conn.take_unread().is_some());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_is_sent_has_not_been_read_if_the_child_has_left_a_byte() {
        for (length, left, is_unread) in [(3, 0, false), (3, 1, true), (3, 3 + HEADER, true), (KEPT / 2, 1, true)] {
            let (conn, mut child) = conn();
            conn.put(frame(length));
            assert!(!conn.flush());
            child.read_exact(&mut vec![0; HEADER + length - left]).unwrap();
            drop(child);
            assert!(is_closed_by_the_child(&conn));
            assert_eq!(conn.take_unread().is_some(), is_unread, "{left} of {length}");
        }
    }

    #[test]
    fn a_frame_is_kept_until_its_reply_has_come() {
        let (conn, mut child) = conn();
        conn.put(frame(3));
        assert!(!conn.flush() && !conn.wants_to_write());
        child.write_all(&[&value(1).to_bytes()[..], b"a"].concat()).unwrap();
        assert!(matches!(conn.read(&mut vec![0; SCRATCH], 10), Read::Frame(..)));
        assert!(sync::lock(&conn.io).outgoing.is_none());
    }

    #[test]
    fn a_large_body_crosses_in_pieces_without_a_second_copy() {
        let (conn, child) = conn();
        let length = 8 * 1024 * 1024;
        let writer = thread::spawn(move || {
            let mut child = child;
            child.write_all(&value(length).to_bytes()).unwrap();
            child.write_all(&vec![5; usize::try_from(length).unwrap()]).unwrap();
        });
        let mut scratch = vec![0; SCRATCH];
        let body = loop {
            match conn.read(&mut scratch, length) {
                Read::Frame(_, body) => break body,
                Read::Later => thread::yield_now(),
                Read::Closed | Read::Broken => panic!("no frame"),
            }
        };
        writer.join().unwrap();
        assert_eq!((body.len() as u64, body.capacity() as u64), (length, length));
    }
}
