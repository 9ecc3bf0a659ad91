//! A layer on `tracing-subscriber`'s registry that keeps what it is told: events, and spans as they are when they close.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record as Values};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry, SpanRef};

/// What an [`Entry`] is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something that happened.
    Event,
    /// A span that has closed.
    Closed,
}

/// An event or a closed span.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Which of the two.
    pub kind: Kind,
    /// How grave it is.
    pub level: Level,
    /// Whose it is.
    pub target: String,
    /// What it says, of an event; its name, of a span.
    pub says: String,
    /// The thread that reported it.
    pub thread: String,
    /// The spans that it is in, from the outermost; the last one of a closed span is itself.
    pub spans: Vec<(&'static str, Map<String, Value>)>,
    fields: Map<String, Value>,
}

impl Entry {
    /// The value of a field.
    ///
    /// # Panics
    /// If it has none.
    #[must_use]
    #[track_caller]
    pub fn field(&self, name: &str) -> &Value {
        self.fields.get(name).unwrap_or_else(|| panic!("no field {name}: {self:#?}"))
    }

    /// The value of a field that is text.
    ///
    /// # Panics
    /// If it is not, or is missing.
    #[must_use]
    #[track_caller]
    pub fn text(&self, name: &str) -> &str {
        self.field(name).as_str().expect("it is text")
    }

    /// The value of a field that is a number.
    ///
    /// # Panics
    /// If it is not, or is missing.
    #[must_use]
    #[track_caller]
    pub fn number(&self, name: &str) -> u64 {
        self.field(name).as_u64().expect("it is a number")
    }

    /// Whether there is such a field.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// The names of the spans that it is in, from the outermost.
    #[must_use]
    pub fn path(&self) -> Vec<&'static str> {
        self.spans.iter().map(|(name, _)| *name).collect()
    }
}

/// A thread whose name begins like this is not heard: the record panics at each event that it tells of, as a subscriber may.
pub const UNHEARD: &str = "unheard";

/// What has been recorded.
#[derive(Clone, Debug, Default)]
pub struct Record(Arc<Mutex<Vec<Entry>>>);

impl Record {
    /// The record of this process, of all levels and targets. Its subscriber is installed by the first call.
    ///
    /// # Panics
    /// If there is another subscriber.
    #[must_use]
    pub fn of_process() -> &'static Self {
        static RECORD: OnceLock<Record> = OnceLock::new();
        RECORD.get_or_init(|| {
            let record = Self::default();
            let subscriber = Registry::default().with(record.clone());
            tracing::subscriber::set_global_default(subscriber).expect("it is the only one");
            record
        })
    }

    /// Records what happens from now on.
    ///
    /// # Panics
    /// As [`of_process`](Self::of_process).
    pub fn install() {
        let _ = Self::of_process();
    }

    /// All that has been recorded.
    ///
    /// # Panics
    /// Never: no holder of the lock panics.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.0.lock().unwrap().clone()
    }

    /// What was recorded below the [`request`](crate::request) of that name.
    ///
    /// # Panics
    /// Never, as for `entries`.
    #[must_use]
    pub fn of(&self, request: &str) -> Vec<Entry> {
        let below = |entry: &Entry| matches!(entry.spans.first(), Some(("request", fields)) if fields["id"] == request);
        self.0.lock().unwrap().iter().filter(|entry| below(entry)).cloned().collect()
    }

    /// The events below that request, the crate's own and those of bodies.
    #[must_use]
    pub fn events(&self, request: &str) -> Vec<Entry> {
        self.of(request).into_iter().filter(|entry| entry.kind == Kind::Event).collect()
    }

    /// The one event below that request which says `what`.
    ///
    /// # Panics
    /// If there is not exactly one.
    #[must_use]
    #[track_caller]
    pub fn event(&self, request: &str, what: &str) -> Entry {
        let mut events = self.events(request);
        events.retain(|event| event.says == what);
        assert_eq!(events.len(), 1, "{what:?} of {request}: {:#?}", self.of(request));
        events.remove(0)
    }

    /// The spans of jobs below that request that have closed, in the order in which they have.
    #[must_use]
    pub fn jobs(&self, request: &str) -> Vec<Entry> {
        let mut closed = self.of(request);
        closed.retain(|entry| entry.kind == Kind::Closed && entry.says == "job");
        closed
    }

    fn add(&self, entry: Entry) {
        self.0.lock().unwrap().push(entry);
    }
}

/// The fields of a span, kept with it.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().into(), format!("{value:?}").into());
    }
}

fn path<'a, S: LookupSpan<'a> + 'a>(
    spans: impl Iterator<Item = SpanRef<'a, S>>,
) -> Vec<(&'static str, Map<String, Value>)> {
    let fields =
        |span: &SpanRef<'a, S>| span.extensions().get::<Fields>().map_or_else(Map::new, |fields| fields.0.clone());
    spans.map(|span| (span.name(), fields(&span))).collect()
}

fn this_thread() -> String {
    thread::current().name().unwrap_or_default().to_owned()
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Record {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        context.span(id).expect("it is there").extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Values<'_>, context: Context<'_, S>) {
        let span = context.span(id).expect("it is there");
        if let Some(fields) = span.extensions_mut().get_mut::<Fields>() {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        assert!(!this_thread().starts_with(UNHEARD), "a subscriber that panics on purpose");
        let mut fields = Fields::default();
        event.record(&mut fields);
        let says = fields.0.remove("message").and_then(|message| message.as_str().map(str::to_owned));
        self.add(Entry {
            kind: Kind::Event,
            level: *event.metadata().level(),
            target: event.metadata().target().into(),
            says: says.unwrap_or_default(),
            thread: this_thread(),
            spans: context.event_scope(event).map(|scope| path(scope.from_root())).unwrap_or_default(),
            fields: fields.0,
        });
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let span = context.span(&id).expect("it is there");
        let spans = path(span.scope().from_root());
        self.add(Entry {
            kind: Kind::Closed,
            level: *span.metadata().level(),
            target: span.metadata().target().into(),
            says: span.name().into(),
            thread: this_thread(),
            fields: spans.last().map(|(_, fields)| fields.clone()).unwrap_or_default(),
            spans,
        });
    }
}
