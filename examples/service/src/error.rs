//! Why the service could not do something: [`Error`], the one error type of its domain code.
//!
//! A refusal by an executor becomes one of its variants by `From`, which is all that `#[blocking]` asks. What a client is told, and
//! by which status, is `http/error.rs`.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use argon2::password_hash;

/// Why the service could not do something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request says something that cannot be.
    #[error("{0}")]
    Invalid(&'static str),
    /// The request cannot be read at all.
    #[error("{0}")]
    Malformed(String),
    /// The account's name is another's.
    #[error("this name is taken")]
    Taken,
    /// No such account, or not its password: which of the two is not told.
    #[error("wrong name or password")]
    WrongCredentials,
    /// No session, or one that has ended.
    #[error("sign in first")]
    SignedOut,
    /// Nothing of that name, or nothing that this account may see.
    #[error("there is nothing here")]
    NotFound,
    /// This cannot be done to it.
    #[error("this method is not for this")]
    WrongMethod,
    /// The body is larger than it may be.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    /// The body took too long to arrive.
    #[error("the body took too long to arrive")]
    TooSlow,
    /// The body is not of a type that is understood.
    #[error("the body has to be {0}")]
    WrongType(&'static str),
    /// The picture cannot be decoded, or would take too much to.
    #[error("not a picture that can be shown: {0}")]
    BadPicture(String),
    /// An executor refused: there is more to do than can be done.
    #[error("too much to do: {0}")]
    Refused(#[from] offload_runtime::Error),
    /// Uploads take up all the memory that they may.
    #[error("too many uploads at once")]
    TooManyUploads,
    /// All connections are in use, but for the ones kept for operators.
    #[error("too many connections")]
    TooManyConnections,
    /// There is no room to store it.
    #[error("the disk is full")]
    DiskFull,
    /// Another process serves this directory.
    #[error("{} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// The database has no account, but there are pictures: it may be the wrong database.
    #[error(
        "{} has no account, but {} has {files} files: put the right database back, or start with \
         --accept-empty-database, which moves these files to {}",
        database.display(), pictures.display(), orphaned.display()
    )]
    EmptyDatabase {
        /// The database.
        database: PathBuf,
        /// The directory that has files.
        pictures: PathBuf,
        /// How many entries it has.
        files: usize,
        /// The directory that would get them.
        orphaned: PathBuf,
    },
    /// A file or a directory cannot be used.
    #[error("{}: {error}", path.display())]
    Path {
        /// The file or the directory.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, io::Error),
    /// The database cannot be opened.
    #[error("{}: {error}", path.display())]
    OpenDatabase {
        /// The database.
        path: PathBuf,
        /// Why not.
        error: Box<Error>,
    },
    /// The data directory is of a later version of the service.
    #[error("the database has version {0}, which is newer than this program")]
    Newer(i64),
    /// The database failed.
    #[error("database error: {0}")]
    Database(#[from] rusqlite::Error),
    /// The file system or the network failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A password could not be hashed.
    #[error("hashing: {0}")]
    Hashing(#[from] password_hash::Error),
    /// This process publishes its metrics elsewhere already.
    #[error("metrics: {0}")]
    Recorder(#[from] metrics_exporter_prometheus::BuildError),
    /// The operating system gave no random bytes.
    #[error("no random bytes: {0}")]
    Random(#[from] getrandom::Error),
}

impl Error {
    /// Adds the path to an error of the file system.
    pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |error| Self::Path { path: path.to_owned(), error }
    }
}
