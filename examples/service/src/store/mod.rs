//! The database: [`Store`], a number of connections to one SQLite file.
//!
//! The SQL itself is with the domains (`accounts/`, `pictures/`); `schema.rs` has the tables. Connections are as many as the threads of
//! `db`, so that a job there always finds one free.

mod schema;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

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
    free: Mutex<Vec<Connection>>,
}

impl Store {
    pub(crate) fn open(path: &Path, connections: usize) -> Result<Self, Error> {
        let mut first = connect(path)?;
        schema::bring_up_to_date(&mut first)?;
        let mut free = vec![first];
        while free.len() < connections {
            free.push(connect(path)?);
        }
        Ok(Self(Arc::new(Connections { path: path.to_owned(), most: connections, free: Mutex::new(free) })))
    }

    /// Calls `f` with a connection of its own.
    pub(crate) fn with<T>(&self, f: impl FnOnce(&mut Connection) -> Result<T, Error>) -> Result<T, Error> {
        let connection = self.0.free().pop();
        // None is free only where no executor limits the callers, which is what `--inline` is.
        let connection = connection.map_or_else(|| connect(&self.0.path), Ok)?;
        let mut lent = Lent { connections: &self.0, connection: Some(connection) };
        f(lent.connection.as_mut().expect("taken by the drop alone"))
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

fn connect(path: &Path) -> Result<Connection, Error> {
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
