//! `POST /pools/cancel`: cancels one running job.
//!
//! A page of another origin cannot make such a request: it takes a content type for which browsers ask this server first, and there is no answer to
//! that question here.

use std::sync::Arc;

use axum::Json;
use axum::RequestExt;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::Deserialize;

use crate::Page;

/// Whether the request may cancel a job.
pub(crate) type MayCancel = Arc<dyn Fn(&Parts) -> bool + Send + Sync>;

#[derive(Deserialize)]
struct Which {
    executor: String,
    thread: String,
    number: u64,
}

/// 204: the cancellation was requested. 403: not by this viewer. 404: no such job runs.
pub(crate) async fn cancel(State(page): State<Page>, request: Request) -> Result<StatusCode, JsonRejection> {
    let (parts, body) = request.into_parts();
    if !page.may_cancel.as_ref().is_some_and(|may_cancel| may_cancel(&parts)) {
        return Ok(StatusCode::FORBIDDEN);
    }
    let Json(which): Json<Which> = Request::from_parts(parts, body).extract().await?;
    // Callbacks of the job run in this call, and may block.
    let cancelled = tokio::task::spawn_blocking(move || {
        let named = |source: &&crate::source::Source| source.name == which.executor;
        page.sources.iter().filter(named).any(|source| source.cancel(&which.thread, which.number))
    });
    Ok(if cancelled.await.unwrap_or(false) { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND })
}
