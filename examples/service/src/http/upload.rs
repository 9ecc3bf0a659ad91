//! The body of an upload, as it arrives: bounded in size, in time, and in what all uploads together take up.
//!
//! Each piece is counted against the state's `upload_memory` before it is kept. A body that is too large, or announces that it will be, is refused
//! at that moment.

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::header;
use futures_util::StreamExt;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time;

use crate::error::Error;
use crate::pictures::Format;
use crate::state::State;

/// A body that has arrived. What it takes up is given back when it is dropped.
pub(super) struct Upload {
    pub(super) format: Format,
    pub(super) bytes: Bytes,
    _memory: Option<OwnedSemaphorePermit>,
}

impl FromRequest<State> for Upload {
    type Rejection = Error;

    async fn from_request(request: Request, state: &State) -> Result<Self, Error> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let format = Format::from_content_type(content_type.unwrap_or_default())?;
        let receiving = time::timeout(state.limits.upload_time, receive(request.into_body(), state));
        let (bytes, memory) = receiving.await.map_err(|_| Error::TooSlow)??;
        Ok(Self { format, bytes, _memory: memory })
    }
}

async fn receive(body: Body, state: &State) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Error> {
    let most = state.limits.upload;
    let announced = usize::try_from(body.size_hint().lower()).ok().filter(|bytes| *bytes <= most);
    let mut received = Vec::with_capacity(announced.ok_or(Error::TooLarge(most))?);
    let mut memory = None::<OwnedSemaphorePermit>;
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| Error::Malformed(error.to_string()))?;
        if received.len() + piece.len() > most {
            return Err(Error::TooLarge(most));
        }
        let bytes = u32::try_from(piece.len()).map_err(|_| Error::TooLarge(most))?;
        let more = state.upload_memory.clone().try_acquire_many_owned(bytes).map_err(|_| Error::TooManyUploads)?;
        match &mut memory {
            Some(memory) => memory.merge(more),
            None => memory = Some(more),
        }
        received.extend_from_slice(&piece);
    }
    Ok((received.into(), memory))
}
