//! `/pictures`. An account sees its own alone: another's is not there.

use axum::Json;
use axum::extract::{FromRequestParts, Path, State as Shared};
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::session::SignedIn;
use super::upload::Upload;
use crate::error::Error;
use crate::pictures::{Opened, Picture, PictureId, Side};
use crate::state::State;

/// A picture never changes, but only its owner's browser may keep it.
const CACHE: (HeaderName, &str) = (header::CACHE_CONTROL, "private, max-age=31536000, immutable");

/// The picture that the path names.
pub(super) struct Named(PictureId);

impl FromRequestParts<State> for Named {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Error> {
        // What is no name of a picture is a name of nothing.
        let Path(id) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| Error::NotFound)?;
        id.parse().map(Self)
    }
}

pub(super) async fn add(
    Shared(state): Shared<State>,
    SignedIn(account): SignedIn,
    upload: Upload,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<Picture>), Error> {
    let picture = state.pictures.add(account, upload.format, upload.bytes.clone()).await?;
    let location = [(header::LOCATION, format!("/pictures/{}", picture.id))];
    Ok((StatusCode::CREATED, location, Json(picture)))
}

pub(super) async fn list(
    Shared(state): Shared<State>,
    SignedIn(account): SignedIn,
) -> Result<Json<Vec<Picture>>, Error> {
    Ok(Json(state.pictures.list(account).await?))
}

pub(super) async fn original(
    Shared(state): Shared<State>,
    SignedIn(account): SignedIn,
    Named(id): Named,
) -> Result<Response, Error> {
    let picture = state.pictures.find(account, id).await?;
    let opened = state.pictures.open(picture.id, Side::Original).await?;
    Ok(send(picture.format.content_type(), opened))
}

pub(super) async fn thumbnail(
    Shared(state): Shared<State>,
    SignedIn(account): SignedIn,
    Named(id): Named,
) -> Result<Response, Error> {
    let picture = state.pictures.find(account, id).await?;
    let opened = state.pictures.open(picture.id, Side::Thumbnail).await?;
    Ok(send("image/jpeg", opened))
}

pub(super) async fn remove(
    Shared(state): Shared<State>,
    SignedIn(account): SignedIn,
    Named(id): Named,
) -> Result<StatusCode, Error> {
    state.pictures.remove(account, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn send(content_type: &'static str, opened: Opened) -> Response {
    let headers =
        [(header::CONTENT_TYPE, content_type.to_owned()), (header::CONTENT_LENGTH, opened.length.to_string())];
    (headers, [CACHE], opened.into_body()).into_response()
}
