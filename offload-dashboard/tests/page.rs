//! The routes, called without a connection: what a page is sent, and what it may do.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{Request, StatusCode, header};
use axum::{Router, body};
use futures_util::StreamExt;
use offload_dashboard::Dashboard;
use offload_runtime::{Error, ExecutorExt, ThreadPool, blocking, check_cancelled};
use serde_json::{Value, json};
use tests::support::{Gate, Occupied, silence};
use tokio::time::timeout;
use tower::ServiceExt;

/// What is waited for in vain for so long does not come.
const LONG: Duration = Duration::from_secs(30);

struct Events {
    body: BodyDataStream,
    text: String,
}

impl Events {
    async fn open(routes: &Router) -> Result<Self, StatusCode> {
        let answer = get(routes, "/pools/events").await;
        if answer.status() != StatusCode::OK {
            return Err(answer.status());
        }
        Ok(Self { body: answer.into_body().into_data_stream(), text: String::new() })
    }

    /// Its name and its data. `None` at the end of the stream.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name| event.lines().find_map(|line| line.strip_prefix(name));
                let parsed = (field("event: ")?.to_owned(), serde_json::from_str(field("data: ")?).unwrap());
                self.text = String::from(rest);
                return Some(parsed);
            }
            let chunk = timeout(LONG, self.body.next()).await.expect("an event or the end")?.unwrap();
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// Reads on to a reading in which this is so of the executor.
    async fn until(&mut self, executor: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        loop {
            let (_, data) = self.next().await.expect("the stream goes on");
            let sample = if data["sample"].is_null() { &data } else { &data["sample"] };
            let found = sample["executors"].as_array().unwrap().iter().find(|each| each["name"] == executor).unwrap();
            if is_so(found) {
                return found.clone();
            }
        }
    }
}

async fn get(routes: &Router, path: &str) -> axum::response::Response {
    routes.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap()
}

async fn cancel(routes: &Router, key: &str, which: &Value) -> StatusCode {
    let request = Request::post("/pools/cancel").header(header::CONTENT_TYPE, "application/json").header("x-key", key);
    routes.clone().oneshot(request.body(Body::from(which.to_string())).unwrap()).await.unwrap().status()
}

#[derive(Clone)]
struct Users {
    executor: ThreadPool,
}

impl Users {
    #[blocking]
    fn find(&self, ok: bool) -> Result<(), Error> {
        if ok { Ok(()) } else { Err(Error::Unavailable("as asked".into())) }
    }
}

#[tokio::test]
async fn a_page_sees_what_fails_and_what_waits() {
    silence();
    let users = Users { executor: ThreadPool::builder().max_threads(1).thread_name("users").build() };
    let view = users.executor.clone().limited(3);
    let routes = Dashboard::new().pool("users", &users.executor).purpose("who").view("few", &view).router();
    users.find(true).await.unwrap();
    users.find(false).await.unwrap_err();
    users.executor.submit(|| panic!("as the test asked")).await.unwrap_err();
    let occupied = Occupied::new(&users.executor, 1);
    let waiting = users.executor.submit(|| ());
    let mut events = Events::open(&routes).await.unwrap();
    let seen = events.until("users", |users| users["oldest_wait_ms"].as_f64().is_some_and(|ms| ms > 0.0)).await;
    assert_eq!((&seen["failed"], &seen["panicked"], &seen["queued"]), (&1.into(), &1.into(), &1.into()));
    assert_eq!((&seen["purpose"], &seen["kind"]), (&"who".into(), &"threads".into()));
    assert_eq!(seen["panics"][0]["message"], "as the test asked");
    let find = seen["methods"].as_array().unwrap().iter().find(|method| method["site"] == "Users::find").unwrap();
    assert_eq!((&find["completed"], &find["failed"]), (&2.into(), &1.into()));
    assert_eq!(find["run"]["m1"]["count"], 2);
    let few = events.until("few", |few| few["kind"] == "view").await;
    assert_eq!(few["max_threads"], 3);
    occupied.release();
    waiting.await.unwrap();

    assert_eq!(seen["closed_s"], Value::Null);
    users.executor.close();
    events.until("users", |users| users["closed_s"].is_u64()).await;
}

#[tokio::test]
async fn an_allowed_viewer_cancels_a_running_job() {
    let pool = ThreadPool::builder().max_threads(1).thread_name("work").build();
    let may = |parts: &axum::http::request::Parts| parts.headers["x-key"] == "right";
    let routes = Dashboard::new().pool("work", &pool).allow_cancel(may).router();
    let gate = Gate::closed();
    let of_job = gate.clone();
    let handle = pool.submit(move || {
        of_job.pass();
        check_cancelled();
    });
    gate.wait_for(1);
    let mut events = Events::open(&routes).await.unwrap();
    let seen = events.until("work", |work| work["running"] == 1).await;
    let (thread, number) = (&seen["jobs"][0]["thread"], seen["jobs"][0]["number"].as_u64().unwrap());
    let which = json!({ "executor": "work", "thread": thread, "number": number });
    assert_eq!(cancel(&routes, "wrong", &which).await, StatusCode::FORBIDDEN);
    assert!(!pool.running_jobs()[0].is_cancelled());
    let another = json!({ "executor": "work", "thread": thread, "number": number + 1 });
    assert_eq!(cancel(&routes, "right", &another).await, StatusCode::NOT_FOUND);
    assert_eq!(cancel(&routes, "right", &which).await, StatusCode::NO_CONTENT);
    gate.open();
    assert!(matches!(handle.await, Err(Error::Cancelled)));
    assert_eq!(cancel(&routes, "right", &which).await, StatusCode::NOT_FOUND);

    // What a form of another page can send is refused.
    let form = Request::post("/pools/cancel").header("x-key", "right").header(header::CONTENT_TYPE, "text/plain");
    let answer = routes.clone().oneshot(form.body(Body::from(which.to_string())).unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn without_leave_nothing_can_be_cancelled() {
    let routes = Dashboard::new().pool("work", &ThreadPool::new(1)).router();
    assert_eq!(cancel(&routes, "right", &json!({})).await, StatusCode::NOT_FOUND);
    let (_, history) = Events::open(&routes).await.unwrap().next().await.unwrap();
    assert_eq!(history["sample"]["may_cancel"], false);
}

#[tokio::test]
async fn viewers_beyond_the_most_are_refused_until_one_leaves() {
    let routes = Dashboard::new().max_viewers(2).router();
    let (_first, second) = (Events::open(&routes).await.unwrap(), Events::open(&routes).await.unwrap());
    assert_eq!(Events::open(&routes).await.err(), Some(StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(get(&routes, "/pools").await.status(), StatusCode::OK);
    drop(second);
    Events::open(&routes).await.unwrap();
}

#[tokio::test]
async fn the_stream_ends_when_its_end_resolves() {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let routes = Dashboard::new().until(async { drop(stopped.await) }).router();
    let mut events = Events::open(&routes).await.unwrap();
    drop(stop);
    let mut last = String::new();
    while let Some((name, _)) = events.next().await {
        last = name;
    }
    assert_eq!(last, "stop");
}

/// The page's links are relative, so that it works wherever it is nested.
#[tokio::test]
async fn the_page_can_be_nested() {
    let routes = Router::new().nest("/admin", Dashboard::new().router());
    let page = get(&routes, "/admin/pools").await;
    assert_eq!(page.status(), StatusCode::OK);
    let html = body::to_bytes(page.into_body(), 1 << 20).await.unwrap();
    let html = std::str::from_utf8(&html).unwrap();
    let files: Vec<&str> = html.split('"').filter(|text| text.starts_with("pools/")).collect();
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        assert_eq!(get(&routes, &format!("/admin/{file}")).await.status(), StatusCode::OK, "{file}");
    }
    assert!(!html.contains("\"/pools"));
}

/// The task that reads the pools keeps none of them once the routes are gone.
#[tokio::test]
async fn the_task_ends_with_the_routes() {
    let pool = ThreadPool::new(1);
    let routes: Router = Dashboard::new().pool("work", &pool).router();
    pool.submit(|| ()).await.unwrap();
    let ended = pool.shutdown();
    drop((routes, pool));
    timeout(LONG, ended).await.expect("the pool ends");
}
