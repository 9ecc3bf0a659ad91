//! What the service shows of its executors while it runs: `/pools`, the page of the crate `offload-dashboard`, and `/metrics`.
//!
//! Viewers do not log in: on an address that others reach, put these routes behind what guards the rest.

mod prometheus;

use axum::Router;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use offload_dashboard::Dashboard;

pub(crate) use prometheus::install;

use crate::state::State;

/// Begins to read the executors of `state`, until it is stopping, and returns the routes that show what there is to see.
///
/// To be called inside the runtime that serves.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(state: &State, prometheus: PrometheusHandle) -> Router<S> {
    tokio::spawn(prometheus::upkeep(state.clone(), prometheus.clone()));
    let stopping = state.stopping().clone();
    let dashboard = state.pools().into_iter().fold(Dashboard::new(), |dashboard, (name, pool)| {
        let dashboard = match pool.threads() {
            Some(threads) => dashboard.pool(name, threads),
            None => dashboard.inline(name),
        };
        dashboard.purpose(purpose(name))
    });
    let (of_scrape, scraped) = (prometheus, state.clone());
    dashboard
        .metrics_at("/metrics")
        .until(async move { stopping.cancelled().await })
        .router()
        .route("/metrics", get(async move || prometheus::scrape(&of_scrape, &scraped)))
}

fn purpose(name: &str) -> &'static str {
    match name {
        "db" => "SQLite: accounts, sessions, what is known of pictures",
        "cpu" => "passwords hashed, pictures decoded and scaled",
        "files" => "pictures on disk",
        _ => "",
    }
}
