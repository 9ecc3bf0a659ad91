//! What is left of a request's body when its answer is there already.
//!
//! A server that answers and closes while its client still sends resets the connection, and the client may never see why it was refused.
//! So the rest is read, and thrown away piece by piece, up to a size and a time that no decent client exceeds. A client that asks before it
//! sends (`Expect: 100-continue`) is not asked to send a body that is refused.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use futures_util::StreamExt;
use http_body::{Frame, SizeHint};
use tokio::runtime::Handle;
use tokio::time;

/// How much is thrown away, and for how long.
const MOST: usize = 256 << 20;
const LONGEST: Duration = Duration::from_secs(10);

/// Reads what the handler leaves of the body.
pub(super) async fn read_the_rest(request: Request, next: Next) -> Response {
    let asks = request.headers().contains_key(header::EXPECT);
    next.run(request.map(|body| Body::new(Lingering { body, comes: !asks }))).await
}

struct Lingering {
    body: Body,
    /// Whether the client sends it, asked or not.
    comes: bool,
}

impl HttpBody for Lingering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.comes = true;
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        if self.body.is_end_stream() || !self.comes {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            let body = std::mem::take(&mut self.body);
            runtime.spawn(time::timeout(LONGEST, throw_away(body)));
        }
    }
}

async fn throw_away(body: Body) {
    let mut pieces = body.into_data_stream();
    let mut read = 0;
    while let Some(Ok(piece)) = pieces.next().await {
        read += piece.len();
        if read > MOST {
            return;
        }
    }
}
