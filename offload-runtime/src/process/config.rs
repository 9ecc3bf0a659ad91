//! What can be chosen about a pool of processes.

use std::ffi::OsString;
use std::num::NonZero;
use std::path::PathBuf;
use std::thread::available_parallelism;
use std::time::Duration;

use crate::sync::Arc;

/// What happens to the worker when the handle of its call is dropped or cancelled.
///
/// # Examples
/// ```
/// use offload_runtime::process::{OnDrop, ProcessPool};
///
/// let builder = ProcessPool::builder().on_drop(OnDrop::Signal);
/// # drop(builder);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnDrop {
    /// The worker is killed.
    #[default]
    Kill,
    /// [`is_cancelled`](crate::is_cancelled) turns true in the body and [`on_cancel`](crate::on_cancel) hooks run there. A body that has not
    /// ended after the [`grace`](super::ProcessPoolBuilder::grace) time is killed.
    Signal,
    /// The body goes on, and its result is dropped.
    Finish,
}

/// What was chosen.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) name: Arc<str>,
    pub(super) publish_metrics: bool,
    pub(super) max_workers: usize,
    pub(super) min_workers: usize,
    pub(super) keep_alive: Duration,
    pub(super) queue_capacity: usize,
    pub(super) time_limit: Option<Duration>,
    pub(super) memory_limit: Option<u64>,
    pub(super) calls_per_worker: Option<u64>,
    pub(super) start_timeout: Duration,
    pub(super) grace: Duration,
    pub(super) payload_limit: u64,
    pub(super) on_drop: OnDrop,
    pub(super) on_start: Option<&'static str>,
    pub(super) program: PathBuf,
    /// The program is the one that is running.
    pub(super) own_program: bool,
    pub(super) env: Vec<(OsString, OsString)>,
    pub(super) current_dir: Option<PathBuf>,
}

impl Config {
    /// The name under which metrics are published, if they are.
    pub(super) fn label(&self) -> Option<&Arc<str>> {
        self.publish_metrics.then_some(&self.name)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: "offload-process".into(),
            publish_metrics: true,
            max_workers: available_parallelism().map_or(1, NonZero::get),
            min_workers: 0,
            keep_alive: Duration::from_secs(60),
            queue_capacity: usize::MAX,
            time_limit: None,
            memory_limit: None,
            calls_per_worker: None,
            start_timeout: Duration::from_secs(10),
            grace: Duration::from_secs(5),
            payload_limit: 128 << 20,
            on_drop: OnDrop::Kill,
            on_start: None,
            program: PathBuf::new(),
            own_program: true,
            env: Vec::new(),
            current_dir: None,
        }
    }
}
