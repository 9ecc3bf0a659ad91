//! The files of the pictures: [`Shelf`], and [`Shelved`], the files of one picture that is not yet in the database.
//!
//! A file is written under a temporary name in `incoming/`, synced, and renamed into `pictures/`: whatever is there is whole.
//! Files get a row later, or not at all. Dropping a `Shelved` removes them, for whatever reason it is dropped: an error, a client that hung
//! up, a job that never ran.

use std::collections::HashSet;
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
    orphaned: PathBuf,
}

impl Shelf {
    pub(crate) fn open(data: &Path) -> Result<Self, Error> {
        let [pictures, incoming, orphaned] = ["pictures", "incoming", "orphaned"].map(|name| data.join(name));
        for directory in [&pictures, &incoming] {
            fs::create_dir_all(directory).map_err(Error::at(directory))?;
        }
        Ok(Self(Arc::new(Directories { pictures, incoming, orphaned })))
    }

    pub(crate) fn pictures(&self) -> &Path {
        &self.0.pictures
    }

    pub(crate) fn orphaned(&self) -> &Path {
        &self.0.orphaned
    }

    /// Deletes what an earlier process was writing when it was killed.
    pub(crate) fn clear_incoming(&self) -> Result<(), Error> {
        let mut deleted = 0;
        for path in entries(&self.0.incoming)? {
            // The service makes no directories there.
            if !path.is_dir() {
                fs::remove_file(&path).map_err(Error::at(&path))?;
                deleted += 1;
            }
        }
        if deleted > 0 {
            tracing::info!(files = deleted, "deleted unfinished uploads of an earlier process");
        }
        Ok(())
    }

    /// All entries beside the pictures that are not files of a picture that is known.
    pub(crate) fn unknown(&self, known: &HashSet<PictureId>) -> Result<Vec<PathBuf>, Error> {
        let expected: HashSet<PathBuf> =
            known.iter().flat_map(|id| Side::ALL.map(|side| self.path(*id, side))).collect();
        let mut unknown = entries(&self.0.pictures)?;
        unknown.retain(|path| !expected.contains(path));
        Ok(unknown)
    }

    /// Moves entries to `orphaned/`. What cannot be moved stays: the service can do without.
    pub(crate) fn move_out(&self, unknown: &[PathBuf]) {
        let orphaned = self.orphaned();
        let moved = unknown.iter().filter(|path| {
            let moved = fs::create_dir_all(orphaned).and_then(|()| fs::rename(path, free_name(orphaned, path)));
            moved.inspect_err(|error| tracing::warn!("cannot move {} to orphaned/: {error}", path.display())).is_ok()
        });
        match moved.count() {
            0 => {}
            files => tracing::warn!("the database does not know {files} files: moved to {}", orphaned.display()),
        }
    }

    /// Moves back from `orphaned/` what belongs to pictures that are known again.
    pub(crate) fn move_back(&self, known: &HashSet<PictureId>) {
        let missing = known.iter().flat_map(|id| Side::ALL.map(|side| self.path(*id, side))).filter(|to| !to.is_file());
        let moved = missing.filter(|to| {
            let from = to.file_name().map(|name| self.orphaned().join(name)).filter(|from| from.is_file());
            from.is_some_and(|from| fs::rename(from, to).is_ok())
        });
        match moved.count() {
            0 => {}
            files => tracing::info!("the database knows {files} files again: moved back from orphaned/"),
        }
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
                    tracing::error!(path = %path.display(), %error, "cannot delete a file; the next start moves it to orphaned/");
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
            // This may be on a thread of the async runtime. If `files` refuses, the next start moves them out.
            let (place, id) = (self.shelf.clone(), self.id);
            self.files.submit(move || place.remove(id)).detach();
        }
    }
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = fs::read_dir(directory).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    entries.map_err(Error::at(directory))
}

/// Where to move a file so that it replaces no other: under its own name, or with a number added.
fn free_name(directory: &Path, file: &Path) -> PathBuf {
    let name = file.file_name().unwrap_or_default();
    let numbered = (1..).map(|number| {
        let mut name = name.to_owned();
        name.push(format!(".{number}"));
        name
    });
    let mut paths = std::iter::once(name.to_owned()).chain(numbered).map(|name| directory.join(name));
    paths.find(|path| fs::symlink_metadata(path).is_err()).expect("there is no last number")
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
