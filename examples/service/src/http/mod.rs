//! HTTP: the routes, and what goes around all of them.
//!
//! `accounts.rs` and `pictures.rs` are the handlers, which only await · `session.rs` whose request it is · `json.rs` and `upload.rs` its
//! body · `linger.rs` a body that nobody read · `in_hand.rs` how many requests there are · `error.rs` what an error looks like.

mod accounts;
mod error;
mod in_hand;
mod json;
mod linger;
mod pictures;
mod session;
mod upload;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, header};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;

pub(crate) use self::in_hand::InHand;
use crate::error::Error;
use crate::state::State;

/// The largest body of JSON.
const JSON_BODY: usize = 4 << 10;

/// All routes, `watch` among them. `in_hand` counts the requests.
pub(crate) fn routes(state: State, in_hand: InHand, watch: Router<State>) -> Router {
    Router::new()
        .route("/", get(hello))
        .route("/accounts", post(accounts::sign_up))
        .route("/sessions", post(accounts::sign_in).delete(accounts::sign_out))
        .route("/pictures", get(pictures::list).post(pictures::add))
        .route("/pictures/{id}", get(pictures::original).delete(pictures::remove))
        .route("/pictures/{id}/thumbnail", get(pictures::thumbnail))
        .merge(watch)
        .fallback(async || Error::NotFound)
        .method_not_allowed_fallback(async || Error::WrongMethod)
        .layer(DefaultBodyLimit::max(JSON_BODY))
        .layer(from_fn(linger::read_the_rest))
        .layer(map_response(without_sniffing))
        .layer(CatchPanicLayer::custom(error::of_panic))
        .layer(from_fn_with_state(in_hand, in_hand::count))
        .with_state(state)
}

/// Needs no executor: it answers as long as the async runtime does.
async fn hello() -> &'static str {
    "Pictures. Sign up by POST /accounts, sign in by POST /sessions; then /pictures is yours.\nThe executors: /pools\n"
}

/// What users have uploaded is of the type that the answer says, and of no other that a browser may think of.
async fn without_sniffing(response: Response) -> Response {
    ([(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))], response).into_response()
}
