//! What a client gets for an error: a status, and a line of JSON, `{"error": "..."}`.
//!
//! The log names the service's own faults; a client learns only that one happened.

use std::any::Any;
use std::io;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rusqlite::ErrorCode;
use serde_json::json;

use crate::error::Error;
use crate::occasionally::Occasionally;

/// When a client that was refused may try again, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// For a full disk, which fails request after request.
static WARNING: Occasionally = Occasionally::new();

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = status(&self);
        let text = match status {
            StatusCode::INTERNAL_SERVER_ERROR => {
                tracing::error!(error = %self, "a request failed");
                "something went wrong here".to_owned()
            }
            // The error itself may name a path of the server.
            StatusCode::INSUFFICIENT_STORAGE => {
                if WARNING.is_due() {
                    tracing::warn!(error = %self, "a request failed: the disk is full");
                }
                Error::DiskFull.to_string()
            }
            _ => self.to_string(),
        };
        let mut response = (status, Json(json!({ "error": text }))).into_response();
        let headers = response.headers_mut();
        if matches!(self, Error::TooManyConnections) {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        match status {
            StatusCode::SERVICE_UNAVAILABLE => _ = headers.insert(header::RETRY_AFTER, RETRY_AFTER),
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response
    }
}

fn status(error: &Error) -> StatusCode {
    match error {
        Error::Malformed(_) => StatusCode::BAD_REQUEST,
        Error::WrongCredentials | Error::SignedOut => StatusCode::UNAUTHORIZED,
        Error::NotFound => StatusCode::NOT_FOUND,
        Error::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
        Error::TooSlow => StatusCode::REQUEST_TIMEOUT,
        Error::Taken => StatusCode::CONFLICT,
        Error::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        Error::WrongType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Error::Invalid(_) | Error::BadPicture(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Error::Refused(_) | Error::TooManyUploads | Error::TooManyConnections => StatusCode::SERVICE_UNAVAILABLE,
        Error::DiskFull => StatusCode::INSUFFICIENT_STORAGE,
        Error::Io(error) if is_full(error.kind()) => StatusCode::INSUFFICIENT_STORAGE,
        Error::Database(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull) => {
            StatusCode::INSUFFICIENT_STORAGE
        }
        // One writer held the database for longer than the busy timeout.
        Error::Database(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Error::InUse(_)
        | Error::EmptyDatabase { .. }
        | Error::Path { .. }
        | Error::Listen(..)
        | Error::OpenDatabase { .. }
        | Error::Newer(_)
        | Error::Database(_)
        | Error::Io(_)
        | Error::Hashing(_)
        | Error::Recorder(_)
        | Error::Random(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The disk, a quota, or the limit on a file's size.
fn is_full(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
}

/// The response to a panic, of a handler or of a job that the handler awaited. The panic hook has reported it.
pub(super) fn of_panic(_: Box<dyn Any + Send>) -> Response {
    let text = json!({ "error": "something went wrong here" });
    (StatusCode::INTERNAL_SERVER_ERROR, Json(text)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_disk_is_answered_507_without_a_path() {
        let full = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL);
        let path = "/var/lib/service/incoming/.tmpAbCdEf";
        let errors: [Error; 2] = [
            io::Error::new(io::ErrorKind::StorageFull, format!("no space left at path {path}")).into(),
            rusqlite::Error::SqliteFailure(full, Some(path.to_owned())).into(),
        ];
        for error in errors {
            let response = error.into_response();
            assert_eq!(response.status(), StatusCode::INSUFFICIENT_STORAGE);
            let body = axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
            assert_eq!(&body[..], br#"{"error":"the disk is full"}"#);
        }
    }

    #[tokio::test]
    async fn an_internal_fault_is_not_shown_to_the_client() {
        let error = Error::from(io::Error::other("/var/lib/service/pictures: permission denied"));
        let response = error.into_response();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
        assert_eq!(&body[..], br#"{"error":"something went wrong here"}"#);
    }
}
