//! More to do than can be done: what is too much is refused at once, by 503 and `Retry-After`, and what needs none of the full
//! executor is answered as ever.
//!
//! Executors are filled by jobs that end when the test lets them: what is not refused would never be answered.

#![forbid(unsafe_code)]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use axum::body::Bytes;
use futures_util::{StreamExt, stream};
use offload_runtime::ExecutorExt;
use reqwest::Body;
use service::{Pool, PoolSize};

use crate::support::client::{Answer, PASSWORD};
use crate::support::pictures::png;
use crate::support::{Held, Service, hold, metrics, queued, until};

/// One thread, and room for one job to wait.
const SMALL: PoolSize = PoolSize { threads: 1, queue: 1 };

/// Holds the thread of such a pool, and its queue.
async fn fill(pool: &Pool) -> (Held, offload_runtime::JobHandle<()>) {
    (hold(pool, 1).await, pool.submit(|| ()))
}

fn assert_refused(answer: &Answer) {
    assert_eq!((answer.status.as_u16(), answer.header("Retry-After")), (503, "1"), "{answer:?}");
    assert!(answer.json()["error"].is_string());
}

#[tokio::test]
async fn when_cpu_is_full_what_computes_is_refused_and_all_else_answers() {
    let service = Service::start_with(|config| config.cpu = SMALL).await;
    let ada = service.client.join("ada").await;
    let path = format!("/pictures/{}", ada.upload("image/png", png(20, 20, 0)).await.id());
    let before = service.contents();

    let full = fill(&service.state().cpu).await;
    assert_refused(&ada.upload("image/png", png(20, 20, 1)).await);
    assert_refused(&service.client.sign_up("eve").await);
    assert_refused(&service.client.sign_in("ada", PASSWORD).await);
    // The password of an unknown name is verified all the same.
    assert_refused(&service.client.sign_in("nobody", PASSWORD).await);
    for path in ["/", "/pictures", &path, &format!("{path}/thumbnail")] {
        assert_eq!(ada.get(path).await.status, 200, "{path}");
    }
    assert_eq!(service.contents(), before);

    drop(full);
    assert_eq!(ada.upload("image/png", png(20, 20, 1)).await.status, 201);
    assert_eq!(service.client.sign_in("nobody", PASSWORD).await.status, 401);
}

#[tokio::test]
async fn when_db_is_full_nothing_but_the_front_page_answers() {
    let service = Service::start_with(|config| config.db = SMALL).await;
    let ada = service.client.join("ada").await;
    let full = fill(&service.state().db).await;
    assert_refused(&ada.get("/pictures").await);
    assert_refused(&ada.upload("image/png", png(20, 20, 1)).await);
    assert_eq!(ada.get("/").await.status, 200);
    drop(full);
    assert_eq!(ada.get("/pictures").await.status, 200);
}

/// Somebody's shell, say: readers go on, and a writer is not kept waiting for ever.
#[tokio::test]
async fn when_the_database_is_locked_writers_are_refused() {
    let service = Service::start().await;
    let ada = service.client.join("ada").await;
    let other = rusqlite::Connection::open(service.data.path().join("service.sqlite3")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let before = service.contents();
    let (refused, listed) = tokio::join!(ada.upload("image/png", png(20, 20, 1)), ada.get("/pictures"));
    assert_refused(&refused);
    assert_eq!(listed.status, 200);
    until("its files are removed", || service.contents() == before).await;
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(ada.upload("image/png", png(20, 20, 1)).await.status, 201);
}

/// The picture is decoded by then: it is refused, and nothing of it stays.
#[tokio::test]
async fn when_files_is_full_an_upload_leaves_nothing() {
    let service = Service::start_with(|config| config.files = SMALL).await;
    let ada = service.client.join("ada").await;
    let path = format!("/pictures/{}", ada.upload("image/png", png(20, 20, 0)).await.id());
    let before = service.contents();
    let full = fill(&service.state().files).await;
    assert_refused(&ada.upload("image/png", png(20, 20, 1)).await);
    assert_refused(&ada.get(&path).await);
    assert_eq!(ada.get("/pictures").await.json().as_array().unwrap().len(), 1);
    assert_eq!(service.contents(), before);
    drop(full);
    assert_eq!(ada.get(&path).await.status, 200);
}

/// Between the files and the row of a picture: the files have to go again.
#[tokio::test]
async fn when_the_row_is_refused_the_files_are_removed() {
    let service = Service::start_with(|config| config.db = SMALL).await;
    let ada = service.client.join("ada").await;
    let before = service.contents();

    // The session is found, then the picture waits for `cpu`; meanwhile `db` is filled.
    let cpu = service.state().cpu.clone();
    let threads = service::Config::default().cpu.threads;
    let waiting = hold(&cpu, threads).await;
    let upload = tokio::spawn({
        let ada = ada.clone();
        async move { ada.upload("image/png", png(20, 20, 1)).await }
    });
    until("the upload waits for `cpu`", || queued(&cpu) == 1).await;
    let full = fill(&service.state().db).await;
    drop(waiting);
    assert_refused(&upload.await.unwrap());
    until("the files are removed", || support::files(service.data.path()).is_empty()).await;
    drop(full);
    assert_eq!(service.contents(), before);
}

/// Many at once: each is done, or refused, and what was done is there.
#[tokio::test]
async fn of_many_uploads_each_is_kept_or_refused() {
    let service = Service::start_with(|config| config.cpu = PoolSize { threads: 1, queue: 3 }).await;
    let ada = service.client.join("ada").await;
    let held = hold(&service.state().cpu, 1).await;
    let mut uploads: Vec<_> = (0..40)
        .map(|seed| {
            let ada = ada.clone();
            tokio::spawn(async move { (seed, ada.upload("image/png", png(60, 60, seed)).await) })
        })
        .collect();

    // Three wait; all others are answered while they do.
    let mut refused = 0;
    while refused < 37 {
        let (first, _, others) = futures_util::future::select_all(uploads).await;
        assert_refused(&first.unwrap().1);
        refused += 1;
        uploads = others;
    }
    drop(held);
    for upload in uploads {
        let (seed, kept) = upload.await.unwrap();
        assert_eq!(kept.status, 201);
        assert!(ada.get(&format!("/pictures/{}", kept.id())).await.body == png(60, 60, seed));
    }
    assert_eq!(support::files(service.data.path()).len(), 2 * 3);
    assert_eq!(ada.get("/pictures").await.json().as_array().unwrap().len(), 3);
}

/// A body whose first half has arrived, and whose second half comes when it is told to.
fn halves(bytes: &[u8]) -> (Body, tokio::sync::oneshot::Sender<()>) {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let (first, second) = (Bytes::copy_from_slice(first), Bytes::copy_from_slice(second));
    let (go, wait) = tokio::sync::oneshot::channel::<()>();
    let second = stream::once(async {
        // A dropped sender ends the body, too.
        _ = wait.await;
        second
    });
    (Body::wrap_stream(stream::once(async { first }).chain(second).map(std::io::Result::Ok)), go)
}

/// Uploads that arrive take up memory: all of them together no more than they may.
#[tokio::test]
async fn uploads_that_would_take_up_too_much_memory_are_refused() {
    let picture = png(100, 100, 1);
    let most = picture.len() + picture.len() / 4;
    let service = Service::start_with(|config| config.limits.uploads = most).await;
    let ada = service.client.join("ada").await;
    let (body, go) = halves(&picture);
    let slow = tokio::spawn({
        let ada = ada.clone();
        async move { ada.upload("image/png", body).await }
    });
    let in_memory = || format!("{:?}", service.state());
    let half = picture.len() / 2;
    until("half has arrived", || in_memory().contains(&format!("permits: {}", most - half))).await;

    assert_refused(&ada.upload("image/png", picture.clone()).await);
    assert_eq!(ada.upload("image/png", png(8, 8, 1)).await.status, 201);
    go.send(()).unwrap();
    assert_eq!(slow.await.unwrap().status, 201);
    assert_eq!(ada.upload("image/png", picture).await.status, 201);
}

#[tokio::test]
async fn an_upload_that_never_ends_is_given_up() {
    let service = Service::start_with(|config| config.limits.upload_time = Duration::from_millis(100)).await;
    let ada = service.client.join("ada").await;
    let before = service.contents();
    let (body, _never) = halves(&png(100, 100, 1));
    let answer = ada.upload("image/png", body).await;
    assert_eq!(answer.status, 408, "{answer:?}");
    assert_eq!(service.contents(), before);
}

/// An answer that has begun is not broken by a full executor: its next piece waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_that_is_being_sent_arrives_whole() {
    let service = Service::start_with(|config| config.files = PoolSize { threads: 1, queue: 0 }).await;
    let ada = service.client.join("ada").await;
    // More than the two ends of a connection hold.
    let picture = png(1650, 1650, 1);
    let id = ada.upload("image/png", picture.clone()).await.id();

    let mut connection = ada.connect(&format!("GET /pictures/{id} HTTP/1.1\r\nConnection: close"));
    let mut received = vec![0; 1000];
    connection.read_exact(&mut received).unwrap();
    let full = hold(&service.state().files, 1).await;
    let refused = metrics(&service.state().files).refused_queue_full();
    let reading = std::thread::spawn(move || {
        connection.read_to_end(&mut received).unwrap();
        received
    });
    until("its next piece is refused", || metrics(&service.state().files).refused_queue_full() > refused).await;
    drop(full);
    let received = reading.join().unwrap();
    assert!(received.ends_with(&picture), "{} of {} bytes", received.len(), picture.len());
}

/// Connections without a request, with half a request, and with no further request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_silent_are_closed() {
    let service = Service::start_with(|config| config.limits.silence = Duration::from_millis(100)).await;
    for head in ["", "GET / HTTP/1.1\r\nHost:", "GET / HTTP/1.1\r\nHost: service\r\n\r\n"] {
        let mut connection = TcpStream::connect(service.address()).unwrap();
        connection.set_read_timeout(Some(support::LONG)).unwrap();
        connection.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert_eq!(answer.starts_with("HTTP/1.1 200 "), head.ends_with("\r\n\r\n"), "{head:?}: {answer:?}");
    }
}
