//! The data directory: opened by one process at a time, and put in order before anything is served.
//!
//! ```text
//! lock                 held as long as the service lives
//! service.sqlite3      accounts, sessions, and what is known of the pictures (`store/`)
//! pictures/            two files for each picture (`pictures/shelf.rs`)
//! incoming/            files that are being written
//! ```
//! A picture's files are there before its row and go after it. So, whenever the service is killed, a row never points to a missing
//! file, and files without a row are what nobody was promised: they are swept away here.

use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::Arc;

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
    pub(crate) fn open(path: &Path, connections: usize) -> Result<Self, Error> {
        create(path)?;
        let lock = File::options().create(true).truncate(false).write(true).open(path.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            // Its uploads would be swept away under its hands.
            Err(TryLockError::WouldBlock) => return Err(Error::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let store = Store::open(&path.join("service.sqlite3"), connections)?;
        let shelf = Shelf::open(path)?;
        let known = pictures::known(&store)?;
        let swept = shelf.sweep(&known)?;
        if swept > 0 {
            tracing::info!(files = swept, "swept away what an earlier end had left unfinished");
        }
        for id in known.iter().filter(|id| !shelf.has(**id)) {
            tracing::error!(%id, "a file of this picture is missing");
        }
        Ok(Self { store, shelf, _lock: Arc::new(lock) })
    }
}

/// Its contents are nobody else's business.
fn create(path: &Path) -> io::Result<()> {
    let mut directory = DirBuilder::new();
    directory.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut directory, 0o700);
    directory.create(path)
}
