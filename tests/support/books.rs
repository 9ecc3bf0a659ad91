//! The books that a pool keeps of itself.

use offload_runtime::{PoolMetrics, SiteMetrics};

/// Checks that each job is in them once.
///
/// # Panics
/// If one is missing, or in them twice.
#[track_caller]
pub fn assert_balanced(metrics: &PoolMetrics) {
    let accounted = metrics.queued()
        + metrics.running()
        + metrics.completed()
        + metrics.panicked()
        + metrics.cancelled()
        + metrics.refused();
    assert_eq!(metrics.submitted(), accounted, "{metrics:?}");
    let of_sites: u64 = metrics.by_site().iter().map(SiteMetrics::submitted).sum();
    assert_eq!(of_sites, metrics.submitted(), "{metrics:?}");
}
