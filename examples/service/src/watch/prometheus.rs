//! `GET /metrics`: what `offload-runtime`'s feature `metrics` and the upkeep publish, as Prometheus text.
//!
//! The recorder behind the `metrics` facade is one per process, and has to be there before the first pool: a pool that is made
//! earlier publishes nothing. So [`install`] comes first in `serve`, and a second service in the same process shares the first one's.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::header;
use axum::response::IntoResponse;
use metrics::Unit;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::time::{Instant, sleep_until};

use crate::state::State;

const EVERY: Duration = Duration::from_millis(500);

/// Upper bounds, in seconds, for the time that a job waits and runs: from a lookup in SQLite to a queue's whole length of password
/// hashes, each two or two and a half times the one before. Buckets rather than quantiles, as those of several processes can be added.
const SECONDS: [f64; 19] = [
    0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
    0.5, 1.0, 2.5, 5.0, 10.0,
];

/// Makes Prometheus the recorder of this process, once, and returns the handle that renders it.
///
/// # Errors
/// If the process has another recorder already.
pub(crate) fn install() -> Result<PrometheusHandle, BuildError> {
    static INSTALLED: Mutex<Option<PrometheusHandle>> = Mutex::new(None);
    let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*installed {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Prefix("offload.job.".to_owned()), &SECONDS)?
        .install_recorder()?;
    *installed = Some(handle.clone());
    Ok(handle)
}

pub(super) fn scrape(prometheus: &PrometheusHandle, state: &State) -> impl IntoResponse + use<> {
    for (_, pool) in state.pools() {
        if let Some(pool) = pool.threads() {
            pool.publish_gauges();
        }
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], prometheus.render())
}

/// Moves what was recorded into the histograms, which would otherwise grow until the next scrape; and publishes by how much the runtime's timer was
/// late. Until the service stops.
pub(super) async fn upkeep(state: State, prometheus: PrometheusHandle) {
    metrics::describe_gauge!("service.runtime.late", Unit::Seconds, "by how much the runtime's timer was late");
    let late = metrics::gauge!("service.runtime.late");
    late.set(0.0);
    let run = async {
        loop {
            let due = Instant::now() + EVERY;
            sleep_until(due).await;
            late.set(Instant::now() - due);
            prometheus.run_upkeep();
        }
    };
    state.stopping().run_until_cancelled(run).await;
}
