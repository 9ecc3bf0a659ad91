//! Readers and writers that do what a test needs.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

/// A writer into memory that a test looks at, with a byte at which it fails.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sink {
    pub(crate) shared: Arc<Mutex<Written>>,
}

#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) bytes: Vec<u8>,
    pub(crate) flushed: usize,
    /// How many bytes there is room for. `None`: for all.
    pub(crate) room: Option<usize>,
    /// The most that one `write` takes.
    pub(crate) piece: Option<usize>,
    pub(crate) flush_fails: bool,
}

impl Sink {
    pub(crate) fn with_room(bytes: usize) -> Self {
        let sink = Self::default();
        sink.set_room(Some(bytes));
        sink
    }

    pub(crate) fn set_room(&self, room: Option<usize>) {
        self.shared.lock().unwrap().room = room;
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.shared.lock().unwrap().bytes.clone()
    }

    pub(crate) fn flushed(&self) -> usize {
        self.shared.lock().unwrap().flushed
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = self.shared.lock().unwrap();
        let room = written.room.map_or(usize::MAX, |room| room - written.bytes.len());
        if room == 0 {
            return Err(ErrorKind::StorageFull.into());
        }
        let n = bytes.len().min(room).min(written.piece.unwrap_or(usize::MAX));
        written.bytes.extend_from_slice(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut written = self.shared.lock().unwrap();
        written.flushed += 1;
        if written.flush_fails { Err(io::Error::other("flush failed")) } else { Ok(()) }
    }
}

/// What one `read` of a [`Fed`] gives.
pub(crate) type Feed = io::Result<Vec<u8>>;

/// A reader that blocks until it is fed. Its end comes with the feeder's.
#[derive(Debug)]
pub(crate) struct Fed {
    feeds: Receiver<Feed>,
    /// Notified as a `read` begins.
    begun: Sender<()>,
}

/// A fed reader, what feeds it, and what says that a `read` has begun.
pub(crate) fn fed() -> (Fed, Sender<Feed>, Receiver<()>) {
    let ((feeder, feeds), (begun, begins)) = (channel(), channel());
    (Fed { feeds, begun }, feeder, begins)
}

impl Read for Fed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // The test may no longer be interested.
        let _ = self.begun.send(());
        let Ok(feed) = self.feeds.recv() else { return Ok(0) };
        let bytes = feed?;
        into[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

/// Bytes that differ from their neighbours.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| u8::try_from(i % 251).expect("less than 251")).collect()
}
