//! What the task shares with its jobs: the file in its slot, the accepted bytes, and what a job reports.

use std::any::Any;
use std::fs::File;
use std::io::{self, ErrorKind, SeekFrom};

use super::pending::Pending;
use crate::executor::{Executor, submit};
use crate::job::{Origin, Unjudged};
use crate::sync::{self, Arc, Mutex};

/// Moves the position by so many bytes.
pub(super) type Reposition<T> = fn(&mut T, i64) -> io::Result<u64>;

/// How `T` is written, for code that does not know that `T: Write`.
pub(super) struct Writing<T> {
    write: fn(&mut T, &[u8]) -> io::Result<usize>,
    /// The last operation of an `AsyncIo` that is dropped: writes what was accepted, and drops the file on the worker.
    pub(super) finish: fn(&dyn Executor, Origin, Arc<Shared<T>>),
}

impl<T> Clone for Writing<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Writing<T> {}

impl<T: io::Write + Send + 'static> Writing<T> {
    pub(super) fn of() -> Self {
        Self { write: T::write, finish }
    }
}

fn finish<T: io::Write + Send + 'static>(executor: &dyn Executor, origin: Origin, shared: Arc<Shared<T>>) {
    let before = Before { unread: None, writing: Some(Writing::of()), lenient: false };
    submit(executor, origin, Unjudged, move || drop(shared.run(&before, |_| Ok(Done::Other)))).detach();
}

pub(super) struct Shared<T> {
    /// Empty while a job works on it, and for good after a panic. Boxed, so that it is moved in and out as a pointer.
    file: Mutex<Option<Box<T>>>,
    pub(super) pending: Pending,
}

/// What a job does before its operation.
pub(super) struct Before<T> {
    /// How many bytes were read ahead, and how to give them back.
    pub(super) unread: Option<(i64, Reposition<T>)>,
    pub(super) writing: Option<Writing<T>>,
    /// The operation goes ahead though the writes before it fail. They stay accepted, so a later operation reports them.
    pub(super) lenient: bool,
}

/// What a job did.
pub(super) struct Report {
    /// What was read ahead is no longer what comes next.
    pub(super) gave_back: bool,
    pub(super) done: io::Result<Done>,
}

pub(super) enum Done {
    Read(Vec<u8>, io::Result<usize>),
    Flushed,
    /// Where it was to seek, and where that is.
    Sought(
        #[cfg_attr(
            not(feature = "futures-io"),
            expect(dead_code, reason = "asked by polls that name the position each time")
        )]
        SeekFrom,
        u64,
    ),
    Other,
}

impl<T> Shared<T> {
    pub(super) fn new(io: T) -> Self {
        Self { file: Mutex::new(Some(Box::new(io))), pending: Pending::new() }
    }

    pub(super) fn empty() -> Self {
        Self { file: Mutex::new(None), pending: Pending::new() }
    }

    /// Whether the file is there, while no job runs.
    pub(super) fn has_file(&self) -> bool {
        sync::lock(&self.file).is_some()
    }

    pub(super) fn take(&self) -> Option<T> {
        let file = sync::lock(&self.file).take();
        file.map(|file| *file)
    }

    /// Runs on the worker. A panic drops the file.
    pub(super) fn run(&self, before: &Before<T>, f: impl FnOnce(&mut T) -> io::Result<Done>) -> Report {
        let file = sync::lock(&self.file).take();
        let Some(mut file) = file else { return Report { gave_back: false, done: Err(poisoned()) } };
        let mut gave_back = false;
        let done = self.prepare(&mut file, before, &mut gave_back).and_then(|()| f(&mut file));
        *sync::lock(&self.file) = Some(file);
        Report { gave_back, done }
    }

    fn prepare(&self, file: &mut T, before: &Before<T>, gave_back: &mut bool) -> io::Result<()> {
        if let Some((unread, reposition)) = before.unread {
            match if unread > 0 { reposition(file, -unread) } else { Ok(0) } {
                Ok(_) => *gave_back = true,
                // A terminal or a pipe that was opened as a file: its directions are independent.
                Err(error) if error.kind() == ErrorKind::NotSeekable => {}
                Err(error) => return Err(error),
            }
        }
        let Some(writing) = before.writing else { return Ok(()) };
        match self.pending.drain(|bytes| (writing.write)(file, bytes)) {
            Err(_) if before.lenient => Ok(()),
            result => result,
        }
    }
}

/// `reposition` of a `T` that is a [`File`].
pub(super) fn reposition_file<T: 'static>(io: &mut T, by: i64) -> io::Result<u64> {
    let file: &mut dyn Any = io;
    match file.downcast_mut::<File>() {
        Some(file) => reposition(file, by),
        None => Err(ErrorKind::NotSeekable.into()),
    }
}

pub(super) fn reposition<T: io::Seek>(io: &mut T, by: i64) -> io::Result<u64> {
    io.seek(SeekFrom::Current(by))
}

pub(super) fn poisoned() -> io::Error {
    io::Error::other("the reader or writer is gone: an operation on it panicked")
}
