//! C11: the caller's span is current in the body, on whatever thread that runs, and on no thread after it.

use std::sync::{Arc, Mutex};

use observe::{Record, Service, request};
use offload_runtime::{Executor, ExecutorExt, Inline, ThreadPool};
use tests::support::{finish, rayon_pool, silence, tokio_runtime};
use tracing::{Instrument, Metadata, Span, info};

/// Where a body finds itself: the name of its span.
fn here() -> Option<&'static str> {
    Span::current().metadata().map(Metadata::name)
}

/// Every kind of executor, with a name.
fn executors(runtime: &tokio::runtime::Runtime) -> [(&'static str, Box<dyn Executor>); 7] {
    let pool = ThreadPool::new(2);
    [
        ("on_a_view", Box::new(pool.clone().limited(1))),
        ("on_a_view_of_a_view", Box::new(pool.clone().limited(2).limited(1))),
        ("on_a_pool", Box::new(pool)),
        ("inline", Box::new(Inline)),
        ("on_tokio", Box::new(runtime.handle().clone())),
        ("on_a_view_of_tokio", Box::new(runtime.handle().clone().limited(1))),
        ("on_rayon", Box::new(rayon_pool(1))),
    ]
}

#[test]
fn c11_what_the_body_logs_nests_under_the_callers_span() {
    let record = Record::of_process();
    let runtime = tokio_runtime(1);
    for (name, executor) in executors(&runtime) {
        let handle = request(name).in_scope(|| {
            executor.submit(|| {
                info!("in the body");
                here()
            })
        });
        assert_eq!(finish(handle).unwrap(), Some("job"), "{name}");
        assert_eq!(record.event(name, "in the body").path(), ["request", "job"], "{name}");
        assert_eq!(record.jobs(name).len(), 1, "{name}");
    }
}

/// A job that comes from nowhere is in its own span only, also on a thread that ran another's job, or that one's panic.
#[test]
fn c11_no_span_is_left_for_the_next_job() {
    silence();
    let record = Record::of_process();
    let runtime = tokio_runtime(1);
    for (name, executor) in executors(&runtime) {
        let name = format!("first {name}");
        request(&name).in_scope(|| {
            finish(executor.submit(|| info!("first"))).unwrap();
            assert!(finish(executor.submit(|| panic!("on purpose"))).is_err());
        });
        let second = format!("second {name}");
        let says = second.clone();
        finish(executor.submit(move || info!("{says}"))).unwrap();
        let entries = record.entries();
        let event = entries.iter().find(|entry| entry.says == second).unwrap();
        assert_eq!(event.path(), ["job"]);
        assert_eq!(here(), None, "{name}");
    }
    // On tokio's one thread for blocking, and on rayon's, too.
    assert_eq!(runtime.block_on(runtime.spawn_blocking(here)).unwrap(), None);
}

/// As its last hook sees it, a thread of a pool is in no span.
#[test]
fn c11_a_thread_is_in_no_span_after_its_jobs() {
    silence();
    Record::install();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let of_hook = Arc::clone(&seen);
    let pool =
        ThreadPool::builder().max_threads(1).on_thread_stop(move || of_hook.lock().unwrap().push(here())).build();
    let view = pool.clone().limited(1);
    request("before the hook").in_scope(|| {
        finish(pool.submit(|| ())).unwrap();
        finish(view.submit(|| ())).unwrap();
        assert!(finish(pool.submit(|| panic!("on purpose"))).is_err());
    });
    finish(pool.shutdown());
    assert_eq!(*seen.lock().unwrap(), [None]);
}

/// A name, the executor of the outer job, that of the inner one.
type Nest = (&'static str, Box<dyn Executor>, Box<dyn Executor>);

/// A job that runs on a thread which stands in for that of the job that waits for it.
#[test]
fn c11_a_nested_job_is_inside_the_job_that_submitted_it() {
    let record = Record::of_process();
    let runtime = tokio_runtime(1);
    let pool = ThreadPool::new(1);
    let view = pool.clone().limited(1);
    let foreign = runtime.handle().clone().limited(1);
    let nests: [Nest; 4] = [
        ("in_a_pool", Box::new(pool.clone()), Box::new(pool.clone())),
        ("in_a_view", Box::new(view.clone()), Box::new(view.clone())),
        ("from_a_pool_into_a_view", Box::new(pool), Box::new(view)),
        ("in_a_view_of_tokio", Box::new(foreign.clone()), Box::new(foreign)),
    ];
    for (name, outer, inner) in nests {
        let name = format!("nested {name}");
        let handle = request(&name).in_scope(|| {
            outer.submit(move || {
                finish(inner.submit(|| info!("inner"))).unwrap();
                info!("outer");
                here()
            })
        });
        assert_eq!(finish(handle).unwrap(), Some("job"));
        let event = record.event(&name, "inner");
        assert_eq!(event.path(), ["request", "job", "job"], "{name}");
        assert_ne!(event.spans[1].1["site"], event.spans[2].1["site"], "{name}");
        assert_eq!(record.event(&name, "outer").path(), ["request", "job"], "{name}");
    }
}

/// The context is that of `submit`, not that of the poll.
#[test]
fn c11_the_span_is_taken_at_submission() {
    let record = Record::of_process();
    let pool = ThreadPool::new(1);
    let handle = request("submits").in_scope(|| pool.submit(|| info!("in the body")));
    finish(handle.instrument(request("polls"))).unwrap();
    assert_eq!(record.event("submits", "in the body").path(), ["request", "job"]);
    assert!(record.events("polls").is_empty());
}

/// With the attribute that is the first poll: an `async fn` does nothing before.
#[tokio::test]
async fn c11_a_method_is_in_the_span_in_which_it_is_awaited() {
    let record = Record::of_process();
    let service = Service { executor: ThreadPool::new(1) };
    let future = request("makes the future").in_scope(|| service.find("ada"));
    assert_eq!(future.instrument(request("awaits the future")).await, 3);
    assert!(record.events("makes the future").is_empty());
    assert_eq!(record.event("awaits the future", "looking").path(), ["request", "job"]);
    assert_eq!(record.event("awaits the future", "found").path(), ["request", "job", "query"]);
    assert_eq!(record.jobs("awaits the future")[0].text("site"), "Service::find");
}

/// Each of many callers at once has its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c11_callers_at_once_keep_their_spans_apart() {
    const CALLERS: usize = 40;
    let record = Record::of_process();
    let service = Service { executor: ThreadPool::new(2).limited(2) };
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..CALLERS {
        let (service, what) = (service.clone(), format!("caller {caller}"));
        let span = request(&what);
        callers.spawn(async move { service.find(&what).await }.instrument(span));
    }
    assert_eq!(callers.join_all().await.len(), CALLERS);
    for caller in 0..CALLERS {
        let name = format!("caller {caller}");
        assert_eq!(record.event(&name, "looking").text("what"), name);
        assert_eq!(record.event(&name, "found").path(), ["request", "job", "query"]);
    }
}
