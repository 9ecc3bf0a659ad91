//! Thumbnails in child processes: a picture that crashes the decoder, hangs it, or makes it eat memory ends a child, not the service.
//!
//! `cargo run --example processes` serves at 127.0.0.1:3000: `GET /` shows what the workers do, `POST /thumbnail` takes a picture. With `-- try` it
//! sends itself a good picture and three bad ones, shows the answers and ends.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::{get, post};
use offload_runtime::process::{self, ProcessPool};
use offload_runtime::{Error, blocking};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

#[derive(Debug, Serialize, Deserialize)]
enum ThumbnailError {
    /// The picture is at fault.
    Bad(String),
    /// The worker, or the pool. The picture may be at fault, too.
    Worker(String),
}

impl From<Error> for ThumbnailError {
    fn from(error: Error) -> Self {
        Self::Worker(error.to_string())
    }
}

struct Thumbnails {
    workers: ProcessPool,
}

impl Thumbnails {
    /// Every fourth byte of the picture. The decoder has three bugs.
    #[blocking(remote, executor = workers)]
    fn thumbnail(&self, picture: &[u8]) -> Result<Vec<u8>, ThumbnailError> {
        match picture {
            [] => Err(ThumbnailError::Bad("an empty picture".to_owned())),
            b"crash" => std::process::abort(),
            b"hang" => loop {
                std::thread::park();
            },
            b"bomb" => {
                let mut pixels = Vec::new();
                loop {
                    pixels.push(vec![1_u8; 1 << 20]);
                }
            }
            picture => Ok(picture.iter().copied().step_by(4).collect()),
        }
    }
}

async fn thumbnail(State(thumbnails): State<Arc<Thumbnails>>, picture: Bytes) -> (StatusCode, Vec<u8>) {
    match thumbnails.thumbnail(&picture).await {
        Ok(thumbnail) => (StatusCode::OK, thumbnail),
        Err(ThumbnailError::Bad(why)) => (StatusCode::BAD_REQUEST, why.into()),
        Err(ThumbnailError::Worker(why)) => (StatusCode::INTERNAL_SERVER_ERROR, why.into()),
    }
}

async fn page(State(thumbnails): State<Arc<Thumbnails>>) -> Html<String> {
    let metrics = thumbnails.workers.metrics();
    let row = |worker: &process::WorkerMetrics| {
        let memory = worker.resident_bytes().unwrap_or(0) >> 10;
        format!("<tr><td>{}</td><td>{}</td><td>{memory} KiB</td></tr>", worker.process_id(), worker.calls())
    };
    let workers: String = metrics.workers().iter().map(row).collect();
    let restarts: Vec<_> = metrics.restarts().map(|(why, count)| format!("<li>{why}: {count}</li>")).collect();
    let restarts = restarts.concat();
    Html(format!(
        "<h1>Thumbnails</h1><p>{metrics}</p><table><tr><th>process</th><th>calls</th><th>memory</th></tr>{workers}</table>\
         <h2>Restarts</h2><ul>{restarts}</ul>"
    ))
}

/// Sends a request, as `curl` would, and returns the answer's status line and body.
async fn ask(address: std::net::SocketAddr, method: &str, path: &str, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let length = body.len();
    let request =
        format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    Ok(format!("{}: {body}", head.lines().next().unwrap_or("")))
}

async fn try_it(address: std::net::SocketAddr) -> std::io::Result<()> {
    for picture in ["a picture of a cat", "", "crash", "hang", "bomb", "a picture of a dog"] {
        println!("{picture:?} -> {}", ask(address, "POST", "/thumbnail", picture).await?);
    }
    println!("{}", ask(address, "GET", "/", "").await?);
    Ok(())
}

async fn serve() -> Result<(), Box<dyn std::error::Error>> {
    let workers = ProcessPool::builder()
        .max_workers(4)
        .queue_capacity(100)
        .time_limit(Duration::from_secs(1))
        .memory_limit(200 << 20)
        .name("thumbnails")
        .build()?;
    let thumbnails = Arc::new(Thumbnails { workers: workers.clone() });
    let app = Router::new().route("/", get(page)).route("/thumbnail", post(thumbnail)).with_state(thumbnails);
    if std::env::args().nth(1).as_deref() == Some("try") {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(async { axum::serve(listener, app).await });
        try_it(address).await?;
        server.abort();
    } else {
        println!("http://127.0.0.1:3000");
        axum::serve(TcpListener::bind("127.0.0.1:3000").await?, app).await?;
    }
    workers.shutdown_within(Duration::from_secs(5)).await;
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // First: a child serves calls here, and needs no async runtime.
    process::init();
    tokio::runtime::Runtime::new()?.block_on(serve())
}
