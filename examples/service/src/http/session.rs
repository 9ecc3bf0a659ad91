//! Whose request it is, by its `Authorization: Bearer` header.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use crate::accounts::{AccountId, Token};
use crate::error::Error;
use crate::state::State;

/// The token that a request bears, whether or not it is one of a session.
pub(super) struct BearerToken(pub(super) Token);

impl<S: Send + Sync> FromRequestParts<S> for BearerToken {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let value = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let (scheme, token) = value.and_then(|value| value.split_once(' ')).ok_or(Error::SignedOut)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Error::SignedOut);
        }
        Token::parse(token.trim()).map(Self).ok_or(Error::SignedOut)
    }
}

/// The account that is signed in.
pub(super) struct SignedIn(pub(super) AccountId);

impl FromRequestParts<State> for SignedIn {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Error> {
        let BearerToken(token) = BearerToken::from_request_parts(parts, state).await?;
        Ok(Self(state.accounts.find_session(token).await?))
    }
}
