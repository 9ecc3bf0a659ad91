//! Bodies of JSON, with the errors of this service.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;

use super::JSON_BODY;
use crate::error::Error;

/// A request's body, read as JSON.
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        match Json::from_request(request, state).await {
            Ok(Json(value)) => Ok(Self(value)),
            Err(JsonRejection::MissingJsonContentType(_)) => Err(Error::WrongType("application/json")),
            Err(JsonRejection::JsonDataError(_)) => Err(Error::Invalid("the fields are not those that are asked for")),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(Error::TooLarge(JSON_BODY)),
            Err(rejection) => Err(Error::Malformed(rejection.body_text())),
        }
    }
}
