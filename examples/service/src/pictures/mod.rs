//! Pictures: added, listed, read, removed, each by the account that owns it alone.
//!
//! `scale.rs` decodes and scales · `shelf.rs` keeps the files · `read.rs` reads them piece by piece · `id.rs` and `format.rs` their names
//! and types. Each method marked `#[blocking]` is plain synchronous code and runs on the executor it names.

mod format;
mod id;
mod read;
mod scale;
mod shelf;

use std::collections::HashSet;
use std::time::SystemTime;

use axum::body::Bytes;
use offload_runtime::blocking;
use rusqlite::{OptionalExtension, Row, params};
use serde::Serialize;

pub(crate) use self::format::Format;
pub(crate) use self::id::PictureId;
pub(crate) use self::read::Opened;
use self::scale::Scaled;
use self::shelf::Shelved;
pub(crate) use self::shelf::{Shelf, Side};
use crate::accounts::{AccountId, seconds};
use crate::config::Limits;
use crate::data::DataDirectory;
use crate::error::Error;
use crate::pool::Pool;
use crate::store::Store;

/// The longest list that is given.
const LIST: i64 = 1000;

/// A handle to the pictures.
#[derive(Clone, Debug)]
pub(crate) struct Pictures {
    db: Pool,
    cpu: Pool,
    files: Pool,
    data: DataDirectory,
    limits: Limits,
}

/// What is known of a picture.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Picture {
    pub(crate) id: PictureId,
    #[serde(skip)]
    pub(crate) format: Format,
    width: u32,
    height: u32,
    bytes: u64,
    /// Seconds since 1970.
    created: i64,
}

impl Pictures {
    pub(crate) fn new(db: &Pool, cpu: &Pool, files: &Pool, data: DataDirectory, limits: Limits) -> Self {
        Self { db: db.clone(), cpu: cpu.clone(), files: files.clone(), data, limits }
    }

    /// Decodes it, stores it, and makes it known, in this order. If this is dropped on the way, or fails, nothing is left of it.
    pub(crate) async fn add(&self, owner: AccountId, format: Format, original: Bytes) -> Result<Picture, Error> {
        let scaled = self.scale(format, original.clone()).await?;
        let (width, height, bytes) = (scaled.width, scaled.height, original.len() as u64);
        let shelved = self.shelve(original, scaled).await?;
        let created = seconds(SystemTime::now());
        let picture = Picture { id: shelved.id(), format, width, height, bytes, created };
        self.insert(owner, picture, shelved).await
    }

    /// Forgets it, then removes its files, in the background.
    pub(crate) async fn remove(&self, owner: AccountId, id: PictureId) -> Result<(), Error> {
        self.delete(owner, id).await.map(drop)
    }

    #[blocking(executor = cpu)]
    fn scale(&self, format: Format, original: Bytes) -> Result<Scaled, Error> {
        scale::scale(format, &original, &self.limits)
    }

    #[blocking(executor = files)]
    fn shelve(&self, original: Bytes, scaled: Scaled) -> Result<Shelved, Error> {
        self.data.shelf.write(&self.files, &original, &scaled.thumbnail)
    }

    /// From here on the files are kept.
    #[blocking(executor = db)]
    fn insert(&self, owner: AccountId, picture: Picture, shelved: Shelved) -> Result<Picture, Error> {
        self.store().with(|connection| {
            let insert =
                "INSERT INTO picture (id, account, format, width, height, bytes, created) VALUES (?, ?, ?, ?, ?, ?, ?)";
            let Picture { id, format, width, height, bytes, created } = &picture;
            let row = params![id, owner, format, width, height, bytes, created];
            connection.prepare_cached(insert)?.execute(row)?;
            Ok(())
        })?;
        shelved.keep();
        Ok(picture)
    }

    /// From here on nothing points to the files, which go when the result is dropped.
    #[blocking(executor = db)]
    fn delete(&self, owner: AccountId, id: PictureId) -> Result<Shelved, Error> {
        self.store().with(|connection| {
            let delete = "DELETE FROM picture WHERE id = ? AND account = ?";
            let rows = connection.prepare_cached(delete)?.execute(params![id, owner])?;
            if rows == 0 { Err(Error::NotFound) } else { Ok(self.data.shelf.take(&self.files, id)) }
        })
    }

    /// One of the owner's pictures.
    #[blocking(executor = db)]
    pub(crate) fn find(&self, owner: AccountId, id: PictureId) -> Result<Picture, Error> {
        self.store().with(|connection| {
            let select = "SELECT id, format, width, height, bytes, created FROM picture WHERE id = ? AND account = ?";
            let picture = connection.prepare_cached(select)?.query_row(params![id, owner], Picture::from_row);
            picture.optional()?.ok_or(Error::NotFound)
        })
    }

    /// The newest of the owner's pictures.
    #[blocking(executor = db)]
    pub(crate) fn list(&self, owner: AccountId) -> Result<Vec<Picture>, Error> {
        self.store().with(|connection| {
            let select = "SELECT id, format, width, height, bytes, created FROM picture \
                          WHERE account = ? ORDER BY number DESC LIMIT ?";
            let mut select = connection.prepare_cached(select)?;
            let pictures = select.query_map(params![owner, LIST], Picture::from_row)?;
            Ok(pictures.collect::<Result<_, _>>()?)
        })
    }

    fn store(&self) -> &Store {
        &self.data.store
    }
}

impl Picture {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            format: row.get("format")?,
            width: row.get("width")?,
            height: row.get("height")?,
            bytes: row.get("bytes")?,
            created: row.get("created")?,
        })
    }
}

/// All pictures that have a row.
pub(crate) fn known(store: &Store) -> Result<HashSet<PictureId>, Error> {
    store.with(|connection| {
        let mut select = connection.prepare("SELECT id FROM picture")?;
        let ids = select.query_map((), |row| row.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    })
}
