//! Reading a picture's file piece by piece, each piece a job of `files`: no more of it is in memory than its client takes.
//!
//! A refusal before the first piece is the request's. Later the answer has begun, and what is left to do is to wait for room: it is
//! little, and bounded by the connections. A client that hangs up drops the stream, and the job with it.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream;
use offload_runtime::blocking;
use tokio::time;

use super::{PictureId, Pictures, Side};
use crate::error::Error;
use crate::pool::Pool;

/// How much is read at once.
const PIECE: usize = 128 << 10;

/// How long the next piece waits for room in the queue.
const PAUSE: Duration = Duration::from_millis(20);

/// A file with its first piece read.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) length: u64,
    first: Bytes,
    file: Pieces,
}

#[derive(Clone, Debug)]
struct Pieces {
    file: Arc<File>,
    files: Pool,
}

impl Pictures {
    /// Opens a picture's file. One that was removed in the meantime is not there.
    #[blocking(executor = files)]
    pub(crate) fn open(&self, id: PictureId, side: Side) -> Result<Opened, Error> {
        let file = match self.data.shelf.open_file(id, side) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Error::NotFound),
            file => file?,
        };
        let length = file.metadata()?.len();
        let first = read_piece(&file)?;
        Ok(Opened { length, first, file: Pieces { file: Arc::new(file), files: self.files.clone() } })
    }
}

impl Opened {
    /// All of it, as its client takes it.
    pub(crate) fn into_body(self) -> Body {
        if self.first.len() as u64 >= self.length {
            return Body::from(self.first);
        }
        Body::from_stream(stream::unfold((Some(self.first), self.file), async |(first, file)| {
            let piece = match first {
                Some(first) => Ok(first),
                None => file.next_piece().await,
            };
            let end = piece.as_ref().is_ok_and(Bytes::is_empty);
            (!end).then_some((piece, (None, file)))
        }))
    }
}

impl Pieces {
    async fn next_piece(&self) -> Result<Bytes, Error> {
        loop {
            match self.read().await {
                Err(Error::Refused(offload_runtime::Error::QueueFull)) => time::sleep(PAUSE).await,
                piece => return piece,
            }
        }
    }

    #[blocking(executor = files)]
    fn read(&self) -> Result<Bytes, Error> {
        Ok(read_piece(&self.file)?)
    }
}

fn read_piece(file: &File) -> io::Result<Bytes> {
    let mut piece = Vec::new();
    file.take(PIECE as u64).read_to_end(&mut piece)?;
    Ok(piece.into())
}
