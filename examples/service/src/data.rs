//! The data directory: opened by one process at a time, and put in order before anything is served.
//!
//! ```text
//! lock                 held as long as the service lives
//! service.sqlite3      accounts, sessions, and what is known of the pictures (`store/`)
//! pictures/            two files for each picture (`pictures/shelf.rs`)
//! incoming/            files that are being written
//! orphaned/            files that the database does not know
//! ```
//! A picture's files are written before its row and removed after it. Whenever the service is killed, a row never points to a
//! missing file. Files without a row are what a killed upload left, or what the database in a backup does not know yet: the start
//! cannot tell which, so it moves them to `orphaned/`. Only files in `incoming/` are deleted.

use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::accounts;
use crate::error::Error;
use crate::pictures::{self, Shelf};
use crate::store::Store;

/// The data directory, opened.
#[derive(Clone, Debug)]
pub(crate) struct DataDirectory {
    pub(crate) store: Store,
    pub(crate) shelf: Shelf,
    /// Released when the last clone is dropped, or by the operating system at the process' end.
    _lock: Arc<File>,
}

impl DataDirectory {
    /// `accept_empty` allows a database without an account beside pictures.
    pub(crate) fn open(path: &Path, connections: usize, accept_empty: bool) -> Result<Self, Error> {
        create(path).map_err(Error::at(path))?;
        let lock = lock(path)?;
        let database = path.join("service.sqlite3");
        let store = Store::open(&database, connections)?;
        let shelf = Shelf::open(path)?;
        let known = pictures::known(&store)?;
        let unknown = shelf.unknown(&known)?;
        if !unknown.is_empty() && !accept_empty && accounts::is_empty(&store)? {
            let (pictures, orphaned) = (shelf.pictures().to_owned(), shelf.orphaned().to_owned());
            return Err(Error::EmptyDatabase { database, pictures, files: unknown.len(), orphaned });
        }
        shelf.clear_incoming()?;
        shelf.move_out(&unknown);
        shelf.move_back(&known);
        for id in known.iter().filter(|id| !shelf.has(**id)) {
            tracing::error!(%id, "a file of this picture is missing");
        }
        Ok(Self { store, shelf, _lock: Arc::new(lock) })
    }
}

/// One process at a time: a second one would delete the uploads of the first from `incoming/`.
fn lock(path: &Path) -> Result<File, Error> {
    let file = path.join("lock");
    let lock = File::options().create(true).truncate(false).write(true).open(&file).map_err(Error::at(&file))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Error::InUse(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(Error::at(&file)(error)),
    }
}

/// Only the owner may read it.
fn create(path: &Path) -> io::Result<()> {
    let mut directory = DirBuilder::new();
    directory.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut directory, 0o700);
    directory.create(path)
}
