//! The figures on their way out, through the `metrics` facade.
//!
//! | Name | Kind | Labels besides `pool` |
//! |---|---|---|
//! | `offload.jobs.submitted`, `.completed`, `.panicked` | counter | `method` |
//! | `offload.jobs.cancelled` | counter | `method`, `when`: `before_start` or `after_start` |
//! | `offload.jobs.refused` | counter | `method`, `reason`: `queue_full`, `shut_down`, `spawn` or `other` |
//! | `offload.jobs.queued`, `.running` | gauge | `method` |
//! | `offload.job.wait`, `.run` | histogram, seconds | `method` |
//! | `offload.pool.threads` | gauge | |
//!
//! A recorder is the user's code: it is called without a lock (C6), and what it panics with is dropped. Handles are made by a site's first
//! event, and bound to the recorder that is installed by then. What a recorder does to a pool is told when it has returned.

use std::cell::RefCell;
use std::sync::OnceLock;

use metrics::{Counter, Gauge, Histogram, Label, SharedString, Unit};

use super::Refusal;
use super::tally::Tally;
use crate::job::{Origin, Ran, contain};
use crate::sync::Arc;

/// Whether tickets tell anybody anything.
pub(crate) const ANNOUNCED: bool = true;

/// What is published of one site.
pub(super) struct Published {
    label: Arc<str>,
    handles: OnceLock<Handles>,
}

struct Handles {
    submitted: Counter,
    completed: Counter,
    panicked: Counter,
    cancelled_before_start: Counter,
    cancelled_after_start: Counter,
    refused: [Counter; Refusal::COUNT],
    queued: Gauge,
    running: Gauge,
    wait: Histogram,
    run: Histogram,
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
        let cancelled = |when| metrics::counter!("offload.jobs.cancelled", with("when", when));
        let refused = |reason| metrics::counter!("offload.jobs.refused", with("reason", reason));
        Self {
            submitted: metrics::counter!("offload.jobs.submitted", base.iter()),
            completed: metrics::counter!("offload.jobs.completed", base.iter()),
            panicked: metrics::counter!("offload.jobs.panicked", base.iter()),
            cancelled_before_start: cancelled("before_start"),
            cancelled_after_start: cancelled("after_start"),
            // In the order of `Refusal`.
            refused: ["queue_full", "shut_down", "spawn", "other"].map(refused),
            queued: metrics::gauge!("offload.jobs.queued", base.iter()),
            running: metrics::gauge!("offload.jobs.running", base.iter()),
            wait: metrics::histogram!("offload.job.wait", base.iter()),
            run: metrics::histogram!("offload.job.run", base.iter()),
        }
    }
}

fn label(name: &'static str, value: impl Into<SharedString>) -> Label {
    Label::new(name, value)
}

/// Tells the recorder what the names mean. Telling it twice changes nothing.
fn describe() {
    metrics::describe_counter!("offload.jobs.submitted", Unit::Count, "jobs submitted, refused ones included");
    metrics::describe_counter!("offload.jobs.completed", Unit::Count, "jobs that returned a value");
    metrics::describe_counter!("offload.jobs.panicked", Unit::Count, "jobs that panicked");
    metrics::describe_counter!("offload.jobs.cancelled", Unit::Count, "jobs that were cancelled");
    metrics::describe_counter!("offload.jobs.refused", Unit::Count, "jobs that were refused");
    metrics::describe_gauge!("offload.jobs.queued", Unit::Count, "jobs that wait");
    metrics::describe_gauge!("offload.jobs.running", Unit::Count, "jobs that run");
    metrics::describe_histogram!("offload.job.wait", Unit::Seconds, "time from being queued to beginning");
    metrics::describe_histogram!("offload.job.run", Unit::Seconds, "time from beginning to end");
    metrics::describe_gauge!("offload.pool.threads", Unit::Count, "threads of the pool");
}

impl Published {
    pub(super) fn new(label: &Arc<str>) -> Self {
        Self { label: Arc::clone(label), handles: OnceLock::new() }
    }

    /// Tells the recorder something, whatever it does.
    fn tell(&self, origin: Origin, what: impl FnOnce(&Handles)) {
        contain(|| what(made(&self.handles, || Handles::new(&self.label, origin))));
    }

    pub(super) fn began(&self, origin: Origin, waited: Option<(u64, u64)>) {
        self.tell(origin, |handles| {
            handles.queued.decrement(1.0);
            handles.running.increment(1.0);
            if let Some((nanoseconds, jobs)) = waited {
                handles.wait.record_many(seconds(nanoseconds), usize::try_from(jobs).unwrap_or(1));
            }
        });
    }

    pub(super) fn ended(&self, origin: Origin, ran: Ran, took: Option<(u64, u64)>) {
        self.tell(origin, |handles| {
            handles.running.decrement(1.0);
            match ran {
                Ran::Completed => handles.completed.increment(1),
                Ran::Panicked => handles.panicked.increment(1),
                Ran::Cancelled => handles.cancelled_after_start.increment(1),
            }
            if let Some((nanoseconds, jobs)) = took {
                handles.run.record_many(seconds(nanoseconds), usize::try_from(jobs).unwrap_or(1));
            }
        });
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact for a hundred days")]
fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

/// What is in `cell`, made if nothing is: by each thread that comes before one is ready. Making it calls the recorder, for which nobody may
/// have to wait.
fn made<T>(cell: &OnceLock<T>, make: impl FnOnce() -> T) -> &T {
    if let Some(handle) = cell.get() {
        return handle;
    }
    let handle = make();
    cell.get_or_init(|| handle)
}

/// What happened to a job that does not run now. `queued`: it was in the queue until then.
pub(super) enum Event {
    Submitted,
    Cancelled { queued: bool },
    Refused { why: Refusal, queued: bool },
}

thread_local! {
    /// What comes while this thread is telling of a ticket.
    static LATER: RefCell<Option<Vec<Ticket>>> = const { RefCell::new(None) };
}

/// An event, to be told once the queue is unlocked.
#[must_use = "it is to be announced, after unlocking"]
pub(crate) struct Ticket {
    tally: Arc<Tally>,
    event: Event,
}

impl Ticket {
    pub(super) fn new(tally: &Arc<Tally>, event: Event) -> Self {
        Self { tally: Arc::clone(tally), event }
    }

    pub(crate) fn announce(self) {
        let mut next = self.begin();
        while let Some(ticket) = next {
            ticket.tell();
            next = LATER.try_with(Self::next).ok().flatten();
        }
    }

    /// `None`: a recorder that this thread is telling of a ticket has submitted a job, or dropped one. It is told of that when it has
    /// returned: one that submits a job where it makes a counter would call itself without end.
    fn begin(self) -> Option<Self> {
        let mut ticket = Some(self);
        // A thread whose locals are gone tells at once.
        let _ = LATER.try_with(|later| match &mut *later.borrow_mut() {
            Some(later) => later.extend(ticket.take()),
            none => *none = Some(Vec::new()),
        });
        ticket
    }

    /// What is left to be told, if anything is.
    fn next(later: &RefCell<Option<Vec<Self>>>) -> Option<Self> {
        let mut later = later.borrow_mut();
        let next = later.as_mut().and_then(Vec::pop);
        if next.is_none() {
            *later = None;
        }
        next
    }

    fn tell(self) {
        let Self { tally, event } = self;
        tally.published.tell(tally.origin(), |handles| {
            let queued = match event {
                Event::Submitted => {
                    handles.submitted.increment(1);
                    handles.queued.increment(1.0);
                    return;
                }
                Event::Cancelled { queued } => {
                    handles.cancelled_before_start.increment(1);
                    queued
                }
                Event::Refused { why, queued } => {
                    handles.refused[why as usize].increment(1);
                    queued
                }
            };
            if queued {
                handles.queued.decrement(1.0);
            } else {
                handles.submitted.increment(1);
            }
        });
    }
}

/// The gauge of a pool's threads.
pub(crate) struct Threads {
    label: Arc<str>,
    gauge: OnceLock<Gauge>,
}

impl Threads {
    pub(crate) fn new(label: &Arc<str>) -> Self {
        Self { label: Arc::clone(label), gauge: OnceLock::new() }
    }

    fn tell(&self, what: impl FnOnce(&Gauge)) {
        contain(|| {
            let labels = [label("pool", Arc::clone(&self.label))];
            what(made(&self.gauge, || metrics::gauge!("offload.pool.threads", labels.iter())));
        });
    }

    pub(crate) fn one_more(&self) {
        self.tell(|gauge| gauge.increment(1.0));
    }

    pub(crate) fn one_less(&self) {
        self.tell(|gauge| gauge.decrement(1.0));
    }
}
