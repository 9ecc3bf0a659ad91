//! The gauges of pools and views, through the `metrics` facade.
//!
//! They are there from the pool's making on, or, where no recorder is installed by then, from its first thread on. The number of threads is
//! published as it changes. The others change without an event, or with every job: [`Gauges::refresh`] sets them.
//!
//! A view may be made for each request, so that its making publishes nothing: [`publish_view`] does, where it is asked to.

use std::sync::OnceLock;
use std::time::Duration;

use metrics::{Gauge, Label, Unit};

use super::publish::has_no_recorder;
use super::{LimitedMetrics, PoolMetrics};
use crate::sync::Arc;
use crate::unwind::contain;

/// The gauges of one pool.
pub(crate) struct Gauges {
    /// `None`: the pool declines to publish.
    label: Option<Arc<str>>,
    max_threads: usize,
    queue_capacity: Option<usize>,
    handles: OnceLock<Handles>,
}

struct Handles {
    max_threads: Gauge,
    threads: Gauge,
    idle: Gauge,
    peak_threads: Gauge,
    peak_running: Gauge,
    peak_queued: Gauge,
    oldest_wait: Gauge,
}

impl Gauges {
    pub(crate) fn new(label: Option<&Arc<str>>, max_threads: usize, queue_capacity: Option<usize>) -> Self {
        let gauges = Self { label: label.cloned(), max_threads, queue_capacity, handles: OnceLock::new() };
        gauges.publish(|_| ());
        gauges
    }

    pub(crate) fn one_more(&self) {
        self.publish(|handles| handles.threads.increment(1.0));
    }

    pub(crate) fn one_less(&self) {
        self.publish(|handles| handles.threads.decrement(1.0));
    }

    /// Sets the gauges that nothing else keeps up to date.
    pub(crate) fn refresh(&self, now: &PoolMetrics) {
        self.publish(|handles| {
            handles.max_threads.set(number(now.max_threads));
            handles.idle.set(number(now.idle));
            handles.peak_threads.set(number(now.peak_threads));
            handles.peak_running.set(number(now.peak_running));
            handles.peak_queued.set(number(now.peak_queued));
            handles.oldest_wait.set(seconds(now.oldest_wait));
        });
    }

    /// Calls the recorder, if there is one, whatever it does. Without a lock: two threads may both make the handles, and one pair is kept.
    fn publish(&self, what: impl FnOnce(&Handles)) {
        let Some(label) = &self.label else { return };
        contain(|| match self.handles.get() {
            Some(handles) => what(handles),
            None if has_no_recorder() => {}
            None => {
                let made = self.make(label);
                what(self.handles.get_or_init(|| made));
            }
        });
    }

    fn make(&self, label: &Arc<str>) -> Handles {
        let labels = [Label::new("pool", Arc::clone(label))];
        describe();
        let max_threads = metrics::gauge!("offload.pool.max_threads", labels.iter());
        max_threads.set(number(self.max_threads));
        if let Some(capacity) = self.queue_capacity {
            metrics::gauge!("offload.pool.queue_capacity", labels.iter()).set(number(capacity));
        }
        // An exporter shows what has a value.
        let zero = |gauge: Gauge| {
            gauge.increment(0.0);
            gauge
        };
        Handles {
            max_threads,
            threads: zero(metrics::gauge!("offload.pool.threads", labels.iter())),
            idle: zero(metrics::gauge!("offload.pool.idle", labels.iter())),
            peak_threads: zero(metrics::gauge!("offload.pool.peak_threads", labels.iter())),
            peak_running: zero(metrics::gauge!("offload.pool.peak_running", labels.iter())),
            peak_queued: zero(metrics::gauge!("offload.pool.peak_queued", labels.iter())),
            oldest_wait: zero(metrics::gauge!("offload.pool.oldest_wait", labels.iter())),
        }
    }
}

/// Sets the gauges of the view that is published as `label`.
pub(crate) fn publish_view(label: &Arc<str>, queue_capacity: Option<usize>, now: &LimitedMetrics) {
    contain(|| {
        let labels = [Label::new("pool", Arc::clone(label))];
        describe();
        metrics::gauge!("offload.pool.limit", labels.iter()).set(number(now.limit));
        if let Some(capacity) = queue_capacity {
            metrics::gauge!("offload.pool.queue_capacity", labels.iter()).set(number(capacity));
        }
        metrics::gauge!("offload.pool.peak_queued", labels.iter()).set(number(now.peak_queued));
        metrics::gauge!("offload.pool.oldest_wait", labels.iter()).set(seconds(now.oldest_wait));
    });
}

/// Describes the names to the recorder. A second time changes nothing.
fn describe() {
    metrics::describe_gauge!("offload.pool.threads", Unit::Count, "threads of the pool");
    metrics::describe_gauge!("offload.pool.max_threads", Unit::Count, "threads that the pool may have");
    metrics::describe_gauge!("offload.pool.limit", Unit::Count, "jobs of the view that may run at once");
    metrics::describe_gauge!("offload.pool.queue_capacity", Unit::Count, "jobs that may wait, if that is bounded");
    metrics::describe_gauge!("offload.pool.idle", Unit::Count, "threads without a job");
    metrics::describe_gauge!("offload.pool.peak_threads", Unit::Count, "most threads at once");
    metrics::describe_gauge!("offload.pool.peak_running", Unit::Count, "most threads that ran jobs at once");
    metrics::describe_gauge!("offload.pool.peak_queued", Unit::Count, "most jobs that waited at once");
    metrics::describe_gauge!("offload.pool.oldest_wait", Unit::Seconds, "how long the oldest waiting job has waited");
}

/// Nothing waits: no time.
fn seconds(oldest_wait: Option<Duration>) -> f64 {
    oldest_wait.unwrap_or(Duration::ZERO).as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "fewer than 2^52 threads and jobs")]
fn number(count: usize) -> f64 {
    count as f64
}
