//! What is seen of the executors: the events of the live page, its files, and what Prometheus scrapes.
//!
//! Executors are held by jobs that end when the test lets them, and each assertion is on an event that has to come. That the page draws
//! what it is sent is `browser.rs`.

#![forbid(unsafe_code)]

mod support;

use std::collections::VecDeque;
use std::sync::mpsc::channel;

use axum::http::{HeaderValue, StatusCode};
use futures_util::StreamExt;
use offload_runtime::{ExecutorExt, JobHandle};
use reqwest::{Method, Response};
use serde_json::Value;
use service::PoolSize;
use tokio::time::timeout;

use crate::support::client::Client;
use crate::support::pictures::png;
use crate::support::{LONG, Service, hold};

/// Server-sent events, one after another.
struct Events {
    response: Response,
    text: String,
    parsed: VecDeque<(String, Value)>,
}

impl Events {
    async fn open(client: &Client) -> Self {
        let response = client.request(Method::GET, "/pools/events").send().await.unwrap();
        assert_eq!(
            (response.status(), &response.headers()["Content-Type"]),
            (StatusCode::OK, &HeaderValue::from_static("text/event-stream"))
        );
        Self { response, text: String::new(), parsed: VecDeque::new() }
    }

    /// Its name and its data. `None` at the end of the stream.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some(event) = self.parsed.pop_front() {
                return Some(event);
            }
            let chunk = timeout(LONG, self.response.chunk()).await.expect("an event or the end").unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name| event.lines().find_map(|line| line.strip_prefix(name));
                let data = serde_json::from_str(field("data: ").expect("data")).unwrap();
                self.parsed.push_back((field("event: ").expect("a name").to_owned(), data));
                let rest = rest.len();
                self.text.drain(..self.text.len() - rest);
            }
        }
    }

    async fn history(&mut self) -> Value {
        let (name, history) = self.next().await.expect("the stream has begun");
        assert_eq!(name, "history");
        history
    }

    /// Reads on to a sample in which this is so of the executor.
    async fn until(&mut self, executor: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let found = async {
            while let Some((_, data)) = self.next().await {
                let sample = if data["sample"].is_null() { &data } else { &data["sample"] };
                let executor = named(sample, executor);
                if is_so(executor) {
                    return executor.clone();
                }
            }
            panic!("the stream ended before it was so");
        };
        timeout(LONG, found).await.expect("it comes to this")
    }
}

fn named<'a>(sample: &'a Value, executor: &str) -> &'a Value {
    sample["executors"].as_array().unwrap().iter().find(|each| each["name"] == executor).expect("it is there")
}

fn method<'a>(executor: &'a Value, site: &str) -> &'a Value {
    let methods = executor["methods"].as_array().unwrap();
    methods.iter().find(|method| method["site"] == site).unwrap_or_else(|| panic!("no {site} in {methods:?}"))
}

#[tokio::test]
async fn figures_move_while_jobs_queue_and_come_back() {
    let service = Service::start_with(|config| config.cpu = PoolSize { threads: 1, queue: 2 }).await;
    let mut events = Events::open(&service.client).await;
    let history = events.history().await;
    let names: Vec<_> = history["sample"]["executors"].as_array().unwrap().iter().map(|each| &each["name"]).collect();
    assert_eq!(names, ["db", "cpu", "files"]);
    let idle = named(&history["sample"], "cpu");
    assert_eq!(
        (&idle["max_threads"], &idle["queue_capacity"], &idle["kind"]),
        (&1.into(), &2.into(), &"threads".into())
    );

    let cpu = &service.state().cpu;
    let (release, wait) = channel::<()>();
    // Nothing is sent: it ends when the sender is dropped.
    let running = cpu.submit(move || _ = wait.recv());
    events.until("cpu", |cpu| cpu["running"] == 1).await;
    let queued: Vec<JobHandle<()>> = (0..2).map(|_| cpu.submit(|| ())).collect();
    assert_eq!(service.client.sign_up("ada").await.status, 503);
    let full = events.until("cpu", |cpu| cpu["queued"] == 2).await;
    assert_eq!((&full["running"], &full["threads"]), (&1.into(), &1.into()));
    let job = &full["jobs"][0];
    assert!(job["thread"].as_str().unwrap().starts_with("cpu-"), "{job}");
    assert!(job["site"].as_str().unwrap().contains("watch.rs:"), "{job}");
    assert!(job["ms"].as_f64().unwrap() >= 0.0 && job["cancelled"] == false, "{job}");
    assert_eq!((&full["refused"], &method(&full, "Accounts::hash")["refused"]), (&1.into(), &1.into()));

    drop(queued);
    let fewer = events.until("cpu", |cpu| cpu["queued"] == 0).await;
    assert_eq!((&fewer["cancelled"], &fewer["cancelled_before_start"]), (&2.into(), &2.into()));
    // A job whose caller left is shown as such, as long as it runs.
    drop(running);
    let gone = events.until("cpu", |cpu| cpu["jobs"][0]["cancelled"] == true).await;
    assert_eq!(gone["running"], 1);
    drop(release);
    events.until("cpu", |cpu| cpu["running"] == 0 && cpu["jobs"] == Value::Array(Vec::new())).await;
}

#[tokio::test]
async fn each_method_has_its_times() {
    let service = Service::start().await;
    let ada = service.client.join("ada").await;
    ada.upload("image/png", png(40, 30, 0)).await;
    let mut events = Events::open(&service.client).await;
    let cpu = events.until("cpu", |cpu| cpu["completed"].as_u64() >= Some(3) && cpu["running"] == 0).await;
    for site in ["Accounts::hash", "Accounts::verify"] {
        let method = method(&cpu, site);
        assert_eq!(method["completed"], 1, "{method}");
        for times in [&method["wait"]["all"], &method["run"]["m1"]] {
            let time = |quantile: &str| times[quantile].as_f64().unwrap_or_else(|| panic!("no {quantile} in {method}"));
            assert_eq!(times["count"], 1, "{method}");
            assert!(0.0 < time("p50") && time("p50") <= time("p90") && time("p90") <= time("p99"), "{method}");
            assert!(time("p99") <= time("max") && time("max") < LONG.as_secs_f64() * 1e3, "{method}");
        }
    }
    let db = events.until("db", |db| db["completed"].as_u64() > Some(0)).await;
    assert_eq!(method(&db, "Accounts::insert")["completed"], 1);
}

#[tokio::test]
async fn a_late_viewer_gets_the_history() {
    let service = Service::start_with(|config| config.cpu.threads = 1).await;
    let mut early = Events::open(&service.client).await;
    early.history().await;
    let held = hold(&service.state().cpu, 1).await;
    let queued = service.state().cpu.submit(|| ());
    early.until("cpu", |cpu| cpu["queued"] == 1).await;
    drop((held, queued));
    early.until("cpu", |cpu| cpu["queued"] == 0 && cpu["running"] == 0).await;

    let history = Events::open(&service.client).await.history().await;
    let points = history["points"].as_array().unwrap();
    let busy = points.iter().find(|point| point["executors"][1]["queued"] == 1).expect("it was seen");
    assert_eq!(busy["executors"][1]["running"], 1);
    let times = || points.iter().chain([&history["sample"]]).map(|point| point["at"].as_f64().unwrap());
    assert!(times().is_sorted_by(|a, b| a < b), "{:?}", times().collect::<Vec<_>>());
}

#[tokio::test]
async fn the_stream_says_so_and_ends_when_the_service_stops() {
    let service = Service::start().await;
    let mut events = Events::open(&service.client).await;
    events.history().await;
    let stopping = tokio::spawn(service.stop());
    let mut last = String::new();
    while let Some((name, _)) = events.next().await {
        last = name;
    }
    assert_eq!(last, "stop");
    // An open page keeps nothing from stopping.
    timeout(LONG, stopping).await.expect("it stops").unwrap().0.unwrap();
}

#[tokio::test]
async fn pages_beyond_the_last_place_are_refused_until_one_leaves() {
    let service = Service::start().await;
    let open = async |_| Events::open(&service.client).await;
    let mut pages: Vec<Events> = futures_util::stream::iter(0..64).then(open).collect().await;
    let one_more = service.client.get("/pools/events").await;
    assert_eq!((one_more.status.as_u16(), one_more.header("Retry-After")), (503, "10"));
    pages.pop();
    // The service sees that it left when it next writes to it.
    timeout(LONG, async {
        while service.client.request(Method::GET, "/pools/events").send().await.unwrap().status() != 200 {}
    })
    .await
    .expect("the place is free");
}

#[tokio::test]
async fn inline_executors_are_shown_without_threads() {
    let service = Service::start_with(|config| config.inline = true).await;
    service.client.join("ada").await;
    let history = Events::open(&service.client).await.history().await;
    for executor in ["db", "cpu", "files"] {
        let executor = named(&history["sample"], executor);
        assert_eq!((&executor["kind"], &executor["max_threads"]), (&"inline".into(), &0.into()));
    }
}

#[tokio::test]
async fn the_page_comes_with_its_files_and_a_policy() {
    let service = Service::start().await;
    let page = service.client.get("/pools").await;
    assert_eq!((page.status.as_u16(), page.header("Content-Type")), (200, "text/html; charset=utf-8"));
    let html = String::from_utf8(page.body.to_vec()).unwrap();
    let files: Vec<_> = html.split('"').filter(|text| text.starts_with("pools/") && text.contains('.')).collect();
    assert!(files.len() >= 3, "{files:?}");
    for path in files.into_iter().chain(["pools"]) {
        let file = service.client.get(&format!("/{path}")).await;
        assert_eq!(file.status, 200, "{path}");
        let policy = file.header("Content-Security-Policy");
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(file.header("X-Content-Type-Options"), "nosniff");
    }
    assert_eq!(service.client.delete("/pools").await.status, 405);
    // Cancelling is not allowed.
    let answer = service.client.request(Method::POST, "/pools/cancel").body("{}").send().await.unwrap();
    assert_eq!(answer.status(), 404);
}

#[tokio::test]
async fn prometheus_scrapes_what_is_documented() {
    let service = Service::start().await;
    let ada = service.client.join("ada").await;
    ada.get("/pictures").await;
    // The sampler's own figure comes with its first look.
    Events::open(&service.client).await.until("db", |db| db["completed"].as_u64() > Some(0)).await;
    let answer = service.client.get("/metrics").await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("Content-Type")),
        (200, "text/plain; version=0.0.4; charset=utf-8")
    );
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let line = |name: &str, labels: &[&str]| {
        let is_it = |line: &&str| {
            line.split(['{', ' ']).next() == Some(name) && labels.iter().all(|label| line.contains(label))
        };
        let found: Vec<&str> = text.lines().filter(is_it).collect();
        // Of two, which differ in a label that is not asked for, either may be the first.
        let [line] = found[..] else { panic!("not one {name} with {labels:?}, but {found:#?} in:\n{text}") };
        line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()
    };
    let hash = ["pool=\"cpu\"", "method=\"service::accounts::Accounts::hash\""];
    assert!(line("offload_jobs_submitted", &hash) >= 1.0);
    assert!(line("offload_jobs_completed", &[hash[0], hash[1], "outcome=\"ok\""]) >= 1.0);
    assert!(line("offload_job_run_bucket", &[hash[0], hash[1], "le=\"10\""]) >= 1.0);
    assert!(line("offload_job_wait_bucket", &[hash[0], hash[1], "le=\"+Inf\""]) >= 1.0);
    assert!(line("offload_job_run_sum", &hash) > 0.0);
    assert!(line("offload_pool_threads", &["pool=\"db\""]) >= 1.0);
    for gauge in ["offload_jobs_queued", "offload_jobs_running"] {
        assert!(line(gauge, &hash) >= 0.0);
    }
    assert!(line("service_runtime_late", &[]) >= 0.0);
}
