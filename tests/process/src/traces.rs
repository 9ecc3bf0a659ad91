//! One trace across processes, by OpenTelemetry: what a service does for that, in its `main`, before `init`.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::sync::Mutex;

use offload_runtime::process;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::{LookupSpan, Registry};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

/// The variable that names the file in which workers write.
pub const EVENTS: &str = "OFFLOAD_EVENTS";

/// For `process::propagate`, in the caller's process: the header `traceparent`.
pub fn inject(span: &Span) -> Option<String> {
    let mut headers = HashMap::new();
    TraceContextPropagator::new().inject_context(&span.context(), &mut headers);
    headers.remove("traceparent")
}

/// For `process::propagate`, in the child.
pub fn extract(span: &Span, text: &str) {
    let headers = HashMap::from([("traceparent".to_owned(), text.to_owned())]);
    // A failure leaves the call in a trace of its own.
    let _ = span.set_parent(TraceContextPropagator::new().extract(&headers));
}

/// Gives spans the ids of OpenTelemetry, and exports nothing.
pub fn ids<S: Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    tracing_opentelemetry::layer().with_tracer(SdkTracerProvider::default().tracer("tests"))
}

/// The id of the trace that this thread is in.
pub fn current() -> String {
    Span::current().context().span().span_context().trace_id().to_string()
}

/// In a worker: writes its events to the file that [`EVENTS`] names, if it does, within the level of the caller.
///
/// # Panics
/// If the file cannot be opened.
pub fn write_events() {
    let Some(path) = std::env::var_os(EVENTS) else { return };
    let file = OpenOptions::new().append(true).create(true).open(path).expect("the test's directory is there");
    let lines = fmt::layer().with_ansi(false).with_writer(Mutex::new(file));
    let taken = dynamic_filter_fn(|metadata, _| process::caller_level().is_none_or(|level| *metadata.level() <= level));
    Registry::default().with(ids()).with(lines).with(taken).init();
    process::propagate(inject, extract);
}
