//! C6: what a recorder of `metrics` does is no business of the pool's: it may panic, ask the pool, or give it jobs, whatever it is told.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once};

use futures::StreamExt as _;
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use offload_runtime::{Error, Executor, ExecutorExt, Limited, StatefulPool, ThreadPool};
use tests::support::{Occupied, PATIENCE, finish, silence, within};

/// When the recorder does what it does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    /// It is asked for a counter, a gauge or a histogram.
    Asked,
    /// It is told a figure.
    Told,
}

/// What is done on account of one pool.
type Deed = dyn Fn(When) + Send + Sync;

/// Does what each pool's test asks for. What it is told is added up, name by name.
#[derive(Clone, Default)]
struct Doing(Arc<Mutex<HashMap<String, Told>>>);

#[derive(Clone, Default)]
struct Told {
    deed: Option<Arc<Deed>>,
    sums: HashMap<String, i64>,
}

/// A counter, gauge or histogram.
struct Handle {
    recorder: Doing,
    pool: String,
    name: String,
}

impl Doing {
    fn of_process() -> Self {
        static INSTALL: Once = Once::new();
        static DOING: Mutex<Option<Doing>> = Mutex::new(None);
        INSTALL.call_once(|| {
            let doing = Self::default();
            *DOING.lock().unwrap() = Some(doing.clone());
            assert!(metrics::set_global_recorder(doing).is_ok(), "it is the only one");
        });
        DOING.lock().unwrap().clone().unwrap()
    }

    /// From now on, does that on account of the pool.
    fn on(&self, pool: &str, deed: impl Fn(When) + Send + Sync + 'static) {
        self.0.lock().unwrap().entry(pool.into()).or_default().deed = Some(Arc::new(deed));
    }

    fn act(&self, pool: &str, when: When) {
        let deed = self.0.lock().unwrap().entry(pool.into()).or_default().deed.clone();
        if let Some(deed) = deed {
            deed(when);
        }
    }

    fn sum(&self, pool: &str, name: &str) -> i64 {
        self.0.lock().unwrap()[pool].sums.get(name).copied().unwrap_or(0)
    }

    fn handle(&self, key: &Key) -> Arc<Handle> {
        let pool = key.labels().find(|label| label.key() == "pool").unwrap().value().to_owned();
        self.act(&pool, When::Asked);
        Arc::new(Handle { recorder: self.clone(), pool, name: key.name().to_owned() })
    }
}

impl Recorder for Doing {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.handle(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.handle(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.handle(key))
    }
}

impl Handle {
    fn add(&self, value: i64) {
        *self
            .recorder
            .0
            .lock()
            .unwrap()
            .entry(self.pool.clone())
            .or_default()
            .sums
            .entry(self.name.clone())
            .or_default() += value;
        self.recorder.act(&self.pool, When::Told);
    }
}

/// What a gauge changes by, which is a number of jobs or threads.
fn whole(value: f64) -> i64 {
    format!("{value}").parse().expect("a whole number")
}

impl CounterFn for Handle {
    fn increment(&self, value: u64) {
        self.add(value.try_into().unwrap());
    }

    fn absolute(&self, _: u64) {
        unreachable!("counts are added up");
    }
}

impl GaugeFn for Handle {
    fn increment(&self, value: f64) {
        self.add(whole(value));
    }

    fn decrement(&self, value: f64) {
        self.add(-whole(value));
    }

    fn set(&self, _: f64) {
        unreachable!("gauges go up and down");
    }
}

impl HistogramFn for Handle {
    fn record(&self, _: f64) {
        self.add(1);
    }
}

/// Twenty jobs on the pool and twenty on a view of it, five of which panic, and the shutdown; all of it ends.
fn exercise(pool: &ThreadPool) {
    silence();
    let (of_thread, view) = (pool.clone(), pool.clone().limited(1));
    within(PATIENCE, move || {
        for round in 0..20 {
            let body = move || assert!(round % 4 != 0, "on purpose");
            assert_eq!(finish(of_thread.submit(body)).is_ok(), round % 4 != 0);
            assert_eq!(finish(view.submit(move || round)).unwrap(), round);
        }
        of_thread.close();
        assert!(finish(of_thread.submit(|| ())).is_err());
        finish(of_thread.shutdown());
    });
    assert_eq!(pool.metrics().panicked(), 5, "{}", pool.metrics());
    assert!(pool.metrics().refused_shut_down() > 0, "{}", pool.metrics());
    assert_eq!((pool.metrics().queued(), pool.metrics().running(), pool.metrics().threads()), (0, 0, 0));
}

/// Neither when it is made nor for its threads, jobs, streams, states and views. The same things published are the proof that there is something
/// to decline.
#[test]
fn a_pool_that_declines_to_publish_calls_no_recorder() {
    let doing = Doing::of_process();
    let calls = |name: &str| doing.0.lock().unwrap().get(name).map_or(0, |told| told.sums.len());
    for publishes in [true, false] {
        let name = format!("declines: {}", !publishes);
        let pool = ThreadPool::builder().thread_name(&name).publish_metrics(publishes).build();
        let states = StatefulPool::builder().thread_name(format!("{name}, states")).publish_metrics(publishes);
        let states = states.open(|| Ok::<_, Error>(()));
        let of_its_own =
            Limited::builder(pool.clone()).name(format!("{name}, view")).publish_metrics(publishes).build();
        exercise(&pool);
        let pool = ThreadPool::builder().thread_name(&name).publish_metrics(publishes).build();
        assert_eq!(finish(pool.stream(|| 0..5).count()), 5);
        finish(states.submit_with(|()| ())).unwrap();
        assert!(finish(of_its_own.submit(|| ())).is_err(), "its pool is closed");
        finish(states.shutdown());
        if !publishes {
            pool.publish_gauges();
            of_its_own.publish_gauges();
        }
        assert_eq!(
            (pool.metrics().items(), states.metrics().states_opened(), of_its_own.metrics().refused()),
            (5, 1, 1)
        );
        for of in ["", ".limited(1)", ", states", ", view"] {
            let name = format!("{name}{of}");
            assert_eq!(calls(&name) > 0, publishes, "{name}: {} figures", calls(&name));
        }
    }
    assert!(
        doing.0.lock().unwrap().keys().all(|pool| !pool.starts_with("declines: true")),
        "nor is it asked for a handle"
    );
}

/// The choice of a view is its own.
#[test]
fn a_view_publishes_or_declines_whatever_its_pool_does() {
    let doing = Doing::of_process();
    for publishes in [true, false] {
        let pool = ThreadPool::builder().thread_name(format!("of {publishes}")).publish_metrics(!publishes).build();
        let name = format!("view of {publishes}");
        let view = Limited::builder(pool).name(&name).publish_metrics(publishes).build();
        finish(view.submit(|| ())).unwrap();
        assert_eq!(doing.0.lock().unwrap().contains_key(&name), publishes);
    }
}

/// Whatever it panics at: being asked for a handle, or being told something.
#[test]
fn c06_a_recorder_that_panics_does_no_harm() {
    let doing = Doing::of_process();
    let calls = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&calls);
    let panics = move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        panic!("on purpose");
    };
    doing.on("panics", panics.clone());
    doing.on("panics.limited(1)", panics);
    let pool = ThreadPool::builder().thread_name("panics").build();
    exercise(&pool);
    assert!(calls.load(Ordering::SeqCst) > 80, "it is asked again each time");
}

/// It panics only when an event arrives, as a handle that was made.
#[test]
fn c06_a_handle_that_panics_does_no_harm() {
    let doing = Doing::of_process();
    let pool = ThreadPool::builder().thread_name("hurts").build();
    finish(pool.submit(|| ())).unwrap();
    doing.on("hurts", |when| assert!(when == When::Asked, "on purpose"));
    exercise(&pool);
    assert!(doing.sum("hurts", "offload.jobs.submitted") > 20);
}

/// It takes the pool's locks, with everything that does.
#[test]
fn c06_a_recorder_may_read_the_pools_metrics() {
    let doing = Doing::of_process();
    let pool = ThreadPool::builder().thread_name("asked").max_threads(2).build();
    let (view, looks) = (pool.clone().limited(1), Arc::new(AtomicU64::new(0)));
    let (of_deed, count) = (pool.clone(), Arc::clone(&looks));
    let look = move |_| {
        assert!(format!("{of_deed:?}").contains("asked"));
        let _ = (of_deed.metrics(), of_deed.running_jobs(), view.metrics());
        count.fetch_add(1, Ordering::SeqCst);
    };
    doing.on("asked", look.clone());
    doing.on("asked.limited(1)", look);
    exercise(&pool);
    assert!(looks.load(Ordering::SeqCst) > 200);
    doing.on("asked", |_| ());
    doing.on("asked.limited(1)", |_| ());
}

/// So it is with jobs that never begin: cancelled or refused, one by one or all at once, in the pool's queue or in that of a view.
#[test]
fn c06_a_recorder_may_read_the_pools_metrics_when_a_job_never_begins() {
    let doing = Doing::of_process();
    let pool = ThreadPool::builder().thread_name("ended").max_threads(1).build();
    let view = pool.clone().limited(1);
    let occupied = Occupied::new(&pool, 1);
    let (of_deed, of_view) = (pool.clone(), view.clone());
    let look = move |_| {
        let _ = (of_deed.metrics(), of_view.metrics());
    };
    doing.on("ended", look.clone());
    doing.on("ended.limited(1)", look);
    let of_thread = (pool.clone(), view.clone());
    within(PATIENCE, move || {
        let (pool, view) = of_thread;
        let (queued, in_the_view) = (pool.submit(|| ()), view.submit(|| ()));
        drop((pool.submit(|| ()), view.submit(|| ())));
        let ended = pool.shutdown_now();
        for refused in [queued, in_the_view, pool.submit(|| ()), view.submit(|| ())] {
            assert!(matches!(finish(refused), Err(Error::ShutDown)));
        }
        occupied.release();
        finish(ended);
    });
    let (of_pool, of_view) = (pool.metrics(), view.metrics());
    assert_eq!((of_pool.cancelled_before_start(), of_view.cancelled_before_start()), (1, 1), "{of_pool}; {of_view}");
    // That of the pool was asked to run the view's turn, too.
    assert_eq!((of_pool.refused_shut_down(), of_view.refused_shut_down()), (3, 2), "{of_pool}; {of_view}");
    doing.on("ended", |_| ());
    doing.on("ended.limited(1)", |_| ());
}

/// It submits jobs, awaits some, and drops some; what they are counted as is not lost.
#[test]
fn c06_a_recorder_may_submit_jobs() {
    const AT_MOST: u64 = 200;
    let doing = Doing::of_process();
    let pool = ThreadPool::builder().thread_name("fed").max_threads(2).build();
    let (view, calls) = (pool.clone().limited(1), Arc::new(AtomicU64::new(0)));
    let (of_deed, count) = (pool.clone(), Arc::clone(&calls));
    let submit = move |_| {
        let call = count.fetch_add(1, Ordering::SeqCst);
        // Each job makes for more calls.
        if call < AT_MOST {
            of_deed.submit(|| ()).detach();
            drop(view.submit(|| ()));
            if call < 3 {
                let _ = finish(of_deed.submit(|| ()));
                let _ = finish(view.submit(|| ()));
            }
        }
    };
    doing.on("fed", submit.clone());
    doing.on("fed.limited(1)", submit);
    exercise(&pool);
    assert!(calls.load(Ordering::SeqCst) > AT_MOST);
    let metrics = pool.metrics();
    let sum = |name| doing.sum("fed", name);
    let count = |count: u64| i64::try_from(count).unwrap();
    assert_eq!(sum("offload.jobs.submitted"), count(metrics.submitted()), "{metrics}");
    assert_eq!(sum("offload.jobs.completed"), count(metrics.completed()), "{metrics}");
    assert_eq!(sum("offload.jobs.cancelled"), count(metrics.cancelled_before_start()), "{metrics}");
    assert_eq!((sum("offload.jobs.queued"), sum("offload.jobs.running"), sum("offload.pool.threads")), (0, 0, 0));
    doing.on("fed", |_| ());
    doing.on("fed.limited(1)", |_| ());
}

/// It waits for a job at one of its calls, be it that a job has come, begins, or has ended, or that there is a thread more: there is one
/// for both by then, or this one is free to run it.
#[test]
fn c06_a_recorder_may_wait_for_a_job() {
    const CALLS: u64 = 40;
    let doing = Doing::of_process();
    let mut waited = 0;
    for at in 0..CALLS {
        let name = format!("awaited at {at}");
        let pool = ThreadPool::builder().thread_name(&name).max_threads(1).build();
        let view = Arc::new(pool.clone().limited(1));
        for (name, executor) in [
            (name.clone(), Arc::new(pool.clone()) as Arc<dyn Executor>),
            (format!("{name}.limited(1)"), view as Arc<dyn Executor>),
        ] {
            let (of_deed, calls) = (Arc::clone(&executor), Arc::new(AtomicU64::new(0)));
            let count = Arc::clone(&calls);
            doing.on(&name, move |_| {
                if count.fetch_add(1, Ordering::SeqCst) == at {
                    finish(of_deed.submit(|| ())).unwrap();
                }
            });
            within(PATIENCE, move || finish(executor.submit(|| ())).unwrap());
            waited += u64::from(calls.load(Ordering::SeqCst) > at);
            doing.on(&name, |_| ());
        }
    }
    assert!(waited > 20, "only {waited} calls were waited at");
    assert!(waited < 2 * CALLS, "there are more than {CALLS} calls");
}

/// A recorder that has a job done for each handle that it makes: making the handles for that job's site makes for no end of them, unless
/// it waits until the first are made.
#[test]
fn c06_a_recorder_that_submits_a_job_for_each_handle_comes_to_an_end() {
    let doing = Doing::of_process();
    let pool = ThreadPool::builder().thread_name("made").max_threads(2).build();
    let (of_deed, made) = (pool.clone(), Arc::new(AtomicU64::new(0)));
    let count = Arc::clone(&made);
    doing.on("made", move |when| {
        if when == When::Asked {
            count.fetch_add(1, Ordering::SeqCst);
            of_deed.submit(|| ()).detach();
        }
    });
    exercise(&pool);
    let metrics = pool.metrics();
    assert!(made.load(Ordering::SeqCst) < 500, "{metrics}");
    assert_eq!(doing.sum("made", "offload.jobs.submitted"), i64::try_from(metrics.submitted()).unwrap(), "{metrics}");
    assert_eq!((doing.sum("made", "offload.jobs.queued"), doing.sum("made", "offload.jobs.running")), (0, 0));
    doing.on("made", |_| ());
}
