//! Attributes beside `#[blocking]`, each at its place.

use crate::{Service, run};
use offload_runtime::blocking;
use std::sync::{Arc, Mutex};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

impl Service {
    /// Counts the words.
    #[blocking(sync = documented_sync)]
    #[must_use]
    #[doc(hidden)]
    #[inline]
    #[deprecated = "for the test"]
    #[expect(unreachable_pub, reason = "only a `pub` method is asked for docs")]
    pub fn documented(&self) -> usize {
        self.words.len()
    }

    #[allow(unused_variables, reason = "under test")]
    #[blocking]
    fn allows(&self, unused: u32) -> usize {
        let also_unused = 1;
        self.words.len()
    }

    #[blocking]
    #[expect(unused_variables, reason = "under test")]
    fn expects(&self, unused: u32) -> usize {
        self.words.len()
    }

    #[expect(unused_variables, clippy::too_many_arguments, reason = "under test")]
    #[blocking(sync = expects_twice_sync)]
    fn expects_twice(&self, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8) -> usize {
        self.words.len()
    }

    #[blocking]
    #[deny(unfulfilled_lint_expectations, unused_variables, unused_mut)]
    fn expects_of_arguments(
        &self,
        #[expect(unused_variables, reason = "under test")] name: &str,
        #[expect(unused_mut)] mut changed: usize,
        #[expect(unused_variables)] (a, _): (u8, u8),
        #[allow(unused_variables)] allowed: Option<&u8>,
    ) -> usize {
        self.words.len() + changed
    }

    #[blocking(sync = expects_of_arguments_twice_sync, boxed)]
    #[deny(unfulfilled_lint_expectations, unused_variables)]
    fn expects_of_arguments_twice(&self, #[expect(unused_variables)] name: String) -> usize {
        self.words.len()
    }

    #[cfg_attr(not(any()), blocking)]
    #[cfg_attr(any(), no_such_attribute)]
    fn conditional(&self, #[cfg(not(any()))] kept: &str, #[cfg(any())] dropped: NoSuchType) -> usize {
        kept.len()
    }

    #[blocking(sync = conditional_twin_sync)]
    fn conditional_twin(&self, #[cfg(not(any()))] kept: &str, #[cfg(any())] dropped: NoSuchType) -> usize {
        kept.len()
    }

    #[tracing::instrument(skip(self), fields(words = self.words.len()))]
    #[blocking]
    fn instrumented_above(&self, text: &str) -> usize {
        tracing::info!("{self} and {text}");
        self.words.len() + text.len()
    }

    #[blocking(sync = instrumented_sync)]
    #[tracing::instrument(skip(self), ret, err)]
    fn instrumented_below(&self, text: &str) -> Result<usize, std::io::Error> {
        tracing::info!(count = self.words.len(), "{self:?}");
        Ok(self.words.len() + text.len())
    }
}

/// Spans around the await that record `self` and arguments, some of which the body does not mention.
#[deny(unused_variables, clippy::shadow_unrelated, clippy::shadow_reuse, clippy::used_underscore_binding)]
impl Service {
    #[blocking]
    #[tracing::instrument]
    fn instrumented_whole(&self, text: &str) -> usize {
        self.words.len()
    }

    #[blocking(handle)]
    #[tracing::instrument(skip(self), fields(words = self.words.len()))]
    fn instrumented_handle(&self, text: &str) -> usize {
        self.words.len()
    }

    #[blocking(boxed)]
    #[tracing::instrument(skip_all, fields(text.len = text.len(), words = self.words.len()))]
    fn instrumented_boxed(&self, text: &str) -> usize {
        self.words.len()
    }

    #[blocking(sync = instrumented_twin_sync, executor = self.executor)]
    #[tracing::instrument(fields(words = self.words.len()))]
    fn instrumented_twin(&self, text: &str) -> usize {
        self.words.len() + text.len()
    }

    #[blocking]
    #[cfg_attr(not(any()), tracing::instrument(fields(words = self.words.len())))]
    fn instrumented_arc(self: Arc<Self>, text: String) -> usize {
        self.words.len() + text.len()
    }

    #[blocking]
    #[tracing::instrument(fields(words = self.words.len()))]
    fn instrumented_value(mut self, text: &str) -> usize {
        self.words = Arc::default();
        self.words.len()
    }

    #[blocking]
    #[tracing::instrument(skip(self, app), fields(user = %app.0, first = first.len()))]
    fn instrumented_patterns(
        &self,
        State(app): State<(u8, String)>,
        (first, _): (String, u8),
        (x, y): (u8, u8),
    ) -> usize {
        app.1.len() + first.len() + usize::from(x + y) + self.words.len()
    }

    #[blocking]
    #[tracing::instrument(skip(self, _permit))]
    fn instrumented_underscore(&self, _permit: Vec<u8>, text: &str) -> usize {
        self.words.len() + text.trim().len()
    }

    #[blocking(sync = conditional_span_sync)]
    #[cfg_attr(not(any()), must_use, tracing::instrument(skip(self)))]
    fn conditional_span(&self, text: &str) -> usize {
        self.words.len() + text.len()
    }

    #[blocking]
    #[tracing::instrument(skip(self, text))]
    #[expect(unused_variables, reason = "neither the span nor the body uses it")]
    fn instrumented_unused(&self, text: &str) -> usize {
        self.words.len()
    }
}

#[test]
fn a_span_around_the_await_records_what_it_names() {
    let service = Service::new();
    assert_eq!(run(service.instrumented_whole("four")), 3);
    assert_eq!(run(service.instrumented_handle("four")).unwrap(), 3);
    assert_eq!(run(service.instrumented_boxed("four")), 3);
    assert_eq!(run(service.instrumented_twin("four")), 7);
    assert_eq!(run(service.instrumented_patterns(State((1, "four".to_owned())), ("a".to_owned(), 0), (1, 2))), 11);
    assert_eq!(run(service.instrumented_underscore(Vec::new(), " four ")), 7);
    assert_eq!(run(service.instrumented_unused("four")), 3);
    assert_eq!(run(Arc::new(service.clone()).instrumented_arc("four".to_owned())), 7);
    assert_eq!(run(service.instrumented_value("four")), 0);
}

/// The order that works: what makes a test of an `async fn` stands below.
#[blocking]
#[tokio::test]
fn a_test_may_block() {
    assert!(crate::on_worker());
}

#[test]
#[expect(deprecated, reason = "under test")]
fn the_compilers_own_attributes_are_kept() {
    let service = Service::new();
    assert_eq!(run(service.documented()) + service.documented_sync(), 6);
    assert_eq!(run(service.allows(1)) + run(service.expects(1)), 6);
    assert_eq!(run(service.expects_twice(0, 0, 0, 0, 0, 0, 0, 0)), 3);
    assert_eq!(service.expects_twice_sync(0, 0, 0, 0, 0, 0, 0, 0), 3);
    assert_eq!(run(service.expects_of_arguments("", 0, (1, 2), None)), 3);
    assert_eq!(run(service.expects_of_arguments_twice(String::new())), 3);
    assert_eq!(service.expects_of_arguments_twice_sync(String::new()), 3);
}

#[test]
fn cfg_acts_on_methods_and_arguments() {
    assert_eq!(run(Service::new().conditional("four")), 4);
    assert_eq!(run(Service::new().conditional_twin("four")), 4);
    assert_eq!(Service::new().conditional_twin_sync("four"), 4);
}

struct State<T>(T);

/// Remembers the spans it has seen, each with the names of its fields.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<String>>>);

impl Subscriber for Spans {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let fields: Vec<&str> = span.metadata().fields().iter().map(|field| field.name()).collect();
        self.0.lock().unwrap().push(format!("{}({})", span.metadata().name(), fields.join(" ")));
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn instrument_works_above_and_below() {
    let spans = Spans::default();
    tracing::subscriber::set_global_default(spans.clone()).expect("no other test of this program sets one");
    assert_eq!(run(Service::new().instrumented_above("four")), 7);
    assert_eq!(run(Service::new().instrumented_below("four")).unwrap(), 7);
    assert_eq!(Service::new().instrumented_sync("four").unwrap(), 7);
    let service = Service::new();
    assert_eq!(run(service.conditional_span("four")) + service.conditional_span_sync("four"), 14);
    run(service.instrumented_patterns(State((1, String::new())), (String::new(), 0), (1, 2)));
    let mut spans = spans.0.lock().unwrap().clone();
    // Other tests of this program make spans as well; and so do jobs, where the feature `tracing` is on.
    let names = ["instrumented_above(", "instrumented_below(", "conditional_span("];
    let is_ours = |span: &String| names.iter().any(|name| span.starts_with(name));
    let patterns = spans.iter().find(|span| span.starts_with("instrumented_patterns")).cloned();
    assert_eq!(patterns.as_deref(), Some("instrumented_patterns(x y user first)"), "the names that were written");
    spans.retain(is_ours);
    assert_eq!(spans, ["instrumented_above(text words)", "instrumented_below(text)", "conditional_span(text)"]);
}
