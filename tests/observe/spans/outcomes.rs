//! What becomes of a job besides a value is an event in its span, of a level that fits.

use observe::{Entry, Record, request};
use offload_runtime::{Error, Executor, ExecutorExt, JobHandle, ThreadPool, check_cancelled, is_cancelled};
use tests::support::{Gate, Keeping, Occupied, eventually, finish, silence};
use tracing::Level;

/// The only event below the request, which has to be in the span of its job.
#[track_caller]
fn the_event(request: &str) -> Entry {
    let mut events = Record::of_process().events(request);
    assert_eq!(events.len(), 1, "{events:#?}");
    let event = events.remove(0);
    assert_eq!((&*event.target, event.path()), ("offload_runtime::job", vec!["request", "job"]));
    event
}

fn submit<T: Send + 'static>(
    executor: &(dyn Executor + 'static),
    name: &str,
    f: impl FnOnce() -> T + Send + 'static,
) -> JobHandle<T> {
    Record::install();
    request(name).in_scope(|| executor.submit(f))
}

/// Submits a job that is refused, and returns the reason as the event tells it.
#[track_caller]
fn reason(executor: &(dyn Executor + 'static), name: &str) -> String {
    let refused = finish(submit(executor, name, || ())).unwrap_err();
    let event = the_event(name);
    assert_eq!((event.level, &*event.says), (Level::WARN, "job refused"));
    assert_eq!(event.text("reason"), refused.to_string());
    event.text("reason").to_owned()
}

#[test]
fn a_value_is_no_event() {
    finish(submit(&ThreadPool::new(1), "a value", || 1)).unwrap();
    assert!(Record::of_process().events("a value").is_empty());
    assert_eq!(Record::of_process().jobs("a value").len(), 1);
}

#[test]
fn a_refusal_is_a_warning_with_its_reason() {
    let pool = ThreadPool::builder().max_threads(1).queue_capacity(0).build();
    let occupied = Occupied::new(&pool, 1);
    assert_eq!(reason(&pool, "full pool"), Error::QueueFull.to_string());
    occupied.release();

    let view = ThreadPool::new(2).limited(1).queue_capacity(0);
    let occupied = Occupied::new(&view, 1);
    assert_eq!(reason(&view, "full view"), Error::QueueFull.to_string());
    occupied.release();

    pool.close();
    assert_eq!(reason(&pool, "closed pool"), Error::ShutDown.to_string());
    assert_eq!(reason(&pool.clone().limited(1), "view of a closed pool"), Error::ShutDown.to_string());
}

/// Captures may panic as they are dropped: the job is reported all the same.
#[test]
fn a_refusal_is_reported_though_a_capture_panics() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }
    silence();
    let pool = ThreadPool::new(1);
    pool.close();
    let captured = Panics;
    let refused = finish(submit(&pool, "a captured value that panics", move || drop(captured)));
    assert!(matches!(refused, Err(Error::ShutDown)));
    assert_eq!(the_event("a captured value that panics").says, "job refused");
}

#[test]
fn a_job_that_waits_when_the_pool_stops_is_refused_too() {
    let pool = ThreadPool::new(1);
    let occupied = Occupied::new(&pool, 1);
    let waits = submit(&pool, "stopped", || ());
    let shutdown = pool.shutdown_now();
    assert!(matches!(finish(waits), Err(Error::ShutDown)));
    assert_eq!(the_event("stopped").level, Level::WARN);
    occupied.release();
    finish(shutdown);
}

#[test]
fn a_lost_job_is_a_warning() {
    let keeping = Keeping::default();
    let lost = submit(&keeping, "lost", || ());
    drop(keeping);
    assert!(matches!(finish(lost), Err(Error::Lost)));
    let event = the_event("lost");
    assert_eq!((event.level, event.text("reason")), (Level::WARN, &*Error::Lost.to_string()));
}

#[test]
fn a_panic_is_an_error_with_its_message() {
    silence();
    let pool = ThreadPool::new(1);
    let view = pool.clone().limited(1);
    let executors: [(&str, &(dyn Executor + 'static)); 2] = [("panic in a pool", &pool), ("panic in a view", &view)];
    for (name, executor) in executors {
        let Err(Error::Panicked(panic)) = finish(submit(executor, name, || panic!("on purpose"))) else { panic!() };
        // What the caller gets is what it would have got without the event.
        assert_eq!(panic.into_payload().downcast_ref::<&str>(), Some(&"on purpose"));
        let event = the_event(name);
        assert_eq!((event.level, &*event.says, event.text("panic")), (Level::ERROR, "job panicked", "on purpose"));
        assert!(Record::of_process().jobs(name)[0].has("run_us"));
    }
}

#[test]
fn a_panic_without_a_message_is_an_error_too() {
    silence();
    let Err(Error::Panicked(panic)) = finish(submit(&ThreadPool::new(1), "no message", || std::panic::panic_any(7)))
    else {
        panic!()
    };
    assert_eq!(*panic.into_payload().downcast::<i32>().unwrap(), 7);
    assert_eq!(the_event("no message").level, Level::ERROR);
}

#[test]
fn a_cancellation_before_the_start_is_a_debug_event() {
    let pool = ThreadPool::new(1);
    let view = pool.clone().limited(1);
    let executors: [(&str, &(dyn Executor + 'static)); 2] =
        [("dropped in a pool", &pool), ("dropped in a view", &view)];
    let occupied = Occupied::new(&pool, 1);
    for (name, executor) in executors {
        drop(submit(executor, name, || unreachable!()));
        let event = the_event(name);
        assert_eq!((event.level, &*event.says), (Level::DEBUG, "job cancelled before it began"));
        let [job] = &Record::of_process().jobs(name)[..] else { panic!() };
        assert!(!job.has("wait_us") && !job.has("run_us") && !job.has("thread"), "{job:#?}");
    }
    let cancelled = submit(&pool, "cancelled by its handle", || unreachable!());
    cancelled.cancel();
    assert!(matches!(finish(cancelled), Err(Error::Cancelled)));
    assert_eq!(the_event("cancelled by its handle").level, Level::DEBUG);
    occupied.release();
}

#[test]
fn a_cancellation_after_the_start_is_a_debug_event() {
    let pool = ThreadPool::new(1);
    let gate = Gate::closed();
    let of_job = gate.clone();
    let name = "cancelled while it runs";
    let handle = submit(&pool, name, move || {
        of_job.pass();
        check_cancelled();
        unreachable!()
    });
    gate.wait_for(1);
    handle.cancel();
    gate.open();
    assert!(matches!(finish(handle), Err::<(), _>(Error::Cancelled)));
    // The handle need not wait for the body, so neither has the event to be there before its result.
    eventually("the job ends", || !Record::of_process().jobs(name).is_empty());
    let event = the_event(name);
    assert_eq!((event.level, &*event.says), (Level::DEBUG, "job ended by its cancellation"));
}

/// A job that runs to its end although it was cancelled causes no event.
#[test]
fn a_job_that_ignores_its_cancellation_is_no_event() {
    let pool = ThreadPool::new(1);
    let gate = Gate::closed();
    let of_job = gate.clone();
    let handle = submit(&pool, "ignores it", move || {
        of_job.pass();
        assert!(is_cancelled());
    });
    gate.wait_for(1);
    drop(handle);
    gate.open();
    eventually("the job ends", || !Record::of_process().jobs("ignores it").is_empty());
    assert!(Record::of_process().events("ignores it").is_empty());
}
