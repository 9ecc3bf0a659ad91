//! The page in headless Chromium: what a viewer sees and can do. `ci/setup.sh` installs the browser.

#![forbid(unsafe_code)]
#![cfg(unix)]

#[path = "support/driver.rs"]
mod driver;
#[path = "support/page.rs"]
mod page;
#[path = "support/serve.rs"]
mod serve;

use std::hint;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::header;
use axum::routing::get;
use fantoccini::key::Key;
use futures_util::StreamExt;
use offload_dashboard::Dashboard;
use offload_runtime::{Error, Executor, ExecutorExt, JobHandle, Limited, StatefulPool, ThreadPool, check_cancelled};
use serde_json::{Value, json};
use tests::support::{Gate, Occupied};

use crate::page::Page;
use crate::serve::open;

fn named(name: &str, threads: usize) -> ThreadPool {
    ThreadPool::builder().thread_name(name).max_threads(threads).build()
}

/// A remote executor whose calls a test begins and ends.
#[cfg(feature = "remote")]
mod remote {
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};

    use offload_runtime::remote::{Call, Format, Meter, MeteredCall, RemoteExecutor, RemoteMetrics};
    use offload_runtime::{Error, blocking};

    #[derive(Clone)]
    pub(crate) struct Elsewhere {
        meter: Arc<Meter>,
        calls: Arc<Mutex<VecDeque<MeteredCall>>>,
    }

    impl RemoteExecutor for Elsewhere {
        fn format(&self) -> Format {
            Format::Json
        }

        fn execute(&self, call: Call) {
            self.calls.lock().unwrap().push_back(self.meter.submit(call));
        }
    }

    impl Elsewhere {
        pub(crate) fn new(name: &str) -> Self {
            Self { meter: Arc::new(Meter::new(name)), calls: Arc::default() }
        }

        pub(crate) fn metrics(&self) -> RemoteMetrics {
            self.meter.metrics()
        }

        /// The first call begins.
        pub(crate) fn begin(&self) {
            self.calls.lock().unwrap()[0].begin();
        }

        /// The first call returns 1, and all others are refused.
        pub(crate) fn end(&self) {
            let mut calls = std::mem::take(&mut *self.calls.lock().unwrap());
            calls.pop_front().unwrap().complete(Ok(b"1".to_vec()));
            for call in calls {
                call.refuse(Error::QueueFull);
            }
        }
    }

    #[derive(Clone)]
    pub(crate) struct Orders {
        pub(crate) elsewhere: Elsewhere,
    }

    impl Orders {
        #[blocking(remote, handle, executor = elsewhere)]
        pub(crate) fn ship(&self, order: u64) -> u64 {
            order
        }
    }
}

/// A job that ends as cancelled if it was, once the gate opens.
fn cancellable(pool: &ThreadPool, gate: &Gate) -> JobHandle<()> {
    let (of_job, arrived) = (gate.clone(), gate.arrived());
    let handle = pool.submit(move || {
        of_job.pass();
        check_cancelled();
    });
    gate.wait_for(arrived + 1);
    handle
}

/// Jobs that run until the senders are dropped. Without the bound of a [`Gate`]: a page that is looked at on all screens takes long.
fn hold(pool: &ThreadPool, n: usize) -> Vec<mpsc::Sender<()>> {
    let hold = |_| {
        let (end, wait) = mpsc::channel::<()>();
        pool.submit(move || wait.recv().is_err()).detach();
        end
    };
    (0..n).map(hold).collect()
}

fn has(texts: &Value, text: &str) -> bool {
    texts.as_array().is_some_and(|texts| texts.iter().any(|each| each.as_str().unwrap().contains(text)))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium; CI runs it"]
async fn the_button_beside_a_running_job_cancels_it() {
    let pool = named("work", 1);
    let gate = Gate::closed();
    let job = cancellable(&pool, &gate);
    let browser = open(Dashboard::new().pool("work", &pool).allow_cancel(|_| true).router()).await;
    let page = Page(&browser);
    let shown = page.until_executor("work", "shows the job", |work| has(&work["workers"], "work-0")).await;
    let [button] = &shown["buttons"].as_array().unwrap()[..] else { panic!("one button: {shown}") };
    assert!(button.as_str().unwrap().starts_with("Cancel: ") && button.as_str().unwrap().ends_with(" on work-0"));

    // The first click asks, and cancels nothing.
    browser.run("document.querySelector('.cancel').click()").await;
    let asks = page.look().await;
    assert!(has(&asks["executors"]["work"]["buttons"], "Really cancel: "), "{asks}");
    page.load_axe().await;
    page.assert_accessible("while it asks").await;
    assert!(!pool.running_jobs()[0].is_cancelled());

    browser.run("document.querySelector('.cancel').click()").await;
    page.until_executor("work", "says so", |work| has(&work["workers"], "cancelled")).await;
    page.assert_accessible("with a cancelled job").await;
    assert!(pool.running_jobs()[0].is_cancelled());
    gate.open();
    assert!(matches!(job.await, Err(Error::Cancelled)));
    page.until_executor("work", "shows no job", |work| !has(&work["workers"], "work-0")).await;
    browser.assert_quiet().await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium; CI runs it"]
async fn a_viewer_that_may_not_cancel_sees_the_reason() {
    let pool = named("work", 1);
    let gate = Gate::closed();
    let job = cancellable(&pool, &gate);
    let browser = open(Dashboard::new().pool("work", &pool).allow_cancel(|_| false).router()).await;
    let page = Page(&browser);
    page.until_executor("work", "has a button", |work| has(&work["buttons"], "Cancel: ")).await;
    browser.run("const button = document.querySelector('.cancel'); button.click(); button.click();").await;
    page.until_executor("work", "refuses", |work| has(&work["buttons"], "Not allowed: ")).await;
    gate.open();
    job.await.unwrap();
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium; CI runs it"]
async fn without_leave_there_is_no_button() {
    let pool = named("work", 1);
    let occupied = Occupied::new(&pool, 1);
    let browser = open(Dashboard::new().pool("work", &pool).router()).await;
    let page = Page(&browser);
    let shown = page.until_executor("work", "shows the job", |work| has(&work["workers"], "work-0")).await;
    assert_eq!(shown["buttons"], json!([]));
    occupied.release();
    browser.assert_quiet().await;
    browser.close().await;
}

/// A button that the keyboard has reached is still under it when another job ends.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium; CI runs it"]
async fn the_end_of_a_job_leaves_the_keyboard_at_the_button_of_another() {
    let pool = named("work", 2);
    let (first_gate, gate) = (Gate::closed(), Gate::closed());
    let first = cancellable(&pool, &first_gate);
    let job = cancellable(&pool, &gate);
    let browser = open(Dashboard::new().pool("work", &pool).allow_cancel(|_| true).router()).await;
    let page = Page(&browser);
    let both = |work: &Value| work["buttons"].as_array().is_some_and(|buttons| buttons.len() == 2);
    page.until_executor("work", "has two buttons", both).await;
    browser.run("document.querySelectorAll('.cancel')[1].focus()").await;
    page.press(Key::Enter.into()).await;
    first_gate.open();
    first.await.unwrap();
    page.until_executor("work", "shows one job", |work| !has(&work["workers"], "work-0")).await;
    let focus = page.look().await["focus"].clone();
    assert!(focus.as_str().unwrap().starts_with("Really cancel: "), "the focus is at {focus}");
    page.press(Key::Enter.into()).await;
    page.until_executor("work", "says so", |work| has(&work["workers"], "cancelled")).await;
    gate.open();
    assert!(matches!(job.await, Err(Error::Cancelled)));
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium; CI runs it"]
async fn closed_pools_are_grey_and_say_since_when() {
    let (open_one, closed) = (named("open", 1), named("closed", 1));
    let view = closed.limited(1);
    let state = StatefulPool::new(1, || Ok::<_, std::io::Error>(()));
    let dashboard = Dashboard::new().pool("open", &open_one).pool("closed", &closed);
    let browser = open(dashboard.view("view", &view).stateful("state", &state).router()).await;
    let page = Page(&browser);
    let before = page.until("live", |page| page["link"] == "live").await;
    for name in ["open", "closed", "view", "state"] {
        assert_eq!(
            (&before["executors"][name]["state"], &before["executors"][name]["filter"]),
            (&json!("idle"), &json!("none"))
        );
    }
    assert_eq!(before["greys"], json!([]));
    closed.close();
    state.close();
    for name in ["closed", "view", "state"] {
        let told = |executor: &Value| executor["words"].as_str().is_some_and(|words| words.starts_with("closed "));
        let executor = page.until_executor(name, "is closed", told).await;
        assert_eq!(executor["filter"], "grayscale(1)", "{name}");
        let since = executor["words"].clone();
        page.until_executor(name, "grows older", |executor| told(executor) && executor["words"] != since).await;
    }
    let after = page.look().await;
    assert_eq!(after["greys"], json!(["closed", "view", "state"]));
    assert_eq!(after["executors"]["open"]["filter"], "none");
    for scheme in ["light", "dark"] {
        page.set_scheme(scheme).await;
        page.load_axe().await;
        page.assert_accessible(scheme).await;
    }
    browser.close().await;
}

/// A worker that is to take a job and has not come to it is not idle.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium; CI runs it"]
async fn a_worker_that_has_not_come_to_its_job_is_not_called_idle() {
    let gate = Gate::closed();
    let of_thread = gate.clone();
    let builder = ThreadPool::builder().thread_name("work").max_threads(1);
    let pool = builder.on_thread_start(move || of_thread.pass()).build();
    let job = pool.submit(|| ());
    gate.wait_for(1);
    let browser = open(Dashboard::new().pool("work", &pool).router()).await;
    let page = Page(&browser);
    page.until_executor("work", "has a waking worker", |work| has(&work["workers"], "1 worker waking")).await;
    assert!(!has(&page.look().await["executors"]["work"]["workers"], "idle"));
    gate.open();
    job.await.unwrap();
    page.until_executor("work", "has an idle worker", |work| has(&work["workers"], "1 worker idle")).await;
    browser.close().await;
}

/// Four workers for each core, which all compute: most of them wait for a core.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium; CI runs it"]
async fn workers_that_wait_for_a_core_are_shown_apart_from_busy_ones() {
    let most = 4 * thread::available_parallelism().unwrap().get();
    let pool = named("compute", most);
    let is_over = Arc::new(AtomicBool::new(false));
    let until = Instant::now() + Duration::from_secs(60);
    let compute = |_| {
        let is_over = Arc::clone(&is_over);
        pool.submit(move || {
            while !is_over.load(Ordering::Relaxed) && Instant::now() < until {
                hint::spin_loop();
            }
        })
    };
    let jobs: Vec<_> = (0..=most).map(compute).collect();
    let browser = open(Dashboard::new().pool("compute", &pool).router()).await;
    let page = Page(&browser);
    let words = "queueing: workers are waiting for a core";
    let shown = page.until_executor("compute", "says why", |compute| compute["words"] == words).await;
    assert!(has(&shown["workers"], " workers on average were ready and waited for a core"), "{shown}");
    is_over.store(true, Ordering::Relaxed);
    for job in jobs {
        job.await.unwrap();
    }
    let told = |compute: &Value| compute["words"] == "idle" && !has(&compute["workers"], "core");
    page.until_executor("compute", "is idle", told).await;
    browser.close().await;
}

/// What a reading says in which idle threads stand beside waiting jobs, as the cores are busy: not to be had reliably from a scheduler.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium; CI runs it"]
async fn idle_workers_beside_waiting_jobs_wait_for_a_core() {
    let routes = Dashboard::new().pool("work", &named("work", 4)).router::<()>();
    let history = serve::history(&routes).await;
    let browser = open(routes_that_say(routes, history, |work| {
        work["threads"] = 4.into();
        work["queued"] = 3.into();
        work["waiting_for_core"] = json!(2.5);
    }))
    .await;
    let page = Page(&browser);
    let shown = page.until_executor("work", "is shown", |work| has(&work["workers"], "worker")).await;
    assert_eq!(shown["words"], "queueing: workers are waiting for a core");
    let rows =
        ["3 workers waiting for a core", "1 worker idle", "2.5 workers on average were ready and waited for a core"];
    assert_eq!(shown["workers"], json!(rows));
    browser.close().await;
}

/// The page, with a reading that is changed.
fn routes_that_say(routes: Router, mut history: Value, change: impl Fn(&mut Value)) -> Router {
    change(&mut history["sample"]["executors"][0]);
    let body = format!("retry: 100000\nevent: history\ndata: {history}\n\n");
    let events = get(async move || ([(header::CONTENT_TYPE, "text/event-stream")], body));
    Router::new().route("/pools/events", events).fallback_service(routes)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium; CI runs it"]
async fn twenty_pools_fit_all_screens() {
    let purposes = ["SQLite", "thumbnails of pictures that people have uploaded, in five sizes", ""];
    let pools: Vec<_> = (0..20).map(|number| named(&format!("pool-{number}"), 64)).collect();
    let mut dashboard = Dashboard::new();
    let mut held = Vec::new();
    for (number, pool) in pools.iter().enumerate() {
        // From a short name to a long one without a place for a break.
        let name =
            format!("{}{number}", ["db", "image-thumbnails-eu-central-", "InvoicesOfTheLastQuarter"][number % 3]);
        dashboard = dashboard.pool(name, pool).purpose(purposes[number % 3]);
        held.extend(hold(pool, number % 4));
    }
    let full = ThreadPool::builder().thread_name("full").max_threads(1).queue_capacity(10_000).build();
    let busy = hold(&full, 1);
    let waiting: Vec<_> = (0..11_000).map(|_| full.submit(|| ())).collect();
    pools[19].close();
    let browser = open(dashboard.pool("full", &full).router()).await;
    let page = Page(&browser);
    let shown = page.until("one with all", |page| page["overview"].as_array().unwrap().len() == 21).await;
    assert!(has(&shown["overview"], "10,000"), "{shown}");
    // The first few are open; all can be reached by the overview.
    page.fits_all_screens(3300).await;
    browser.run("document.querySelector('#overview tr:nth-child(18) a').click()").await;
    let seen = browser.run("return document.querySelectorAll('main > section')[17].getBoundingClientRect().top").await;
    assert!(seen.as_f64().unwrap().abs() < 200.0, "the link of the overview leads to its section: {seen}");
    browser.assert_quiet().await;
    drop((held, waiting, busy));
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium; CI runs it"]
async fn times_are_those_of_the_chosen_window() {
    let pool = named("work", 1);
    pool.submit(|| ()).await.unwrap();
    let routes = Dashboard::new().pool("work", &pool).router::<()>();
    let history = serve::history(&routes).await;
    let windows = [("m1", 11.0, "11.0"), ("m5", 22.0, "22.0"), ("all", 33.0, "33.0")];
    let browser = open(routes_that_say(routes, history, |work| {
        for (window, ms, _) in windows {
            work["methods"][0]["run"][window]["p99"] = json!(ms);
        }
    }))
    .await;
    let page = Page(&browser);
    page.until_executor("work", "shows all jobs at first", |work| has(&work["methods"], "33.0")).await;
    for (window, _, own) in windows {
        let choose = "const e = document.getElementById('window'); e.value = 'WINDOW'; e.dispatchEvent(new Event('input', { bubbles: true }));";
        browser.run(&choose.replace("WINDOW", window)).await;
        let shown = page.look().await["executors"]["work"]["methods"].clone();
        for (_, _, text) in windows {
            assert_eq!(has(&shown, text), text == own, "{window}: {shown}");
        }
    }
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium; CI runs it"]
async fn workers_that_have_retired_are_told_from_those_that_were_never_started() {
    let pool = ThreadPool::builder().thread_name("work").max_threads(8).keep_alive(Duration::ZERO).build();
    Occupied::new(&pool, 3).release();
    let browser = open(Dashboard::new().pool("work", &pool).router()).await;
    let page = Page(&browser);
    let retired = "3 workers retired, as nothing needed them; at most 3 at once";
    let shown = page.until_executor("work", "has no worker left", |work| has(&work["workers"], retired)).await;
    assert_eq!(shown["workers"], json!([retired, "5 workers never started, as nothing needed them"]));
    browser.close().await;
}

/// A view has its limit as its places; its jobs run on the threads of its pool, and are cancelled there.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium; CI runs it"]
async fn a_view_shows_its_places_and_what_waits() {
    let pool = named("all", 4);
    let view = Limited::builder(pool.clone()).limit(2).name("few").build();
    let occupied = Occupied::new(&view, 2);
    let waiting = view.submit(|| ());
    let browser = open(Dashboard::new().pool("all", &pool).view("few", &view).router()).await;
    let page = Page(&browser);
    let few = page.until_executor("few", "queues", |few| few["state"] == "queueing").await;
    assert_eq!((&few["figures"]["running"], &few["figures"]["queued"]), (&json!("2 / 2"), &json!("1")));
    assert_eq!(few["workers"], json!(["2 places taken, on the threads of its pool"]));
    assert_ne!(few["figures"]["oldest"], "–");
    let all = page.look().await["executors"]["all"].clone();
    assert_eq!((&all["figures"]["running"], &all["figures"]["queued"]), (&json!("2 / 4"), &json!("0")));
    occupied.release();
    waiting.await.unwrap();
    assert!(!view.is_closed());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium; CI runs it"]
async fn a_pool_shows_what_its_threads_own() {
    let opens = AtomicBool::new(true);
    let open_one = move || if opens.swap(false, Ordering::Relaxed) { Ok(()) } else { Err("no more") };
    let states = StatefulPool::builder().max_threads(1).keep_if(|()| false).open(open_one);
    states.submit_with(|()| ()).await.unwrap();
    states.submit_with(|()| ()).await.unwrap_err();
    let browser = open(Dashboard::new().stateful("db", &states).pool("plain", &named("plain", 1)).router()).await;
    let page = Page(&browser);
    let text = "0 states open; 1 opened in all, 1 could not be opened";
    page.until_executor("db", "has had a state", |db| has(&db["workers"], text)).await;
    assert!(!has(&page.look().await["executors"]["plain"]["workers"], "states"));
    browser.close().await;
}

/// Their workers are not here, and how many there are is not known.
#[cfg(feature = "remote")]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium; CI runs it"]
async fn calls_on_other_machines_are_shown() {
    let elsewhere = remote::Elsewhere::new("orders");
    let orders = remote::Orders { elsewhere: elsewhere.clone() };
    let (first, second) = (orders.ship(1), orders.ship(2));
    elsewhere.begin();
    let of_page = elsewhere.clone();
    let browser = open(Dashboard::new().remote("orders", move || of_page.metrics()).router()).await;
    let page = Page(&browser);
    let seen = page.until_executor("orders", "runs a call", |orders| orders["figures"]["running"] == "1").await;
    assert_eq!((&seen["figures"]["queued"], &seen["threads"]), (&json!("1"), &json!("")));
    assert_eq!(seen["workers"], json!(["1 call with workers elsewhere"]));
    assert!(has(&seen["methods"], "ship"), "{seen}");
    page.fits_all_screens(5_000).await;
    elsewhere.end();
    assert_eq!(first.await.unwrap(), 1);
    assert!(matches!(second.await, Err(Error::QueueFull)));
    page.until_executor("orders", "has failed", |orders| orders["figures"]["running"] == "0").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium; CI runs it"]
async fn a_stream_shows_how_many_items_it_has_yielded() {
    let pool = named("lines", 1);
    assert_eq!(pool.stream(|| 0..1500).count().await, 1500);
    pool.submit(|| ()).await.unwrap();
    let browser = open(Dashboard::new().pool("lines", &pool).router()).await;
    let page = Page(&browser);
    let shown = page.until_executor("lines", "has items", |lines| has(&lines["methods"], "1,500 items")).await;
    let with_items = shown["methods"].as_array().unwrap().iter().filter(|row| row.as_str().unwrap().contains("item"));
    assert_eq!(with_items.count(), 1, "a job that is no stream has none: {shown}");
    browser.close().await;
}
