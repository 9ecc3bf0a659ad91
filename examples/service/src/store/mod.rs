//! The database: [`Store`], a number of connections to one SQLite file.
//!
//! The SQL itself is with the domains (`accounts/`, `pictures/`); `schema.rs` has the tables. Connections are as many as the threads of
//! `db`, so that a job there always finds one free.

mod schema;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};

use crate::error::Error;

/// How long a connection waits for another one that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A handle to the database.
#[derive(Clone, Debug)]
pub(crate) struct Store(Arc<Connections>);

#[derive(Debug)]
struct Connections {
    path: PathBuf,
    most: usize,
    mode: Mode,
    free: Mutex<Vec<Connection>>,
}

impl Store {
    pub(crate) fn open(path: &Path, connections: usize) -> Result<Self, Error> {
        let open = |mode| {
            let mut first = connect(path, mode)?;
            schema::bring_up_to_date(&mut first)?;
            let mut free = vec![first];
            while free.len() < connections {
                free.push(connect(path, mode)?);
            }
            Ok(Self(Arc::new(Connections { path: path.to_owned(), most: connections, mode, free: Mutex::new(free) })))
        };
        let opened = match open(Mode::ReadWrite) {
            Err(Error::Database(error)) if is_full(&error) && is_complete(path) => {
                tracing::warn!("the disk is full: {} is open for reading only until a restart", path.display());
                open(Mode::ReadOnly)
            }
            opened => opened,
        };
        opened.map_err(|error| Error::OpenDatabase { path: path.to_owned(), error: Box::new(error) })
    }

    /// Calls `f` with a connection of its own.
    pub(crate) fn with<T>(&self, f: impl FnOnce(&mut Connection) -> Result<T, Error>) -> Result<T, Error> {
        let connection = self.0.free().pop();
        // None is free only where no executor limits the callers, which is what `--inline` is.
        let connection = connection.map_or_else(|| connect(&self.0.path, self.0.mode), Ok)?;
        let mut lent = Lent { connections: &self.0, connection: Some(connection) };
        match f(lent.connection.as_mut().expect("taken by the drop alone")) {
            Err(Error::Database(error))
                if self.0.mode == Mode::ReadOnly && error.sqlite_error_code() == Some(ErrorCode::ReadOnly) =>
            {
                Err(Error::DiskFull)
            }
            result => result,
        }
    }
}

impl Store {
    /// Closes the connections that are not in use. The last one writes what is in the log beside the database to the database, and deletes the log: a
    /// database that is put in its place later must not meet the log of another.
    pub(crate) fn close(&self) {
        let free = std::mem::take(&mut *self.0.free());
        drop(free);
    }
}

impl Connections {
    fn free(&self) -> MutexGuard<'_, Vec<Connection>> {
        // No code that could panic runs under it.
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that goes back when it is dropped, a panic included.
struct Lent<'a> {
    connections: &'a Connections,
    connection: Option<Connection>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut free = self.connections.free();
        let surplus = free.len() >= self.connections.most;
        let connection = self.connection.take();
        if surplus {
            drop(free);
            drop(connection);
        } else {
            free.extend(connection);
        }
    }
}

/// How connections are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    ReadWrite,
    /// Without the two files beside the database that WAL mode needs, and that do not fit on a full disk. The service's lock ensures
    /// that the database does not change.
    ReadOnly,
}

fn connect(path: &Path, mode: Mode) -> Result<Connection, Error> {
    if mode == Mode::ReadOnly {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        return Ok(Connection::open_with_flags(immutable(path), flags)?);
    }
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Readers and the one writer do not wait for each other.
    connection.pragma_update(None, "journal_mode", "wal")?;
    // A commit is on the disk before it is answered: with `normal`, a power cut could take back what a client was told.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

/// The database as a URI. In a path, these characters would end it or begin an escape.
fn immutable(path: &Path) -> String {
    let path = path.display().to_string().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("file:{path}?immutable=1")
}

/// Whether SQLite could not write for lack of space: what it needs is 32 KiB beside the database.
fn is_full(error: &rusqlite::Error) -> bool {
    let failure = error.sqlite_error();
    failure.is_some_and(|failure| {
        let full = [ffi::SQLITE_FULL, ffi::SQLITE_IOERR_SHMSIZE, ffi::SQLITE_IOERR_WRITE];
        full.contains(&failure.extended_code)
    })
}

/// Whether all commits are in the database itself, as they are after a stop, and none is in the log beside it.
fn is_complete(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).map_or(true, |log| log.len() == 0)
}
