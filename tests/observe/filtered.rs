//! C11 where the span of the job is filtered out, as many services have it: the body is in the caller's span all the same, and what goes
//! wrong is told there.
//!
//! The subscriber is the one of `tracing-subscriber` that prints lines of text, with a filter as `RUST_LOG` gives it.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use offload_runtime::{Error, Executor, ExecutorExt, Inline, ThreadPool};
use tests::support::{Occupied, finish, silence, tokio_runtime};
use tracing::{Metadata, Span, error, error_span, info, info_span};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload::Handle;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

/// What was printed.
#[derive(Default)]
struct Printed(Mutex<Vec<u8>>);

impl Write for &Printed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The subscriber of this process, with a filter that one test at a time sets.
struct Filtered {
    printed: Arc<Printed>,
    _alone: MutexGuard<'static, ()>,
}

impl Filtered {
    fn by(filter: &str) -> Self {
        static INSTALLED: OnceLock<(Arc<Printed>, Handle<EnvFilter, Registry>)> = OnceLock::new();
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let (printed, reload) = INSTALLED.get_or_init(|| {
            let printed = Arc::new(Printed::default());
            let (filter, reload) = reload::Layer::new(EnvFilter::new("off"));
            let layer = fmt::layer().without_time().with_ansi(false).with_writer(Arc::clone(&printed));
            let subscriber = Registry::default().with(filter).with(layer);
            tracing::subscriber::set_global_default(subscriber).expect("it is the only one");
            (printed, reload)
        });
        printed.0.lock().unwrap().clear();
        reload.reload(EnvFilter::new(filter)).unwrap();
        Self { printed: Arc::clone(printed), _alone: alone }
    }

    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.printed.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| line.trim_start().to_owned()).collect()
    }
}

fn here() -> Option<&'static str> {
    Span::current().metadata().map(Metadata::name)
}

#[test]
fn c11_the_callers_span_is_current_where_the_jobs_is_filtered_out() {
    let filtered = Filtered::by("info,offload_runtime=warn");
    let (pool, runtime) = (ThreadPool::new(1), tokio_runtime(1));
    let executors: [(&str, Box<dyn Executor>); 4] = [
        ("pool", Box::new(pool.clone())),
        ("view", Box::new(pool.limited(1))),
        ("inline", Box::new(Inline)),
        ("tokio", Box::new(runtime.handle().clone())),
    ];
    for (name, executor) in executors {
        let job = info_span!("request", id = name).in_scope(|| {
            executor.submit(|| {
                info!("in the body");
                here()
            })
        });
        assert_eq!(finish(job).unwrap(), Some("request"), "{name}");
        // The next one comes from nowhere.
        assert_eq!(finish(executor.submit(here)).unwrap(), None, "{name}");
    }
    let expected = |name| format!("INFO request{{id=\"{name}\"}}: filtered: in the body");
    assert_eq!(filtered.lines(), ["pool", "view", "inline", "tokio"].map(expected));
}

#[test]
fn c11_so_it_is_where_a_whole_process_logs_errors_only() {
    let filtered = Filtered::by("error");
    let pool = ThreadPool::new(1);
    let job = error_span!("request", id = 7).in_scope(|| {
        pool.submit(|| {
            error!("in the body");
            here()
        })
    });
    assert_eq!(finish(job).unwrap(), Some("request"));
    assert_eq!(finish(pool.submit(here)).unwrap(), None);
    assert_eq!(filtered.lines(), ["ERROR request{id=7}: filtered: in the body"]);
}

/// A refusal and a panic, not a cancellation: in the caller's span.
#[test]
fn failures_are_reported_in_the_callers_span() {
    silence();
    let filtered = Filtered::by("info,offload_runtime=warn");
    let pool = ThreadPool::builder().max_threads(1).queue_capacity(1).build();
    let request = info_span!("request", id = 7);
    request.in_scope(|| {
        assert!(finish(pool.submit(|| panic!("on purpose"))).is_err());
        let occupied = Occupied::new(&pool, 1);
        let waits = pool.submit(|| unreachable!());
        assert!(matches!(finish(pool.submit(|| ())), Err(Error::QueueFull)));
        drop(waits);
        occupied.release();
    });
    let panicked = "ERROR request{id=7}: offload_runtime::job: job panicked panic=\"on purpose\"";
    let refused = "WARN request{id=7}: offload_runtime::job: job refused reason=the executor's queue is full";
    assert_eq!(filtered.lines(), [panicked, refused]);
}

/// What a service with the usual filter prints: the job's span stands between the request and what the body says.
#[test]
fn by_default_the_jobs_span_is_in_every_line_of_its_body() {
    let filtered = Filtered::by("info");
    let pool = ThreadPool::builder().thread_name("db").build();
    info_span!("request", id = 7).in_scope(|| finish(pool.submit(|| info!("in the body")))).unwrap();
    let [line] = &filtered.lines()[..] else { panic!() };
    assert!(line.starts_with("INFO request{id=7}:job{"), "{line}");
    assert!(line.contains("filtered.rs:") && line.contains("pool=\"db\" thread=\"db-0\" wait_us="), "{line}");
    assert!(line.ends_with(": filtered: in the body"), "{line}");
}
