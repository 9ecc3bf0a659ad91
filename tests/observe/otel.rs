//! One trace across the hop: what OpenTelemetry's SDK exports of a call whose body runs on another thread.

use std::sync::OnceLock;

use observe::{Service, request};
use offload_runtime::{ExecutorExt, ThreadPool};
use opentelemetry::trace::{SpanId, Status, TracerProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use tests::support::{finish, silence, tokio_runtime};
use tracing::level_filters::LevelFilter;
use tracing::{Instrument, info, info_span};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::Registry;

/// What has been exported. Each span is, as it closes.
fn exported() -> Vec<SpanData> {
    static EXPORTER: OnceLock<(InMemorySpanExporter, SdkTracerProvider)> = OnceLock::new();
    let (exporter, _provider) = EXPORTER.get_or_init(|| {
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("observe"));
        let subscriber = Registry::default().with(layer.with_filter(LevelFilter::INFO));
        tracing::subscriber::set_global_default(subscriber).expect("it is the only one");
        (exporter, provider)
    });
    exporter.get_finished_spans().unwrap()
}

fn attribute(span: &SpanData, key: &str) -> Option<String> {
    let found = span.attributes.iter().find(|attribute| attribute.key.as_str() == key);
    found.map(|attribute| attribute.value.to_string())
}

/// The trace of that request, its root first, then by the time at which its spans began.
#[track_caller]
fn trace_of(id: &str) -> Vec<SpanData> {
    let all = exported();
    let is_root = |span: &&SpanData| span.name == "request" && attribute(span, "id").as_deref() == Some(id);
    let root = all.iter().find(is_root).unwrap_or_else(|| panic!("{id} is not in {all:#?}")).clone();
    assert_eq!(root.parent_span_id, SpanId::INVALID);
    let trace = root.span_context.trace_id();
    let mut spans = all;
    spans.retain(|span| span.span_context.trace_id() == trace);
    spans.sort_by_key(|span| span.start_time);
    spans
}

/// That each span is the child of the one before, by their names.
#[track_caller]
fn assert_chain(trace: &[SpanData], names: &[&str]) {
    assert_eq!(trace.iter().map(|span| &*span.name).collect::<Vec<_>>(), names);
    for pair in trace.windows(2) {
        assert_eq!(pair[1].parent_span_id, pair[0].span_context.span_id(), "{pair:#?}");
        assert!(!pair[1].parent_span_is_remote);
    }
}

const FIND: &str = "Service::find";

#[tokio::test]
async fn c11_a_call_is_one_trace_and_its_span_is_named_after_the_method() {
    exported();
    let service = Service { executor: ThreadPool::builder().thread_name("users").build() };
    assert_eq!(service.find("ada").instrument(request("one call")).await, 3);
    let trace = trace_of("one call");
    assert_chain(&trace, &["request", FIND, "query"]);
    let job = &trace[1];
    assert_eq!(attribute(job, "site").as_deref(), Some(FIND));
    assert_eq!(attribute(job, "pool").as_deref(), Some("users"));
    assert_eq!(attribute(job, "thread").as_deref(), Some("users-0"));
    assert!(attribute(job, "code.filepath").unwrap().ends_with("service.rs"));
    for time in ["wait_us", "run_us"] {
        attribute(job, time).unwrap().parse::<u64>().unwrap();
    }
    // The body's event is in the span of the job, that inside its own span in that one.
    let says = |span: &SpanData| span.events.iter().map(|event| event.name.to_string()).collect::<Vec<_>>();
    assert_eq!((says(job), says(&trace[2])), (vec!["looking".into()], vec!["found".into()]));
    assert!(trace[0].start_time <= job.start_time && job.end_time <= trace[0].end_time);
}

#[test]
fn c11_a_view_and_a_foreign_executor_keep_the_trace() {
    exported();
    let runtime = tokio_runtime(1);
    let view = Service { executor: ThreadPool::new(1).limited(1) };
    let foreign = Service { executor: runtime.handle().clone() };
    finish(view.find("ada").instrument(request("view")));
    finish(foreign.find("ada").instrument(request("foreign")));
    for id in ["view", "foreign"] {
        let trace = trace_of(id);
        assert_eq!(trace.len(), 3);
        let name = trace[1].name.clone();
        assert!(name.starts_with("Service<") && name.ends_with(">::find"), "{name}");
        assert_chain(&trace, &["request", &name, "query"]);
    }
}

#[test]
fn c11_nested_jobs_are_one_trace() {
    exported();
    let pool = ThreadPool::new(1);
    let (service, executor) = (Service { executor: pool.clone() }, pool);
    let outer = request("nested").in_scope(|| executor.submit(move || finish(service.find("ada"))));
    assert_eq!(finish(outer).unwrap(), 3);
    let trace = trace_of("nested");
    let name = trace[1].name.clone();
    assert!(name.contains("otel.rs:"), "{name}");
    assert_chain(&trace, &["request", &name, FIND, "query"]);
}

/// Two calls of one request are siblings.
#[tokio::test]
async fn c11_calls_one_after_the_other_have_one_parent() {
    exported();
    let service = Service { executor: ThreadPool::new(2) };
    async {
        service.find("ada").await;
        service.find("grace").await;
    }
    .instrument(request("two calls"))
    .await;
    let trace = trace_of("two calls");
    let children: Vec<_> = trace.iter().filter(|span| span.name == FIND).collect();
    assert_eq!(children.len(), 2);
    for child in children {
        assert_eq!(child.parent_span_id, trace[0].span_context.span_id());
    }
    assert_eq!(trace.len(), 5);
}

/// A panic marks the span of its job as failed, and no other.
#[test]
fn a_panic_is_the_status_of_its_job() {
    silence();
    exported();
    let pool = ThreadPool::new(1);
    request("fails").in_scope(|| {
        info_span!("around").in_scope(|| {
            info!("before");
            assert!(finish(pool.submit(|| panic!("on purpose"))).is_err());
        });
    });
    let trace = trace_of("fails");
    assert!(matches!(trace[2].status, Status::Error { .. }), "{trace:#?}");
    assert_eq!((&trace[0].status, &trace[1].status), (&Status::Unset, &Status::Unset));
    assert_eq!(trace[2].events[0].name, "job panicked");
    let message = trace[2].events[0].attributes.iter().find(|attribute| attribute.key.as_str() == "panic").unwrap();
    assert_eq!(message.value.as_str(), "on purpose");
}
