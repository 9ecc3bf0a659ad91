//! HTTP: the routes, and what goes around all of them.
//!
//! `accounts.rs` and `pictures.rs` are the handlers, which only await. `session.rs` finds the account of a request. `json.rs` and `upload.rs`
//! read its body. `connections.rs` limits the connections, `linger.rs` drains an unread body, and `in_hand.rs` counts the requests.
//! `error.rs` says what an error looks like.

mod accounts;
mod connections;
mod error;
mod health;
mod in_hand;
mod json;
mod linger;
mod pictures;
mod session;
mod upload;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;

pub(crate) use self::connections::accept;
pub(crate) use self::in_hand::InHand;
use crate::error::Error;
use crate::state::State;

/// The largest body of JSON.
const JSON_BODY: usize = 4 << 10;

/// What is answered on the connections that are kept.
const FOR_OPERATORS: [&str; 3] = ["/metrics", "/healthz", "/readyz"];

/// All routes, `watch` among them. `in_hand` counts the requests.
pub(crate) fn routes(state: State, in_hand: InHand, watch: Router<State>) -> Router {
    let routes = Router::new()
        .route("/", get(hello))
        .route("/accounts", post(accounts::sign_up))
        .route("/sessions", post(accounts::sign_in).delete(accounts::sign_out))
        .route("/pictures", get(pictures::list).post(pictures::add))
        .route("/pictures/{id}", get(pictures::original).delete(pictures::remove))
        .route("/pictures/{id}/thumbnail", get(pictures::thumbnail))
        .route("/healthz", get(health::is_alive))
        .route("/readyz", get(health::is_ready))
        .merge(watch);
    surround(routes, in_hand).with_state(state)
}

/// What goes around all routes, the innermost first.
fn surround<S: Clone + Send + Sync + 'static>(routes: Router<S>, in_hand: InHand) -> Router<S> {
    routes
        .fallback(async || Error::NotFound)
        .method_not_allowed_fallback(async || Error::WrongMethod)
        .layer(DefaultBodyLimit::max(JSON_BODY))
        .layer(from_fn(keep_for_operators))
        .layer(from_fn(linger::read_the_rest))
        .layer(map_response(without_sniffing))
        .layer(CatchPanicLayer::custom(error::of_panic))
        .layer(from_fn_with_state(in_hand, in_hand::count))
}

/// Refuses what is not for operators on a connection that is kept for them.
async fn keep_for_operators(request: Request, next: Next) -> Response {
    let is_kept = request.extensions().get::<connections::Kept>().is_some();
    if is_kept && !FOR_OPERATORS.contains(&request.uri().path()) {
        return Error::TooManyConnections.into_response();
    }
    next.run(request).await
}

/// Needs no executor: it answers as long as the async runtime does.
async fn hello() -> &'static str {
    "Pictures. Sign up by POST /accounts, sign in by POST /sessions; then /pictures is yours.\nThe executors: /pools\n"
}

/// What users have uploaded is of the type that the answer says, and of no other that a browser may think of.
async fn without_sniffing(response: Response) -> Response {
    ([(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))], response).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::StatusCode;
    use offload_runtime::{ThreadPool, blocking};
    use tower::ServiceExt;

    use super::*;

    #[blocking(executor = pool)]
    fn decode_badly(pool: &ThreadPool) -> Result<(), Error> {
        panic!("a bug of a decoder")
    }

    /// The panic resumes in the handler that awaits the job. The request is answered and no longer counted.
    #[tokio::test]
    async fn a_panic_in_a_job_is_an_answer_like_any_other() {
        let pool = ThreadPool::new(1);
        let in_hand = InHand::new();
        let routes = Router::new().route("/", get(async move || decode_badly(&pool).await));
        let request = Request::new(Body::empty());
        let answer = surround(routes, in_hand.clone()).oneshot(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(in_hand.count(), 1, "it is not sent yet");
        let body = axum::body::to_bytes(answer.into_body(), 1000).await.unwrap();
        assert_eq!(&body[..], br#"{"error":"something went wrong here"}"#);
        assert_eq!(in_hand.count(), 0);
    }
}
