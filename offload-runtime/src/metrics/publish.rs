//! The figures on their way out, through the `metrics` facade.
//!
//! | Name | Kind | Labels besides `pool` |
//! |---|---|---|
//! | `offload.jobs.submitted`, `.panicked`, `.abandoned` | counter | `method` |
//! | `offload.jobs.completed` | counter | `method`, `outcome`: `ok` or `err` |
//! | `offload.jobs.cancelled` | counter | `method`, `when`: `before_start` or `after_start` |
//! | `offload.jobs.refused` | counter | `method`, `reason`: `queue_full`, `shut_down`, `spawn`, `state` or `other` |
//! | `offload.jobs.queued`, `.running` | gauge | `method` |
//! | `offload.job.wait`, `.run`, `.abandoned_run` | histogram, seconds | `method` |
//! | `offload.streams.items` | counter | `method` |
//! | `offload.states.opened`, `.failed` | counter | |
//! | `offload.states.open` | gauge | |
//!
//! The gauges of a pool are in `gauges.rs`.
//!
//! A recorder is user code: it is called without a lock, and its panics are discarded. Handles are made by the first job of a site, where
//! it is submitted, of the recorder that is current there. What a recorder itself submits is published when it has returned.

use std::cell::RefCell;
use std::sync::OnceLock;

use metrics::{Counter, Gauge, Histogram, Label, NoopRecorder, Recorder, SharedString, Unit};

use super::Refusal;
use super::tally::Tally;
use crate::job::{End, Origin, Outcome};
use crate::sync::{Arc, LooseFlag};
use crate::unwind::contain;

/// The recorder's handles for one site.
pub(super) struct Published {
    /// `None`: the executor declines to publish.
    label: Option<Arc<str>>,
    origin: Origin,
    /// `None`: nothing is published. The executor declines, or the first job of the site found no recorder.
    handles: OnceLock<Option<Box<Handles>>>,
    /// Whether `handles` is known to be `None`: what each job looks at.
    is_off: LooseFlag,
}

struct Handles {
    submitted: Counter,
    completed: Counter,
    failed: Counter,
    panicked: Counter,
    cancelled_before_start: Counter,
    cancelled_after_start: Counter,
    refused: [Counter; Refusal::COUNT],
    queued: Gauge,
    running: Gauge,
    wait: Histogram,
    run: Histogram,
    abandoned: Counter,
    abandoned_run: Histogram,
    /// Made by the first item: most sites have none.
    items: OnceLock<Counter>,
    labels: [Label; 2],
}

impl Handles {
    fn new(pool: &Arc<str>, origin: Origin) -> Self {
        describe();
        let site = origin.site();
        let method = match site.module_path() {
            Some(module) => format!("{module}::{site}"),
            None => site.to_string(),
        };
        let base = [label("pool", Arc::clone(pool)), label("method", method)];
        let with = |name, value: &'static str| base.iter().cloned().chain([label(name, value)]).collect::<Vec<_>>();
        let completed = |outcome| metrics::counter!("offload.jobs.completed", with("outcome", outcome));
        let cancelled = |when| metrics::counter!("offload.jobs.cancelled", with("when", when));
        let refused = |reason| metrics::counter!("offload.jobs.refused", with("reason", reason));
        Self {
            submitted: metrics::counter!("offload.jobs.submitted", base.iter()),
            completed: completed("ok"),
            failed: completed("err"),
            panicked: metrics::counter!("offload.jobs.panicked", base.iter()),
            cancelled_before_start: cancelled("before_start"),
            cancelled_after_start: cancelled("after_start"),
            // In the order of `Refusal`.
            refused: ["queue_full", "shut_down", "spawn", "other", "state"].map(refused),
            queued: metrics::gauge!("offload.jobs.queued", base.iter()),
            running: metrics::gauge!("offload.jobs.running", base.iter()),
            wait: metrics::histogram!("offload.job.wait", base.iter()),
            run: metrics::histogram!("offload.job.run", base.iter()),
            abandoned: metrics::counter!("offload.jobs.abandoned", base.iter()),
            abandoned_run: metrics::histogram!("offload.job.abandoned_run", base.iter()),
            items: OnceLock::new(),
            labels: base,
        }
    }

    fn items(&self) -> &Counter {
        made(&self.items, || metrics::counter!("offload.streams.items", self.labels.iter()))
    }
}

fn label(name: &'static str, value: impl Into<SharedString>) -> Label {
    Label::new(name, value)
}

/// Describes the names to the recorder. A second time changes nothing.
fn describe() {
    metrics::describe_counter!("offload.jobs.submitted", Unit::Count, "jobs submitted, refused ones included");
    metrics::describe_counter!("offload.jobs.completed", Unit::Count, "jobs that returned a value");
    metrics::describe_counter!("offload.jobs.abandoned", Unit::Count, "jobs that ended after their caller had left");
    metrics::describe_counter!("offload.jobs.panicked", Unit::Count, "jobs that panicked");
    metrics::describe_counter!("offload.jobs.cancelled", Unit::Count, "jobs that were cancelled");
    metrics::describe_counter!("offload.jobs.refused", Unit::Count, "jobs that were refused");
    metrics::describe_gauge!("offload.jobs.queued", Unit::Count, "jobs that wait");
    metrics::describe_gauge!("offload.jobs.running", Unit::Count, "jobs that run");
    metrics::describe_histogram!("offload.job.wait", Unit::Seconds, "time from being queued to beginning");
    metrics::describe_histogram!("offload.job.run", Unit::Seconds, "time from beginning to end");
    metrics::describe_histogram!("offload.job.abandoned_run", Unit::Seconds, "run time of abandoned jobs");
    metrics::describe_counter!("offload.streams.items", Unit::Count, "items that streams handed over");
    metrics::describe_counter!("offload.states.opened", Unit::Count, "states that were opened");
    metrics::describe_counter!("offload.states.failed", Unit::Count, "states that could not be opened");
    metrics::describe_gauge!("offload.states.open", Unit::Count, "states that there are");
}

impl Published {
    pub(super) fn new(label: Option<&Arc<str>>, origin: Origin) -> Self {
        let is_off = LooseFlag::new(label.is_none());
        Self { label: label.cloned(), origin, handles: OnceLock::new(), is_off }
    }

    /// Whether it is known that nothing is published.
    #[inline]
    fn is_off(&self) -> bool {
        self.is_off.get()
    }

    /// Calls the recorder, whatever it does.
    fn publish(&self, what: impl FnOnce(&Handles)) {
        let make = || {
            let label = self.label.as_ref().filter(|_| !has_no_recorder())?;
            Some(Box::new(Handles::new(label, self.origin)))
        };
        contain(|| match made(&self.handles, make) {
            Some(handles) => what(handles),
            None => self.is_off.set(true),
        });
    }

    #[inline]
    pub(super) fn started(&self, waited: Option<(u64, u64)>) {
        if !self.is_off() {
            self.publish_start(waited);
        }
    }

    #[inline]
    pub(super) fn ended(&self, end: End<'_>, took: Option<(u64, u64)>) {
        if !self.is_off() {
            self.publish_end(end, took);
        }
    }

    fn publish_start(&self, waited: Option<(u64, u64)>) {
        self.publish(|handles| {
            handles.queued.decrement(1.0);
            handles.running.increment(1.0);
            if let Some((nanoseconds, jobs)) = waited {
                handles.wait.record_many(seconds(nanoseconds), usize::try_from(jobs).unwrap_or(1));
            }
        });
    }

    fn publish_end(&self, end: End<'_>, took: Option<(u64, u64)>) {
        self.publish(|handles| {
            handles.running.decrement(1.0);
            match end.outcome {
                Outcome::Completed => handles.completed.increment(1),
                Outcome::Failed => handles.failed.increment(1),
                Outcome::Panicked => handles.panicked.increment(1),
                Outcome::Cancelled => handles.cancelled_after_start.increment(1),
                Outcome::Refused => handles.refused[Refusal::State as usize].increment(1),
            }
            if let Some((nanoseconds, jobs)) = took {
                handles.run.record_many(seconds(nanoseconds), usize::try_from(jobs).unwrap_or(1));
                if end.is_abandoned {
                    handles.abandoned_run.record_many(seconds(nanoseconds), usize::try_from(jobs).unwrap_or(1));
                }
            }
            if end.is_abandoned {
                handles.abandoned.increment(1);
            }
        });
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact for a hundred days")]
fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

/// Whether there is no recorder: the one that the facade then gives is a [`NoopRecorder`].
///
/// Compared by its vtable. Another recorder with the same vtable does the same: nothing. Where one type has two vtables, which the compiler may
/// do, a missing recorder is called: that costs time, and changes nothing.
pub(super) fn has_no_recorder() -> bool {
    metrics::with_recorder(|recorder| {
        let recorder: *const dyn Recorder = recorder;
        let noop: *const dyn Recorder = recorder.cast::<NoopRecorder>();
        #[expect(ambiguous_wide_pointer_comparisons, reason = "explained above")]
        let is_noop = recorder == noop;
        is_noop
    })
}

/// The value of `cell`. Each thread that comes before one is ready makes one. Making it calls the recorder, for which
/// no other thread may have to wait.
fn made<T>(cell: &OnceLock<T>, make: impl FnOnce() -> T) -> &T {
    if let Some(handle) = cell.get() {
        return handle;
    }
    let handle = make();
    cell.get_or_init(|| handle)
}

/// An event of a job that does not run now, or of a stream's consumer.
#[derive(Clone, Copy)]
pub(super) enum Event {
    Submitted,
    Cancelled,
    Refused(Refusal),
    Items(u64),
}

/// Events to be published, the next one last.
type Later = Vec<(Arc<Tally>, Event)>;

thread_local! {
    /// What comes while this thread publishes an event.
    static LATER: RefCell<Option<Later>> = const { RefCell::new(None) };
}

impl Event {
    /// Publishes the event, unless it is known that there is no recorder.
    #[inline]
    pub(super) fn publish(self, tally: &Arc<Tally>) {
        if !tally.published.is_off() {
            self.publish_in_turn(tally);
        }
    }

    /// Publishes the event, and all events that come meanwhile. A recorder that submits a job where it makes a counter would otherwise call itself
    /// without end.
    fn publish_in_turn(self, tally: &Arc<Tally>) {
        let is_inside = LATER.try_with(|later| {
            let mut later = later.borrow_mut();
            let is_inside = later.is_some();
            later.get_or_insert_default().extend(is_inside.then(|| (Arc::clone(tally), self)));
            is_inside
        });
        if is_inside == Ok(true) {
            return;
        }
        self.publish_now(tally);
        while let Some((tally, event)) = LATER.try_with(Self::next).ok().flatten() {
            event.publish_now(&tally);
        }
    }

    fn next(later: &RefCell<Option<Later>>) -> Option<(Arc<Tally>, Self)> {
        let mut later = later.borrow_mut();
        let next = later.as_mut().and_then(Vec::pop);
        if next.is_none() {
            *later = None;
        }
        next
    }

    fn publish_now(self, tally: &Tally) {
        tally.published.publish(|handles| {
            match self {
                Self::Submitted => {
                    handles.submitted.increment(1);
                    return handles.queued.increment(1.0);
                }
                Self::Items(count) => return handles.items().increment(count),
                Self::Cancelled => handles.cancelled_before_start.increment(1),
                Self::Refused(why) => handles.refused[why as usize].increment(1),
            }
            handles.queued.decrement(1.0);
        });
    }
}

/// The figures of a pool's states.
pub(super) struct PublishedStates {
    /// `None`: the pool declines to publish.
    label: Option<Arc<str>>,
    handles: OnceLock<StateHandles>,
}

struct StateHandles {
    opened: Counter,
    failed: Counter,
    open: Gauge,
}

impl PublishedStates {
    pub(super) fn new(label: Option<&Arc<str>>) -> Self {
        Self { label: label.cloned(), handles: OnceLock::new() }
    }

    fn publish(&self, what: impl FnOnce(&StateHandles)) {
        let Some(pool) = &self.label else { return };
        contain(|| {
            let make = || {
                describe();
                let labels = [label("pool", Arc::clone(pool))];
                StateHandles {
                    opened: metrics::counter!("offload.states.opened", labels.iter()),
                    failed: metrics::counter!("offload.states.failed", labels.iter()),
                    open: metrics::gauge!("offload.states.open", labels.iter()),
                }
            };
            what(made(&self.handles, make));
        });
    }

    pub(super) fn opened(&self) {
        self.publish(|handles| {
            handles.opened.increment(1);
            handles.open.increment(1.0);
        });
    }

    pub(super) fn dropped(&self) {
        self.publish(|handles| handles.open.decrement(1.0));
    }

    pub(super) fn failed(&self) {
        self.publish(|handles| handles.failed.increment(1));
    }
}
