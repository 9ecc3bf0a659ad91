//! `/healthz` and `/readyz`, for what starts, restarts and routes to the service.

use axum::extract::State as Shared;

use crate::error::Error;
use crate::state::State;

/// The process answers. It needs no executor.
pub(super) async fn is_alive() -> &'static str {
    "alive\n"
}

/// The database answers. 503 if `db` has no room for one more job.
pub(super) async fn is_ready(Shared(state): Shared<State>) -> Result<&'static str, Error> {
    state.accounts.check().await?;
    Ok("ready\n")
}
