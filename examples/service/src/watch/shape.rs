//! Stands in for the figures of `offload_runtime` until they are there.

use std::time::Duration;
use offload_runtime::{RunningJob, Site, ThreadPool};
#[derive(Clone, Debug, Default)]
pub(super) struct PoolMetrics { pub(super) sites: Vec<SiteMetrics> }
#[derive(Clone, Debug)]
pub(super) struct SiteMetrics { site: Site }
#[derive(Clone, Debug)]
pub(super) struct Histogram;
macro_rules! zero { ($($n:ident: $t:ty),*) => { $(pub(super) fn $n(&self) -> $t { Default::default() })* } }
impl PoolMetrics {
    zero!(max_threads: usize, queue_capacity: Option<usize>, threads: usize, running: u64, queued: u64, completed: u64, panicked: u64, cancelled: u64, cancelled_before_start: u64, refused: u64);
    pub(super) fn by_site(&self) -> &[SiteMetrics] { &self.sites }
}
impl SiteMetrics {
    zero!(running: u64, queued: u64, completed: u64, panicked: u64, cancelled: u64, refused: u64);
    pub(super) fn site(&self) -> Site { self.site }
    pub(super) fn wait(&self) -> &Histogram { &Histogram }
    pub(super) fn run(&self) -> &Histogram { &Histogram }
}
impl Histogram { zero!(count: u64, max: Option<Duration>); pub(super) fn quantile(&self, _: f64) -> Option<Duration> { None } }
pub(super) trait Shape { fn metrics(&self) -> PoolMetrics; }
impl Shape for ThreadPool { fn metrics(&self) -> PoolMetrics { PoolMetrics { sites: self.running_jobs().iter().map(|j| SiteMetrics { site: j.site() }).collect() } } }
pub(super) trait Gone { fn is_cancelled(&self) -> bool { false } }
impl Gone for RunningJob {}
