//! What the service shows of its executors while it runs.
//!
//! `reading.rs` what is seen at one moment, and its JSON · `sampler.rs` the one task that looks, twice a second, and keeps two minutes ·
//! `events.rs` `GET /pools/events`, what a page is sent · `page.rs` `GET /pools`, the page and its files · `prometheus.rs` `GET /metrics`.
//!
//! However many pages are open, the executors are looked at by one task, and what is kept is of a fixed size: a page that is opened
//! late gets the two minutes before it, one that can't keep up gets them anew. The page's own protocol is told in `events.rs`.
//! Nobody has to sign in to see all this: on an address that others reach, put the three routes behind what guards the rest.

mod events;
mod page;
mod prometheus;
mod reading;
mod sampler;

use std::sync::Arc;

use axum::Router;
use axum::extract;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use offload_runtime::ThreadPool;

pub(crate) use prometheus::install;

use crate::state::State;
use events::Viewers;
use sampler::Sampler;

/// An executor that is watched.
#[derive(Clone, Debug)]
struct Watched {
    name: &'static str,
    /// What it is for, in a few words.
    purpose: &'static str,
    /// `None` where its jobs run inline: then there is no worker to see and no queue.
    pool: Option<ThreadPool>,
}

/// What the handlers of the three routes share.
#[derive(Clone)]
struct Watch {
    sampler: Arc<Sampler>,
    viewers: Viewers,
    prometheus: PrometheusHandle,
}

/// Begins to look at the executors of `state`, until it is stopping, and returns the routes that show what there is to see.
///
/// To be called inside the runtime that serves.
pub(crate) fn routes<S>(state: &State, prometheus: PrometheusHandle) -> Router<S> {
    let executors =
        state.pools().map(|(name, pool)| Watched { name, purpose: purpose(name), pool: pool.threads().cloned() });
    let sampler = Sampler::start(executors.into(), prometheus.clone(), state.stopping().clone());
    page::routes()
        .route("/pools/events", get(events::stream))
        .route(
            "/metrics",
            get(async |extract::State(watch): extract::State<Watch>| prometheus::scrape(&watch.prometheus)),
        )
        .with_state(Watch { sampler, viewers: Viewers::default(), prometheus })
}

fn purpose(name: &str) -> &'static str {
    match name {
        "db" => "SQLite: accounts, sessions, what is known of pictures",
        "cpu" => "passwords hashed, pictures decoded and scaled",
        "files" => "pictures on disk",
        _ => "",
    }
}
