//! How many requests are being answered, from their head to the last byte of their answer. The stop asks.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State as Shared};
use axum::middleware::Next;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use tokio::sync::watch;

/// The number of requests in hand.
#[derive(Clone, Debug)]
pub(crate) struct InHand(watch::Sender<usize>);

impl InHand {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// How many they are now.
    pub(crate) fn count(&self) -> usize {
        *self.0.borrow()
    }

    /// Resolves when there are at most so many.
    pub(crate) async fn at_most(&self, most: usize) {
        let few = self.0.subscribe().wait_for(|count| *count <= most).await.map(drop);
        few.expect("the sender is here");
    }

    /// Resolves when there is one.
    pub(crate) async fn some(&self) {
        let some = self.0.subscribe().wait_for(|count| *count > 0).await.map(drop);
        some.expect("the sender is here");
    }

    fn enter(&self) -> Entered {
        self.0.send_modify(|count| *count += 1);
        Entered(self.0.clone())
    }
}

/// One request, until it is dropped.
struct Entered(watch::Sender<usize>);

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// Counts a request until its answer is sent, or given up.
pub(super) async fn count(Shared(in_hand): Shared<InHand>, request: Request, next: Next) -> Response {
    let entered = in_hand.enter();
    next.run(request).await.map(|body| Body::new(Counted { body, _entered: entered }))
}

struct Counted {
    body: Body,
    _entered: Entered,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
