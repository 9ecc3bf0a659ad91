//! `/accounts` and `/sessions`.

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::json::JsonBody;
use super::session::BearerToken;
use crate::accounts::{Name, Password};
use crate::error::Error;
use crate::state::State;

#[derive(Deserialize)]
pub(super) struct Credentials {
    name: String,
    password: String,
}

pub(super) async fn sign_up(
    Shared(state): Shared<State>,
    JsonBody(Credentials { name, password }): JsonBody<Credentials>,
) -> Result<(StatusCode, Json<Value>), Error> {
    let id = state.accounts.sign_up(Name::parse(name)?, Password::parse(password)?).await?;
    Ok((StatusCode::CREATED, Json(json!({ "id": id }))))
}

pub(super) async fn sign_in(
    Shared(state): Shared<State>,
    JsonBody(Credentials { name, password }): JsonBody<Credentials>,
) -> Result<(StatusCode, Json<Value>), Error> {
    let token = state.accounts.sign_in(&name, Password::attempt(password)).await?;
    Ok((StatusCode::CREATED, Json(json!({ "token": token.reveal() }))))
}

/// Of a session that has ended already too: it is what was asked for.
pub(super) async fn sign_out(Shared(state): Shared<State>, token: BearerToken) -> Result<StatusCode, Error> {
    state.accounts.end_session(token.0).await?;
    Ok(StatusCode::NO_CONTENT)
}
