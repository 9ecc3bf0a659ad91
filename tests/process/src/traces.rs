//! One trace across processes, by OpenTelemetry: what a service does for that, in its `main`, before `init`.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::sync::{Mutex, PoisonError, RwLock};

use offload_runtime::process;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Metadata, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::filter::{Targets, dynamic_filter_fn};
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

/// As [`inject`], and behind it the caller's filter by targets, which cannot be asked of a subscriber.
pub fn inject_with(targets: &Targets, span: &Span) -> Option<String> {
    Some(format!("{};{targets}", inject(span)?))
}

/// What came with the last call. A worker runs one at a time.
static TARGETS: RwLock<Option<Targets>> = RwLock::new(None);

/// For `process::propagate`, in the child.
pub fn extract(span: &Span, text: &str) {
    let (header, targets) = text.split_once(';').unwrap_or((text, ""));
    *TARGETS.write().unwrap_or_else(PoisonError::into_inner) = targets.parse().ok().filter(|_| !targets.is_empty());
    let headers = HashMap::from([("traceparent".to_owned(), header.to_owned())]);
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

/// Whether a worker writes that: within the level of its caller, and within the targets that came with the call.
fn is_taken(metadata: &Metadata<'_>) -> bool {
    let Some(level) = process::caller_level() else { return true };
    let targets = TARGETS.read().unwrap_or_else(PoisonError::into_inner);
    // The span of a call is there before its text is read.
    let of_targets = metadata.is_span()
        || targets.as_ref().is_none_or(|targets| targets.would_enable(metadata.target(), metadata.level()));
    *metadata.level() <= level && of_targets
}

/// In a worker: writes its events to the file that [`EVENTS`] names, if it does, as far as they are [taken](is_taken).
///
/// # Panics
/// If the file cannot be opened.
pub fn write_events() {
    let Some(path) = std::env::var_os(EVENTS) else { return };
    let file = OpenOptions::new().append(true).create(true).open(path).expect("the test's directory is there");
    let lines = fmt::layer().with_ansi(false).with_writer(Mutex::new(file));
    let taken = dynamic_filter_fn(|metadata, _| is_taken(metadata));
    Registry::default().with(ids()).with(lines).with(taken).init();
    process::propagate(inject, extract);
}
