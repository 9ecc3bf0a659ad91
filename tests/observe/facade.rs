//! The figures as Prometheus gets them: each test scrapes a real exporter over HTTP, and reads what it says of a pool of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use futures::StreamExt;
use metrics_exporter_prometheus::PrometheusBuilder;
use observe::Service;
use offload_runtime::{Error, ExecutorExt, Limited, StatefulPool, ThreadPool, ThreadPoolBuilder, check_cancelled};
use tests::support::{Gate, Keeping, Occupied, PATIENCE, eventually, finish, silence};

/// The exporter does not show the port that it gets for port 0. So a free one is looked for, and another if that is taken meanwhile.
fn exporter() -> SocketAddr {
    static ADDRESS: OnceLock<SocketAddr> = OnceLock::new();
    *ADDRESS.get_or_init(|| {
        for _ in 0..10 {
            let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
            let builder =
                PrometheusBuilder::new().with_http_listener(address).set_buckets(&[0.001, 1.0, 60.0]).unwrap();
            if builder.install().is_ok() {
                return address;
            }
        }
        panic!("no port for the exporter");
    })
}

/// Held by each test, so that no other scrapes while it records: what is recorded as a scrape takes the exporter's block of samples away may be
/// lost with it.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    // A test that failed leaves nothing behind that the next one reads.
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One line of an exporter's answer.
#[derive(Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

/// An answer of the exporter.
struct Scrape {
    samples: Vec<Sample>,
    /// The kind of each name.
    kinds: BTreeMap<String, String>,
    helped: BTreeSet<String>,
}

impl Scrape {
    fn now() -> Self {
        let mut stream = TcpStream::connect(exporter()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let (mut samples, mut kinds, mut helped) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
        for line in body.lines().filter(|line| !line.is_empty()) {
            if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                kinds.insert(name.to_owned(), kind.to_owned());
            } else if let Some(help) = line.strip_prefix("# HELP ") {
                helped.insert(help.split(' ').next().unwrap().to_owned());
            } else if line.starts_with("offload_") {
                samples.push(sample(line));
            }
        }
        Self { samples, kinds, helped }
    }

    /// The value of a name with the given labels, or the sum where more than one site has them.
    #[track_caller]
    fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |sample: &&Sample| {
            labels.iter().all(|(label, value)| sample.labels.get(*label).is_some_and(|is| is == value))
        };
        let found: Vec<_> = self.samples.iter().filter(|sample| sample.name == name).filter(has).collect();
        assert!(!found.is_empty(), "no {name} with {labels:?} in {:#?}", self.samples);
        found.iter().map(|sample| sample.value).sum()
    }

    /// As `value`, of a pool, where it has to be a whole number.
    #[track_caller]
    fn count(&self, name: &str, pool: &str) -> u64 {
        self.count_with(name, &[("pool", pool)])
    }

    #[track_caller]
    fn count_with(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        let value = self.value(name, labels);
        format!("{value}").parse().unwrap_or_else(|_| panic!("{name} with {labels:?} is {value}"))
    }

    /// Nothing of a pool is under way, and the counts of its jobs balance.
    #[track_caller]
    fn assert_at_rest(&self, pool: &str) {
        let count = |name: &str| self.count(name, pool);
        assert_eq!((count("offload_jobs_queued"), count("offload_jobs_running")), (0, 0));
        let ended =
            ["completed", "panicked", "cancelled", "refused"].map(|what| count(&format!("offload_jobs_{what}")));
        assert_eq!(count("offload_jobs_submitted"), ended.iter().sum::<u64>());
    }
}

/// `name{label="value",...} 1.5`
fn sample(line: &str) -> Sample {
    let (name, rest) = line.split_once('{').unwrap_or_else(|| panic!("without labels: {line}"));
    let (labels, value) = rest.rsplit_once("} ").unwrap();
    let labels = labels.split("\",").map(|label| {
        let (label, value) = label.split_once("=\"").unwrap();
        (label.to_owned(), value.trim_end_matches('"').to_owned())
    });
    Sample { name: name.into(), labels: labels.collect(), value: value.parse().unwrap() }
}

/// A pool of that name. The exporter is there before its first job.
fn named(name: &str) -> ThreadPoolBuilder {
    exporter();
    ThreadPool::builder().thread_name(name)
}

#[test]
fn completed_jobs_are_counted_by_method() {
    let _alone = alone();
    let service = Service { executor: named("completed").max_threads(1).build() };
    for what in ["ada", "grace", "alan"] {
        finish(service.find(what));
    }
    let line = line!() + 1;
    finish(service.executor.submit(|| ())).unwrap();

    let scrape = Scrape::now();
    scrape.assert_at_rest("completed");
    let method = [("pool", "completed"), ("method", "observe::service::Service::find")];
    assert_eq!(scrape.count_with("offload_jobs_submitted", &method), 3);
    assert_eq!(scrape.count_with("offload_jobs_completed", &method), 3);
    assert_eq!(scrape.count("offload_jobs_completed", "completed"), 4);
    let by_hand =
        |sample: &&Sample| sample.labels["pool"] == "completed" && sample.labels["method"].contains("facade.rs");
    let by_hand = scrape.samples.iter().find(by_hand).unwrap();
    assert!(by_hand.labels["method"].contains(&format!("facade.rs:{line}:")), "{by_hand:?}");
}

#[test]
fn gauges_tell_what_is_under_way() {
    let _alone = alone();
    let pool = named("gauges").max_threads(2).build();
    let occupied = Occupied::new(&pool, 2);
    let waiting = [(); 3].map(|()| pool.submit(|| ()));
    let scrape = Scrape::now();
    assert_eq!(scrape.count("offload_jobs_running", "gauges"), 2);
    assert_eq!(scrape.count("offload_jobs_queued", "gauges"), 3);
    assert_eq!(scrape.count("offload_pool_threads", "gauges"), 2);
    assert_eq!(scrape.count("offload_jobs_submitted", "gauges"), 5);
    assert_eq!(scrape.count("offload_jobs_completed", "gauges"), 0);
    occupied.release();
    for job in waiting {
        finish(job).unwrap();
    }
    Scrape::now().assert_at_rest("gauges");
    assert_eq!(Scrape::now().count("offload_jobs_completed", "gauges"), 5);
    finish(pool.shutdown());
    assert_eq!(Scrape::now().count("offload_pool_threads", "gauges"), 0);
}

#[test]
fn a_panic_is_counted() {
    let _alone = alone();
    silence();
    let pool = named("panicked").build();
    assert!(finish(pool.submit(|| panic!("on purpose"))).is_err());
    let scrape = Scrape::now();
    scrape.assert_at_rest("panicked");
    assert_eq!(scrape.count("offload_jobs_panicked", "panicked"), 1);
    assert_eq!(scrape.count("offload_jobs_completed", "panicked"), 0);
    assert_eq!(scrape.count("offload_job_run_count", "panicked"), 1);
}

#[test]
fn cancellations_are_counted_by_when() {
    let _alone = alone();
    let pool = named("cancelled").max_threads(1).build();
    let gate = Gate::closed();
    let of_job = gate.clone();
    let running = pool.submit(move || {
        of_job.pass();
        check_cancelled();
    });
    gate.wait_for(1);
    drop(pool.submit(|| unreachable!()));
    let waiting = pool.submit(|| unreachable!());
    waiting.cancel();
    assert!(matches!(finish(waiting), Err::<(), _>(Error::Cancelled)));
    let before = [("pool", "cancelled"), ("when", "before_start")];
    let after = [("pool", "cancelled"), ("when", "after_start")];
    let scrape = Scrape::now();
    assert_eq!(scrape.count_with("offload_jobs_cancelled", &before), 2);
    assert_eq!(scrape.count_with("offload_jobs_cancelled", &after), 0);
    assert_eq!(scrape.count("offload_jobs_queued", "cancelled"), 0);
    running.cancel();
    gate.open();
    eventually("the job ends", || Scrape::now().count_with("offload_jobs_cancelled", &after) == 1);
    Scrape::now().assert_at_rest("cancelled");
    assert_eq!(pool.metrics().cancelled_after_start(), 1);
}

#[test]
fn refusals_are_counted_by_reason() {
    let _alone = alone();
    let pool = named("refused").max_threads(1).queue_capacity(0).build();
    let of = |reason| Scrape::now().count_with("offload_jobs_refused", &[("pool", "refused"), ("reason", reason)]);
    let occupied = Occupied::new(&pool, 1);
    assert!(matches!(finish(pool.submit(|| ())), Err(Error::QueueFull)));
    assert_eq!((of("queue_full"), of("shut_down")), (1, 0));
    pool.close();
    for _ in 0..2 {
        assert!(matches!(finish(pool.submit(|| ())), Err(Error::ShutDown)));
    }
    assert_eq!((of("queue_full"), of("shut_down")), (1, 2));
    occupied.release();
    finish(pool.shutdown());
    assert_eq!((of("spawn"), of("other")), (0, 0));
    Scrape::now().assert_at_rest("refused");

    // Jobs that waited when the pool stopped.
    let pool = named("stopped").max_threads(1).build();
    let occupied = Occupied::new(&pool, 1);
    let waits = [(); 2].map(|()| pool.submit(|| ()));
    let shutdown = pool.shutdown_now();
    for job in waits {
        assert!(matches!(finish(job), Err(Error::ShutDown)));
    }
    occupied.release();
    finish(shutdown);
    let scrape = Scrape::now();
    assert_eq!(scrape.count_with("offload_jobs_refused", &[("pool", "stopped"), ("reason", "shut_down")]), 2);
    scrape.assert_at_rest("stopped");
}

/// A view has figures of its own; in those of its pool, its turns on a thread are jobs.
#[test]
fn a_view_is_a_pool_of_its_own_name() {
    const VIEW: &str = "viewed.limited(1)";
    let _alone = alone();
    let pool = named("viewed").max_threads(2).build();
    let view = pool.clone().limited(1).queue_capacity(1);
    let occupied = Occupied::new(&view, 1);
    let waits = view.submit(|| ());
    assert!(matches!(finish(view.submit(|| ())), Err(Error::QueueFull)));
    let scrape = Scrape::now();
    assert_eq!((scrape.count("offload_jobs_running", VIEW), scrape.count("offload_jobs_queued", VIEW)), (1, 1));
    assert_eq!(scrape.count_with("offload_jobs_refused", &[("pool", VIEW), ("reason", "queue_full")]), 1);
    let turn = [("pool", "viewed"), ("method", "offload_runtime::limited::Limited")];
    assert_eq!(scrape.count_with("offload_jobs_running", &turn), 1);
    occupied.release();
    finish(waits).unwrap();
    eventually("the view gives its thread back", || pool.metrics().running() == 0);
    let scrape = Scrape::now();
    scrape.assert_at_rest(VIEW);
    scrape.assert_at_rest("viewed");
    assert_eq!(scrape.count("offload_jobs_completed", VIEW), 2);
    assert_eq!(scrape.count("offload_job_wait_count", VIEW), 2);

    // A view of an executor without figures.
    exporter();
    let keeping = Limited::new(Keeping::default(), 7);
    let lost = keeping.submit(|| ());
    drop(keeping);
    drop(lost);
    assert_eq!(Scrape::now().count("offload_jobs_submitted", "limited(7)"), 1);
}

/// Times are in seconds, and are those of `pool.metrics()`.
#[test]
fn times_are_histograms_in_seconds() {
    let _alone = alone();
    let pool = named("timed").max_threads(1).build();
    let occupied = Occupied::new(&pool, 1);
    let waiting = Instant::now();
    let job = pool.submit(|| {
        let began = Instant::now();
        while began.elapsed().as_millis() < 3 {
            std::hint::spin_loop();
        }
        began.elapsed().as_secs_f64()
    });
    let waited = waiting.elapsed().as_secs_f64();
    occupied.release();
    let ran = finish(job).unwrap();
    let in_all = waiting.elapsed().as_secs_f64();

    let scrape = Scrape::now();
    let here = scrape
        .samples
        .iter()
        .find(|sample| sample.labels["pool"] == "timed" && sample.labels["method"].contains("facade.rs"));
    let of_job = [("pool", "timed"), ("method", &*here.unwrap().labels["method"])];
    let value = |name| scrape.value(name, &of_job);
    assert_eq!((value("offload_job_wait_count"), value("offload_job_run_count")), (1.0, 1.0));
    assert!((ran..=in_all).contains(&value("offload_job_run_sum")), "{} of {ran}", value("offload_job_run_sum"));
    assert!((0.0..=in_all).contains(&value("offload_job_wait_sum")), "at least about {waited}");
    let at_most = |bound| scrape.count_with("offload_job_run_bucket", &[of_job[0], of_job[1], ("le", bound)]);
    assert_eq!((at_most("0.001"), at_most("60"), at_most("+Inf")), (0, 1, 1));
    assert_eq!(scrape.kinds["offload_job_run"], "histogram");
}

/// Where one of many jobs is timed and stands for the others, it is published for as many as it is counted for.
#[test]
fn a_flood_is_counted_as_its_metrics_count_it() {
    const JOBS: u64 = 2_000;
    let _alone = alone();
    let pool = named("flood").max_threads(1).build();
    let occupied = Occupied::new(&pool, 1);
    let jobs: Vec<_> = (0..JOBS).map(|_| pool.submit(|| ())).collect();
    assert_eq!(Scrape::now().count("offload_jobs_queued", "flood"), JOBS);
    occupied.release();
    for job in jobs {
        finish(job).unwrap();
    }
    let (scrape, metrics) = (Scrape::now(), pool.metrics());
    scrape.assert_at_rest("flood");
    assert_eq!(scrape.count("offload_jobs_completed", "flood"), JOBS + 1);
    assert_eq!(scrape.count("offload_job_wait_count", "flood"), metrics.wait().count());
    assert_eq!(scrape.count("offload_job_run_count", "flood"), metrics.run().count());
    assert!(metrics.wait().count() > JOBS / 2, "{metrics}");
}

#[test]
fn without_timing_there_are_counts_only() {
    let _alone = alone();
    let pool = named("untimed").timing(false).build();
    finish(pool.submit(|| ())).unwrap();
    let scrape = Scrape::now();
    assert_eq!(scrape.count("offload_jobs_completed", "untimed"), 1);
    let has_times = |sample: &&Sample| {
        sample.labels["pool"] == "untimed" && sample.name.starts_with("offload_job_") && sample.value != 0.0
    };
    assert!(scrape.samples.iter().find(has_times).is_none());
}

/// A site without streams has no count of items, and not one that is zero.
#[test]
fn items_are_published_for_sites_that_have_streams() {
    let _alone = alone();
    let pool = named("items").build();
    finish(pool.submit(|| ())).unwrap();
    let has_items = |sample: &&Sample| sample.name == "offload_streams_items" && sample.labels["pool"] == "items";
    assert_eq!(Scrape::now().samples.iter().filter(has_items).count(), 0);
    for _ in 0..2 {
        assert_eq!(finish(pool.stream(|| 0..500).count()), 500);
    }
    let scrape = Scrape::now();
    let of_lines: Vec<_> = scrape.samples.iter().filter(has_items).collect();
    let [line] = &of_lines[..] else { panic!("one line has streams: {of_lines:?}") };
    assert!(
        (line.value, line.labels.len()) == (1_000.0, 2) && line.labels["method"].contains("facade.rs:"),
        "{line:?}"
    );
    eventually("its jobs end", || pool.metrics().running() + pool.metrics().queued() == 0);
    Scrape::now().assert_at_rest("items");
}

/// The guide's table of names and kinds is what the exporter gets: nothing is missing in it, nothing is invented.
#[test]
fn the_published_names_are_those_of_the_guide() {
    let _alone = alone();
    silence();
    let pool = named("names").queue_capacity(1).build();
    finish(pool.submit(|| ())).unwrap();
    let states = StatefulPool::new(1, || Ok::<_, std::io::Error>(()));
    finish(states.submit_with(|()| ())).unwrap();
    assert_eq!(finish(pool.stream(|| 0..3).count()), 3);
    pool.limited(1).publish_gauges();
    let scrape = Scrape::now();
    let published: BTreeMap<_, _> = scrape
        .kinds
        .iter()
        .filter(|(name, _)| name.starts_with("offload_"))
        .map(|(name, kind)| (&**name, &**kind))
        .collect();
    let guide = include_str!("../../offload-runtime/src/guide/figures.md");
    let section = guide.split("\n# ").find(|section| section.starts_with("Publish")).unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `offload."));
    let documented: Vec<_> = rows
        .flat_map(|row| {
            let [_, names, kind, ..] = row.split('|').map(str::trim).collect::<Vec<_>>()[..] else { panic!("{row}") };
            let kind = kind.split(',').next().unwrap();
            names.split(", ").map(move |name| (name.trim_matches('`').replace('.', "_"), kind))
        })
        .collect();
    let documented: BTreeMap<_, _> = documented.iter().map(|(name, kind)| (&**name, *kind)).collect();
    assert_eq!(documented, published);
    for name in published.keys() {
        assert!(scrape.helped.contains(*name), "{name} is not described");
    }
}

/// An operator sees a pool that no job has come to.
#[test]
fn a_pool_has_its_gauges_before_its_first_job() {
    let _alone = alone();
    let pool = named("unused").max_threads(7).queue_capacity(9).build();
    let scrape = Scrape::now();
    let gauge = |name: &str| scrape.count(&format!("offload_pool_{name}"), "unused");
    assert_eq!((gauge("max_threads"), gauge("queue_capacity")), (7, 9));
    for name in ["threads", "idle", "peak_threads", "peak_running", "peak_queued", "oldest_wait"] {
        assert_eq!(gauge(name), 0, "{name}");
    }
    drop(pool);
}

#[test]
fn gauges_without_events_are_published_when_asked() {
    let _alone = alone();
    let pool = named("asked").max_threads(2).build();
    Occupied::new(&pool, 2).release();
    eventually("both are idle", || pool.metrics().idle() == 2);
    pool.publish_gauges();
    let of = |name: &str| Scrape::now().value(&format!("offload_pool_{name}"), &[("pool", "asked")]);
    assert_eq!((of("idle"), of("peak_threads"), of("peak_running"), of("oldest_wait")), (2.0, 2.0, 2.0, 0.0));
    let occupied = Occupied::new(&pool, 2);
    let waiting = [(); 3].map(|()| pool.submit(|| ()));
    assert_eq!((of("idle"),), (2.0,), "not published since");
    pool.publish_gauges();
    assert_eq!((of("idle"), of("peak_queued")), (0.0, 3.0));
    assert!(of("oldest_wait") > 0.0);
    occupied.release();
    for job in waiting {
        finish(job).unwrap();
    }
}

/// A view has its limit, its queue and its oldest waiting job under its own name, and its jobs as a pool has.
#[test]
fn a_views_gauges_are_published_when_asked() {
    let _alone = alone();
    let pool = named("of_views").max_threads(4).build();
    let view = Limited::builder(pool.clone()).limit(2).queue_capacity(9).name("a_view").build();
    let unnamed = pool.limited(3);
    let of = |pool: &str, names: &[&str]| {
        let scrape = Scrape::now();
        let value = |name: &&str| scrape.value(&format!("offload_{name}"), &[("pool", pool)]);
        names.iter().map(value).collect::<Vec<_>>()
    };
    let is_there = |name: &str, pool: &str| {
        Scrape::now().samples.iter().any(|sample| sample.name == name && sample.labels["pool"] == pool)
    };
    let occupied = Occupied::new(&view, 2);
    let waiting = [(); 3].map(|()| view.submit(|| ()));
    finish(unnamed.submit(|| ())).unwrap();
    assert!(!is_there("offload_pool_limit", "a_view"), "made, and not published");
    view.publish_gauges();
    unnamed.publish_gauges();
    let now = of("a_view", &["pool_limit", "pool_queue_capacity", "pool_peak_queued", "jobs_queued", "jobs_running"]);
    assert_eq!(now, [2.0, 9.0, 3.0, 3.0, 2.0]);
    assert!(of("a_view", &["pool_oldest_wait"])[0] > 0.0);
    assert_eq!(of("of_views.limited(3)", &["pool_limit"]), [3.0]);
    assert!(!is_there("offload_pool_queue_capacity", "of_views.limited(3)"), "it has no bound");

    view.set_limit(5);
    occupied.release();
    for job in waiting {
        finish(job).unwrap();
    }
    view.publish_gauges();
    assert_eq!(of("a_view", &["pool_limit", "pool_oldest_wait"]), [5.0, 0.0]);
}

#[test]
fn errors_and_abandoned_jobs_are_counted() {
    let _alone = alone();
    let service = Service { executor: named("ends").max_threads(1).build() };
    drop(finish(service.check(true)));
    drop(finish(service.check(false)));
    let gate = Gate::closed();
    let of_job = gate.clone();
    let handle = service.executor.submit(move || of_job.pass());
    gate.wait_for(1);
    drop(handle);
    gate.open();
    finish(service.executor.submit(|| ())).unwrap();
    let scrape = Scrape::now();
    scrape.assert_at_rest("ends");
    let completed = |outcome| scrape.count_with("offload_jobs_completed", &[("pool", "ends"), ("outcome", outcome)]);
    assert_eq!((completed("ok"), completed("err")), (3, 1));
    assert_eq!(scrape.count("offload_jobs_abandoned", "ends"), 1);
    assert_eq!(scrape.count("offload_job_abandoned_run_count", "ends"), 1);
    assert_eq!(scrape.count("offload_job_run_count", "ends"), 4);
}
