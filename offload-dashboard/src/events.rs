//! `GET /pools/events`: what a page is sent, as server-sent events whose data is JSON.
//!
//! | Event | When | Data |
//! |---|---|---|
//! | `history` | first, and again after having fallen behind | `{points, sample}`: two minutes of points, then the newest reading |
//! | `sample` | twice a second | a reading, see `reading.rs` |
//! | `stop` | last, when the service stops | none |
//!
//! A page that goes away frees its place at once; there are so many places, and a 503 beyond, as each is a connection that stays.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Page;
use crate::sampler::{News, Sampler};

/// After how long a page asks again when the connection was lost.
const RETRY: Duration = Duration::from_secs(1);

/// The places for pages.
#[derive(Clone)]
pub(crate) struct Viewers(Arc<Semaphore>);

impl Viewers {
    pub(crate) fn new(n: usize) -> Self {
        Self(Arc::new(Semaphore::new(n.min(Semaphore::MAX_PERMITS))))
    }
}

/// One page's place in the stream.
struct Viewer {
    sampler: Arc<Sampler>,
    /// `None` before the first event.
    news: Option<Receiver<News>>,
    ended: bool,
    _place: OwnedSemaphorePermit,
}

pub(crate) async fn stream(State(page): State<Page>) -> Response {
    let Ok(place) = page.viewers.0.try_acquire_owned() else {
        // Closed, so that pages that are refused do not take up the connections of others.
        let headers = [(header::RETRY_AFTER, "10"), (header::CONNECTION, "close")];
        return (StatusCode::SERVICE_UNAVAILABLE, headers, "as many pages as may watch do so already\n")
            .into_response();
    };
    let viewer = Viewer::new(page.sampler, place);
    let events = stream::unfold(viewer, async |mut viewer: Viewer| {
        let event = viewer.next().await?;
        Some((Ok::<_, Infallible>(event), viewer))
    });
    Sse::new(events).into_response()
}

impl Viewer {
    fn new(sampler: Arc<Sampler>, place: OwnedSemaphorePermit) -> Self {
        Self { sampler, news: None, ended: false, _place: place }
    }

    async fn next(&mut self) -> Option<Event> {
        if self.ended {
            return None;
        }
        let Some(news) = &mut self.news else {
            return Some(self.begin().retry(RETRY));
        };
        match news.recv().await {
            Ok(News::Sample(sample)) => Some(Event::default().event("sample").data(&*sample)),
            Err(RecvError::Lagged(_)) => Some(self.begin()),
            Ok(News::Stop) | Err(RecvError::Closed) => {
                self.ended = true;
                Some(Event::default().event("stop").data("{}"))
            }
        }
    }

    /// From what is kept on.
    fn begin(&mut self) -> Event {
        let (history, news) = self.sampler.subscribe();
        self.news = Some(news);
        Event::default().event("history").data(history)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampler::tests::{keep, with_readings};

    /// The names and the retry, but not the data, of what comes.
    async fn event(viewer: &mut Viewer) -> String {
        let written = format!("{:?}", viewer.next().await.expect("an event"));
        ["history", "sample", "stop"]
            .into_iter()
            .find(|name| written.contains(&format!("event: {name}")))
            .unwrap()
            .to_owned()
    }

    #[tokio::test]
    async fn a_page_that_fell_behind_gets_the_history_anew_and_no_more_than_is_kept() {
        let sampler = Arc::new(with_readings(1));
        let place = Viewers::new(1).0.try_acquire_owned().unwrap();
        let mut viewer = Viewer::new(Arc::clone(&sampler), place);
        assert_eq!(event(&mut viewer).await, "history");
        keep(&sampler, 1..2);
        assert_eq!(event(&mut viewer).await, "sample");
        keep(&sampler, 2..1000);
        assert_eq!(event(&mut viewer).await, "history");
        // It is up to date with that: the next is what is new.
        keep(&sampler, 1000..1001);
        assert_eq!(event(&mut viewer).await, "sample");
    }
}
