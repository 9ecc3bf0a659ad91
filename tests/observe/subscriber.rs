//! C11: the subscriber of the caller goes with the job, whether it is the process's, the thread's or that of a future; and nothing that a
//! subscriber or another context does in the end replaces a result.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use observe::{Record, request};
use offload_runtime::{Error, Executor, ExecutorExt, Inline, ThreadPool, check_cancelled};
use tests::support::{Gate, Keeping, Occupied, finish, silence, tokio_runtime};
use tracing::instrument::WithSubscriber;
use tracing::span::{Attributes, Id, Record as Values};
use tracing::{Dispatch, Event, Metadata, Subscriber, info, info_span};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::Registry;

/// A subscriber of its own, with what it is told.
fn subscriber() -> (Dispatch, Record) {
    let record = Record::default();
    (Dispatch::new(Registry::default().with(record.clone())), record)
}

/// Executors whose jobs run on another thread, and the one whose jobs do not.
fn executors(runtime: &tokio::runtime::Runtime) -> [(&'static str, Box<dyn Executor>); 5] {
    let pool = ThreadPool::new(1);
    [
        ("on_a_view", Box::new(pool.clone().limited(1))),
        ("on_a_view_of_a_view", Box::new(pool.clone().limited(1).limited(1))),
        ("on_a_pool", Box::new(pool)),
        ("inline", Box::new(Inline)),
        ("on_tokio", Box::new(runtime.handle().clone())),
    ]
}

#[test]
fn c11_the_subscriber_of_the_callers_thread_hears_the_body() {
    let runtime = tokio_runtime(1);
    for (name, executor) in executors(&runtime) {
        let (dispatch, record) = subscriber();
        let handle = {
            let _default = tracing::dispatcher::set_default(&dispatch);
            request(name).in_scope(|| {
                executor.submit(|| {
                    info!("in the body");
                    info_span!("inner").in_scope(|| info!("in a span of the body"));
                })
            })
        };
        finish(handle).unwrap();
        assert_eq!(record.event(name, "in the body").path(), ["request", "job"], "{name}");
        assert_eq!(record.event(name, "in a span of the body").path(), ["request", "job", "inner"], "{name}");
        assert_eq!(record.jobs(name).len(), 1, "{name}: the job's span has closed");
    }
}

#[test]
fn c11_the_subscriber_of_the_callers_future_hears_the_body() {
    let runtime = tokio_runtime(1);
    for (name, executor) in executors(&runtime) {
        let (dispatch, record) = subscriber();
        let task = async move { executor.submit(|| info!("in the body")).await };
        finish(task.with_subscriber(dispatch)).unwrap();
        let said: Vec<_> = record.entries().into_iter().map(|entry| entry.says).collect();
        assert!(said.iter().any(|says| says == "in the body"), "{name}: {said:?}");
        assert!(said.iter().any(|says| says == "job"), "{name}: {said:?}");
    }
}

/// Two callers with a subscriber each, and one without, on the same thread: each job is heard by its own.
#[test]
fn c11_each_job_is_heard_by_its_callers_subscriber_alone() {
    let pool = ThreadPool::new(1);
    let callers = [subscriber(), subscriber()];
    let mut handles = Vec::new();
    for round in 0..50 {
        for (caller, (dispatch, _)) in callers.iter().enumerate() {
            let _default = tracing::dispatcher::set_default(dispatch);
            handles.push(pool.submit(move || info!("caller {caller}, {round}")));
        }
        handles.push(pool.submit(|| info!("of no caller")));
    }
    for handle in handles {
        finish(handle).unwrap();
    }
    finish(pool.shutdown());
    for (caller, (_, record)) in callers.iter().enumerate() {
        let said: Vec<_> = record.entries().into_iter().map(|entry| entry.says).filter(|says| says != "job").collect();
        let expected: Vec<_> = (0..50).map(|round| format!("caller {caller}, {round}")).collect();
        let said: Vec<_> = said.into_iter().filter(|says| says != "runtime.spawn").collect();
        assert_eq!(said, expected);
    }
}

/// What becomes of a job that does not run is told to the caller's subscriber, too, and its spans are closed there.
#[test]
fn c11_a_job_that_does_not_run_is_reported_to_its_callers_subscriber() {
    let pool = ThreadPool::builder().max_threads(1).queue_capacity(1).build();
    let occupied = Occupied::new(&pool, 1);
    let (dispatch, record) = subscriber();
    let submit = |name: &str| {
        let _default = tracing::dispatcher::set_default(&dispatch);
        request(name).in_scope(|| pool.submit(|| ()))
    };
    let queued = submit("cancelled");
    drop(submit("full"));
    drop(queued);
    occupied.release();
    assert_eq!(record.event("cancelled", "job cancelled before it began").path(), ["request", "job"]);
    assert_eq!(record.event("full", "job refused").path(), ["request", "job"]);
    assert_eq!((record.jobs("cancelled").len(), record.jobs("full").len()), (1, 1));
    // By an executor that is dropped, on a thread without a subscriber.
    let keeping = Keeping::default();
    let handle = {
        let _default = tracing::dispatcher::set_default(&dispatch);
        request("lost").in_scope(|| keeping.submit(|| ()))
    };
    std::thread::spawn(move || drop(keeping)).join().unwrap();
    assert!(matches!(finish(handle), Err(Error::Lost)));
    assert_eq!(record.event("lost", "job refused").path(), ["request", "job"]);
}

/// Where a subscriber panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Where {
    NewSpan,
    Record,
    Enter,
    Event,
    Exit,
    Close,
}

const EVERYWHERE: [Where; 6] = [Where::NewSpan, Where::Record, Where::Enter, Where::Event, Where::Exit, Where::Close];

/// A subscriber that panics on threads other than that of the test.
struct Panics {
    at: Where,
    test: std::thread::ThreadId,
    next: AtomicU64,
    reached: Arc<Mutex<u32>>,
}

impl Panics {
    fn at(&self, place: Where) {
        if place == self.at && std::thread::current().id() != self.test && !std::thread::panicking() {
            *self.reached.lock().unwrap() += 1;
            panic!("a subscriber, on purpose");
        }
    }
}

impl Subscriber for Panics {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        self.at(Where::NewSpan);
        Id::from_u64(self.next.fetch_add(1, Ordering::SeqCst) + 1)
    }
    fn record(&self, _: &Id, _: &Values<'_>) {
        self.at(Where::Record);
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {
        self.at(Where::Event);
    }
    fn enter(&self, _: &Id) {
        self.at(Where::Enter);
    }
    fn exit(&self, _: &Id) {
        self.at(Where::Exit);
    }
    fn try_close(&self, _: Id) -> bool {
        self.at(Where::Close);
        true
    }
}

/// A subscriber that panics changes nothing of how a job ends.
#[test]
fn c11_a_subscriber_that_panics_replaces_no_result() {
    silence();
    let pool = ThreadPool::new(2);
    let view = pool.clone().limited(1);
    for at in EVERYWHERE {
        let reached = Arc::new(Mutex::new(0));
        let panics =
            Panics { at, test: std::thread::current().id(), next: AtomicU64::new(0), reached: Arc::clone(&reached) };
        let dispatch = Dispatch::new(panics);
        let _default = tracing::dispatcher::set_default(&dispatch);
        assert_eq!(finish(pool.submit(|| 1)).unwrap(), 1, "{at:?}");
        assert_eq!(finish(view.submit(|| 2)).unwrap(), 2, "{at:?}");
        let Err(Error::Panicked(panic)) = finish(pool.submit(|| panic!("the body, on purpose"))) else {
            panic!("{at:?}: it panics");
        };
        assert_eq!(panic.message(), Some("the body, on purpose"), "{at:?}");
        let gate = Gate::closed();
        let door = gate.clone();
        let cancelled = pool.submit(move || {
            door.pass();
            check_cancelled();
        });
        gate.wait_for(1);
        cancelled.cancel();
        gate.open();
        assert!(matches!(finish(cancelled), Err(Error::Cancelled)), "{at:?}");
        // A span is made where a job is submitted, which is on this thread.
        assert_eq!(at == Where::NewSpan, *reached.lock().unwrap() == 0, "{at:?}");
    }
    finish(pool.shutdown());
    assert_eq!((pool.metrics().completed(), pool.metrics().panicked()), (12, 6));
}

/// A body leaves a guard of tokio's in a thread-local of the worker: the context around it cannot be left in order.
#[test]
fn c11_a_guard_of_tokio_that_a_body_leaves_behind_replaces_no_result() {
    thread_local! {
        static LEFT: RefCell<Vec<tokio::runtime::EnterGuard<'static>>> = const { RefCell::new(Vec::new()) };
    }
    fn leave_a_guard() {
        // Lives as long as the process, as the guard does that borrows it.
        let runtime: &'static _ = Box::leak(Box::new(tokio_runtime(1)));
        LEFT.with_borrow_mut(|left| left.push(runtime.enter()));
    }
    silence();
    let runtime = tokio_runtime(1);
    let _entered = runtime.enter();
    {
        let pool = ThreadPool::new(1);
        let view = pool.clone().limited(1);
        for n in 0..3 {
            let value = pool.submit(move || {
                leave_a_guard();
                n
            });
            assert_eq!(finish(value).unwrap(), n);
            let value = view.submit(move || {
                leave_a_guard();
                n
            });
            assert_eq!(finish(value).unwrap(), n);
            let panics = pool.submit(|| {
                leave_a_guard();
                panic!("the body, on purpose")
            });
            let Err(Error::Panicked(panic)) = finish::<offload_runtime::JobHandle<()>>(panics) else {
                panic!("it panics")
            };
            assert_eq!(panic.message(), Some("the body, on purpose"));
            // The next job finds its own caller's runtime.
            let here = runtime.handle().id();
            assert_eq!(finish(pool.submit(|| tokio::runtime::Handle::current().id())).unwrap(), here);
        }
        // Their destructors would panic at the end of the thread, as they are dropped out of order.
        finish(pool.submit(|| LEFT.take().into_iter().for_each(std::mem::forget))).unwrap();
    }
}

/// The thread of the job has a subscriber of its own, in which other spans have the numbers of the caller's. The job's span is the last that
/// keeps its parents: they close with it, and none of the thread's.
#[test]
fn c11_the_callers_spans_close_in_the_callers_subscriber() {
    let (of_thread, record_of_thread) = subscriber();
    let default = of_thread.clone();
    let pool = ThreadPool::builder()
        .max_threads(1)
        .on_thread_start(move || std::mem::forget(tracing::dispatcher::set_default(&default)))
        .build();
    let kept: Vec<_> =
        tracing::dispatcher::with_default(&of_thread, || (0..16).map(|_| info_span!("of the thread")).collect());
    let closed = |record: &Record, name| {
        let entries = record.entries().into_iter();
        entries.filter(|entry| entry.kind == observe::Kind::Closed && entry.says == name).count()
    };
    for round in 1..=4 {
        let (dispatch, record) = subscriber();
        let (gate, door) = (Gate::closed(), Gate::closed());
        let (arrives, passes) = (gate.clone(), door.clone());
        let handle = tracing::dispatcher::with_default(&dispatch, || {
            request("closes").in_scope(|| {
                pool.submit(move || {
                    arrives.open();
                    passes.pass();
                })
            })
        });
        gate.pass();
        assert_eq!(closed(&record, "request"), 0, "round {round}: the job runs in it");
        door.open();
        finish(handle).unwrap();
        finish(pool.wait_idle());
        assert_eq!(closed(&record, "request"), 1, "round {round}: it stays open");
        assert_eq!(closed(&record_of_thread, "of the thread"), 0, "round {round}: a span of another subscriber");
    }
    drop(kept);
    assert_eq!(closed(&record_of_thread, "of the thread"), 16);
}
