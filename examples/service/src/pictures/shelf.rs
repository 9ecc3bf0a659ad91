//! The files of the pictures: [`Shelf`], and [`Shelved`], the files of one picture that nobody was promised yet.
//!
//! A file is written under a temporary name in `incoming/`, synced, and renamed into `pictures/`: whatever is there is whole.
//! Files get a row later, or not at all; so who has a `Shelved` and drops it, for whatever reason (an error, a client that hung up, a
//! job that never ran), removes them by that.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use offload_runtime::ExecutorExt;
use tempfile::NamedTempFile;

use super::id::PictureId;
use crate::error::Error;
use crate::pool::Pool;

/// Which file of a picture.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    /// As it was uploaded.
    Original,
    /// As a JPEG of at most 256 pixels a side.
    Thumbnail,
}

impl Side {
    const ALL: [Self; 2] = [Self::Original, Self::Thumbnail];

    fn extension(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Thumbnail => "thumbnail",
        }
    }
}

/// Where the files are.
#[derive(Clone, Debug)]
pub(crate) struct Shelf(Arc<Directories>);

#[derive(Debug)]
struct Directories {
    pictures: PathBuf,
    incoming: PathBuf,
}

impl Shelf {
    pub(crate) fn open(data: &Path) -> Result<Self, Error> {
        let directories = Directories { pictures: data.join("pictures"), incoming: data.join("incoming") };
        fs::create_dir_all(&directories.pictures)?;
        fs::create_dir_all(&directories.incoming)?;
        Ok(Self(Arc::new(directories)))
    }

    /// Removes all files but those of the pictures that are known. How many they were.
    pub(crate) fn sweep(&self, known: &HashSet<PictureId>) -> Result<usize, Error> {
        let mut swept = 0;
        for entry in fs::read_dir(&self.0.incoming)? {
            fs::remove_file(entry?.path())?;
            swept += 1;
        }
        for entry in fs::read_dir(&self.0.pictures)? {
            let path = entry?.path();
            let id = path.file_stem().and_then(OsStr::to_str).and_then(|name| name.parse().ok());
            if !id.is_some_and(|id| known.contains(&id)) {
                fs::remove_file(path)?;
                swept += 1;
            }
        }
        Ok(swept)
    }

    /// Whether all files of a picture are there.
    pub(crate) fn has(&self, id: PictureId) -> bool {
        Side::ALL.into_iter().all(|side| self.path(id, side).is_file())
    }

    /// Stores the files of a new picture. `files` is for their removal.
    pub(super) fn write(&self, files: &Pool, original: &[u8], thumbnail: &[u8]) -> Result<Shelved, Error> {
        // From here on, so that an error half-way leaves nothing either.
        let shelved = self.take(files, PictureId::random()?);
        for (side, bytes) in [(Side::Original, original), (Side::Thumbnail, thumbnail)] {
            let mut file = NamedTempFile::new_in(&self.0.incoming)?;
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            file.persist_noclobber(self.path(shelved.id, side)).map_err(|error| error.error)?;
        }
        sync_directory(&self.0.pictures)?;
        Ok(shelved)
    }

    /// The files of a picture that has no row, or no longer.
    pub(super) fn take(&self, files: &Pool, id: PictureId) -> Shelved {
        Shelved { id, shelf: self.clone(), files: files.clone(), kept: false }
    }

    pub(super) fn open_file(&self, id: PictureId, side: Side) -> io::Result<File> {
        File::open(self.path(id, side))
    }

    fn path(&self, id: PictureId, side: Side) -> PathBuf {
        self.0.pictures.join(format!("{id}.{}", side.extension()))
    }

    fn remove(&self, id: PictureId) {
        for path in Side::ALL.map(|side| self.path(id, side)) {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::error!(path = %path.display(), %error, "could not remove a file; the next start will");
                }
                _ => {}
            }
        }
    }
}

/// The files of a picture that has no row: removed when this is dropped, unless they are [kept](Self::keep).
#[derive(Debug)]
pub(super) struct Shelved {
    id: PictureId,
    shelf: Shelf,
    files: Pool,
    kept: bool,
}

impl Shelved {
    pub(super) fn id(&self) -> PictureId {
        self.id
    }

    /// Now they have a row.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Shelved {
    fn drop(&mut self) {
        if !self.kept {
            // This may be on a thread of the async runtime. If `files` refuses, the next start sweeps.
            let (place, id) = (self.shelf.clone(), self.id);
            self.files.submit(move || place.remove(id)).detach();
        }
    }
}

/// A rename lasts when the directory is on the disk.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Windows has no such thing, and writes renames through.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}
