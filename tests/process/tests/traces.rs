//! What crosses of a caller's trace: its level, and the text that `propagate` makes of its span.

use std::cell::Cell;
use std::path::Path;
use std::sync::{Mutex, Once, PoisonError};

use offload_runtime::process::{self, ProcessPool};
use pollster::block_on;
use tests_process::support::bounded;
use tests_process::traces::{self, EVENTS};
use tests_process::{functions, pool};
use tracing::level_filters::LevelFilter;
use tracing::{Span, info_span};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::Registry;

type Inject = fn(&Span) -> Option<String>;

thread_local! {
    /// What a test injects.
    static INJECT: Cell<Inject> = const { Cell::new(traces::inject) };
}

/// Runs `test` with a pool whose workers write to the file. One after the other: the level is that of all subscribers of the process.
fn with_events(test: impl FnOnce(&ProcessPool, &Path) + Send + 'static) {
    static ALONE: Mutex<()> = Mutex::new(());
    static PROPAGATE: Once = Once::new();
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    PROPAGATE.call_once(|| process::propagate(|span| INJECT.get()(span), traces::extract));
    bounded(|| {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("events");
        let pool = pool!(max_workers(1), env(EVENTS, &file));
        test(&pool, &file);
    });
}

/// Runs `f` with a subscriber that takes `level`, and gives spans ids.
fn listening<T>(level: LevelFilter, f: impl FnOnce() -> T) -> T {
    tracing::subscriber::with_default(Registry::default().with(traces::ids()).with(level), f)
}

/// The events that the child has written since the last call: each is written before its call ends.
fn lines(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let _ = std::fs::File::options().write(true).truncate(true).open(file);
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_child_writes_its_events_in_the_caller_s_trace() {
    with_events(|pool, file| {
        listening(LevelFilter::INFO, || {
            for request in ["first", "second"] {
                let span = info_span!("request");
                let (ours, theirs) = span.in_scope(|| (traces::current(), functions::says(pool, request.into())));
                assert_eq!(block_on(theirs).unwrap(), ours, "OpenTelemetry continues it");
                let lines = lines(file);
                assert_eq!(lines.len(), 2, "{lines:?}");
                for (line, level) in lines.iter().zip(["INFO", "WARN"]) {
                    assert!(line.contains(level) && line.ends_with(request), "{line}");
                    assert!(line.contains("job{") && line.contains("site=says"), "{line}");
                    assert!(line.contains(&format!("trace=\"00-{ours}-")), "{line} is not in {ours}");
                }
            }
        });
    });
}

#[test]
fn a_child_writes_nothing_that_its_caller_would_not_take() {
    with_events(|pool, file| {
        for (level, expected) in [
            (LevelFilter::WARN, &["WARN"][..]),
            (LevelFilter::TRACE, &["INFO", "WARN"]),
            (LevelFilter::OFF, &[]),
            (LevelFilter::INFO, &["INFO", "WARN"]),
        ] {
            listening(level, || {
                block_on(functions::says(pool, "text".into())).unwrap();
                assert_eq!(block_on(functions::caller_level(pool)).unwrap(), Some(level.to_string()));
            });
            let lines = lines(file);
            assert_eq!(lines.len(), expected.len(), "{level}: {lines:?}");
            assert!(lines.iter().zip(expected).all(|(line, level)| line.contains(level)), "{level}: {lines:?}");
        }
    });
}

#[test]
fn a_filter_by_targets_crosses_in_the_text() {
    with_events(|pool, file| {
        let quiet: Inject = |span| traces::inject_with(&"tests_process::functions=warn".parse().unwrap(), span);
        let loud: Inject = |span| traces::inject_with(&"off,tests_process=info".parse().unwrap(), span);
        let off: Inject = |span| traces::inject_with(&"info,tests_process=off".parse().unwrap(), span);
        for (inject, expected) in
            [(quiet, &["WARN"][..]), (loud, &["INFO", "WARN"]), (off, &[]), (traces::inject, &["INFO", "WARN"])]
        {
            INJECT.set(inject);
            listening(LevelFilter::INFO, || {
                let (ours, theirs) =
                    info_span!("request").in_scope(|| (traces::current(), functions::says(pool, "text".into())));
                assert_eq!(block_on(theirs).unwrap(), ours);
            });
            let lines = lines(file);
            assert_eq!(lines.len(), expected.len(), "{lines:?}");
            assert!(lines.iter().zip(expected).all(|(line, level)| line.contains(level)), "{lines:?}");
        }
    });
}

#[test]
fn nothing_is_sent_without_a_subscriber() {
    with_events(|pool, file| {
        INJECT.set(|_| panic!("there is nothing to inject"));
        block_on(functions::says(pool, "text".into())).unwrap();
        assert_eq!(block_on(functions::caller_level(pool)).unwrap(), None);
        // The child's own filter decides.
        let lines = lines(file);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(!lines.iter().any(|line| line.contains("trace=")), "{lines:?}");
    });
}

#[test]
fn what_is_injected_may_be_nothing_too_long_or_a_panic() {
    with_events(|pool, file| {
        std::panic::set_hook(Box::new(|_| ()));
        let none: Inject = |_| None;
        let longest: Inject = |_| Some("X".repeat(65_535));
        let too_long: Inject = |_| Some("X".repeat(65_536));
        let panics: Inject = |_| panic!("on purpose");
        for (inject, expected) in [(none, 0), (longest, 65_535), (too_long, 0), (panics, 0), (longest, 65_535)] {
            INJECT.set(inject);
            listening(LevelFilter::INFO, || block_on(functions::says(pool, "text".into()))).unwrap();
            let lines = lines(file);
            assert_eq!(lines.len(), 2);
            assert!(lines.iter().all(|line| line.matches('X').count() == expected), "{lines:?}");
        }
        assert_eq!(pool.metrics().restarted(), 0);
    });
}
