//! `ureq`: a client of an HTTP interface, with two lanes of its own, against a server on loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::num::NonZeroU32;
use std::sync::{Arc, Barrier};
use std::thread::{self, JoinHandle};

use anyhow::Context;
use offload_runtime::{Error, Limited, ThreadPool, blocking};

use crate::support::{closed, panic_of, within};

#[derive(Debug, thiserror::Error)]
enum ApiError {
    #[error("`{path}` does not exist")]
    NotFound { path: String },
    #[error(transparent)]
    Transport(#[from] ureq::Error),
    #[error("overloaded: {0}")]
    Overloaded(#[from] Error),
}

#[derive(Clone)]
struct Api {
    agent: ureq::Agent,
    base: Arc<str>,
    queries: Limited<ThreadPool>,
    uploads: Limited<ThreadPool>,
}

impl Api {
    fn new(pool: &ThreadPool, base: &str) -> Self {
        let (queries, uploads) = (pool.clone().limited(2), pool.clone().limited(1));
        Self { agent: ureq::Agent::new_with_defaults(), base: base.into(), queries, uploads }
    }

    fn lane(&self, path: &str) -> &Limited<ThreadPool> {
        if path.starts_with("/upload") { &self.uploads } else { &self.queries }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The text at `path`.
    #[blocking(executor = queries)]
    fn get(&self, path: &str, query: Option<&str>) -> Result<String, ApiError> {
        let mut request = self.agent.get(self.url(path));
        if let Some(query) = query {
            request = request.query("q", query);
        }
        let mut response = match request.call() {
            Err(ureq::Error::StatusCode(404)) => return Err(ApiError::NotFound { path: path.to_owned() }),
            response => response?,
        };
        Ok(response.body_mut().read_to_string()?)
    }

    /// Sends `body`; which lane it takes depends on the path. The error is the library's own.
    #[blocking(executor = self.lane(path), refused = panic)]
    fn post(&self, path: &str, body: impl ureq::AsSendBody + Send + 'static) -> Result<u16, ureq::Error> {
        self.agent.post(self.url(path)).send(body).map(|response| response.status().as_u16())
    }

    /// Asks again while the server says that it is busy.
    #[blocking(executor = queries)]
    fn get_at_last(&self, path: &str, attempts: NonZeroU32) -> anyhow::Result<(u32, String)> {
        let url = self.url(path);
        for attempt in 1.. {
            match self.agent.get(&url).call() {
                Ok(mut response) => return Ok((attempt, response.body_mut().read_to_string()?)),
                Err(ureq::Error::StatusCode(503)) if attempt < attempts.get() => {}
                Err(error) => return Err(error).with_context(|| format!("`{path}`, attempt {attempt}")),
            }
        }
        unreachable!("the last attempt returns")
    }
}

/// What the server was asked: the first line, and the body.
type Request = (String, String);

/// Serves so many connections, one request each, each on a thread of its own.
///
/// Ends with what was asked, in the order of the connections.
fn serve<F>(connections: usize, answer: F) -> (String, JoinHandle<Vec<Request>>)
where
    F: Fn(usize, &str, &str) -> (u16, String) + Send + Sync + 'static,
{
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let serve_one = |number, stream: TcpStream| {
            let (line, body) = read_request(&stream);
            let (status, text) = answer(number, &line, &body);
            let head = format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", text.len());
            (&stream).write_all((head + &text).as_bytes()).unwrap();
            (line, body)
        };
        thread::scope(|scope| {
            let incoming = (0..connections).map(|number| (number, listener.accept().unwrap().0));
            let served: Vec<_> =
                incoming.map(|(number, stream)| scope.spawn(move || serve_one(number, stream))).collect();
            served.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    });
    (base, server)
}

fn read_request(stream: &TcpStream) -> Request {
    let mut stream = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_ascii_lowercase()),
        }
    }
    let length =
        head.iter().find_map(|line| line.strip_prefix("content-length:")).map_or(0, |n| n.trim().parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    (head.swap_remove(0), String::from_utf8(body).unwrap())
}

#[tokio::test]
async fn a_page_is_fetched() {
    let (base, server) = serve(3, |_, line, _| match line {
        "get /users http/1.1" => (200, "ada, bob".into()),
        "get /users?q=ada%20l http/1.1" => (200, "ada".into()),
        _ => (404, "no".into()),
    });
    let api = Api::new(&ThreadPool::new(4), &base);
    assert_eq!(api.get("/users", None).await.unwrap(), "ada, bob");
    assert_eq!(api.get("/users", Some("ada l")).await.unwrap(), "ada");
    let missing = api.get("/nothing", None).await;
    assert!(matches!(missing, Err(ApiError::NotFound { path }) if path == "/nothing"));
    server.join().unwrap();
}

#[tokio::test]
async fn two_requests_are_under_way_at_once() {
    let both = Barrier::new(2);
    let (base, server) = serve(4, move |_, _, _| {
        both.wait(); // nobody is answered alone
        (200, "together".into())
    });
    let api = Api::new(&ThreadPool::new(4), &base);
    let pages: Vec<_> = (0..4)
        .map(|number| {
            let api = api.clone();
            tokio::spawn(async move { api.get(&format!("/{number}"), None).await.unwrap() })
        })
        .collect();
    for page in pages {
        assert_eq!(within(page).await.unwrap(), "together");
    }
    assert_eq!(server.join().unwrap().len(), 4);
}

#[tokio::test]
async fn a_body_is_sent_on_the_lane_of_its_path() {
    let (base, server) = serve(2, |_, _, body| (201, body.to_uppercase()));
    let pool = ThreadPool::new(4);
    let api = Api::new(&pool, &base);
    assert_eq!(api.post("/upload/a", "text").await.unwrap(), 201);
    assert_eq!(api.post("/notes", b"bytes".to_vec()).await.unwrap(), 201);
    let asked = [("post /upload/a http/1.1", "text"), ("post /notes http/1.1", "bytes")];
    assert_eq!(server.join().unwrap(), asked.map(|(line, body)| (line.into(), body.into())));
}

#[tokio::test]
async fn a_busy_server_is_asked_again() {
    let (base, server) =
        serve(5, |number, _, _| if number == 2 { (200, "at last".into()) } else { (503, "busy".into()) });
    let api = Api::new(&ThreadPool::new(1), &base);
    let attempts = NonZeroU32::new(3).unwrap();
    assert_eq!(api.get_at_last("/", attempts).await.unwrap(), (3, "at last".into()));
    let error = api.get_at_last("/", NonZeroU32::new(2).unwrap()).await.unwrap_err();
    assert_eq!(error.to_string(), "`/`, attempt 2");
    assert!(matches!(error.downcast(), Ok(ureq::Error::StatusCode(503))));
    server.join().unwrap();
}

#[tokio::test]
async fn a_refusal_is_a_variant_an_anyhow_error_or_a_panic() {
    let api = Api::new(&closed(), "http://127.0.0.1:9");
    let refused = api.get("/", None).await;
    assert!(matches!(refused, Err(ApiError::Overloaded(Error::ShutDown))), "{refused:?}");
    let error = api.get_at_last("/", NonZeroU32::MIN).await.unwrap_err();
    assert!(matches!(error.downcast(), Ok(Error::ShutDown)));
    let message = panic_of(api.post("/upload", "never sent")).await;
    assert!(message.contains("post") && message.contains("shut down"), "{message}");
}
