//! Clients that hang up: what they wait for is not done any more, and nothing is left of what was.

#![forbid(unsafe_code)]

mod support;

use service::PoolSize;
use tokio::task::JoinHandle;

use crate::support::client::Client;
use crate::support::pictures::png;
use crate::support::{Service, hold, metrics, queued, until};

/// An upload that is sent in the background. Aborting it closes its connection.
fn upload(client: &Client, seed: u32) -> JoinHandle<()> {
    let client = client.with_token(client.token.as_deref().unwrap());
    tokio::spawn(async move {
        let answer = client.upload("image/png", png(60, 60, seed)).await;
        unreachable!("it hung up before this: {answer:?}");
    })
}

async fn hang_up(upload: JoinHandle<()>) {
    upload.abort();
    assert!(upload.await.unwrap_err().is_cancelled());
}

#[tokio::test]
async fn a_picture_whose_client_left_is_not_decoded() {
    let service = Service::start_with(|config| config.cpu = PoolSize { threads: 1, queue: 10 }).await;
    let ada = service.client.join("ada").await;
    let before = service.contents();
    let cpu = &service.state().cpu;
    let held = hold(cpu, 1).await;
    let first = metrics(cpu);

    let uploads: Vec<_> = (0..10).map(|seed| upload(&ada, seed)).collect();
    until("all of them wait", || queued(cpu) == 10).await;
    for upload in uploads {
        hang_up(upload).await;
    }
    until("none of them waits", || queued(cpu) == 0).await;
    assert_eq!(metrics(cpu).cancelled_before_start() - first.cancelled_before_start(), 10);
    // There is room again, while the thread is still held.
    let next = tokio::spawn({
        let ada = ada.clone();
        async move { ada.upload("image/png", png(60, 60, 99)).await }
    });
    until("the next one waits", || queued(cpu) == 1).await;
    drop(held);
    let next = next.await.unwrap();
    assert_eq!(next.status, 201);
    until("both jobs have ended", || metrics(cpu).completed() == first.completed() + 2).await;
    assert_eq!(ada.delete(&format!("/pictures/{}", next.id())).await.status, 204);
    until("nothing is left", || service.contents() == before).await;
}

/// By then its files are there, and its row waits.
#[tokio::test]
async fn a_picture_whose_client_left_is_removed() {
    let service = Service::start_with(|config| {
        config.cpu.threads = 1;
        config.db = PoolSize { threads: 1, queue: 10 };
    })
    .await;
    let ada = service.client.join("ada").await;
    let before = service.contents();
    let (cpu, db) = (&service.state().cpu, &service.state().db);

    let decoding = hold(cpu, 1).await;
    let upload = upload(&ada, 1);
    until("its session is found, and it waits for `cpu`", || queued(cpu) == 1).await;
    let storing = hold(db, 1).await;
    drop(decoding);
    until("its row waits for `db`", || queued(db) == 1).await;
    assert_eq!(support::files(service.data.path()).len(), 2);
    hang_up(upload).await;
    until("its row does not wait any more", || metrics(db).cancelled_before_start() == 1).await;
    until("its files are removed", || support::files(service.data.path()).is_empty()).await;
    drop(storing);
    assert_eq!(ada.get("/pictures").await.json(), serde_json::json!([]));
    assert_eq!(service.contents(), before);
}

/// A body that stops half-way is not one that ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_body_is_nothing() {
    let service = Service::start_with(|config| config.limits.uploads = 1 << 20).await;
    let ada = service.client.join("ada").await;
    let before = service.contents();
    let picture = png(300, 300, 1);
    let free = || format!("{:?}", service.state()).contains(&format!("permits: {}", 1 << 20));
    let head = format!("POST /pictures HTTP/1.1\r\nContent-Type: image/png\r\nContent-Length: {}", picture.len());
    let mut connection = ada.connect(&head);
    std::io::Write::write_all(&mut connection, &picture[..picture.len() / 2]).unwrap();
    until("some of it has arrived", || !free()).await;
    drop(connection);
    until("what it took up is free", free).await;
    assert_eq!(service.contents(), before);
}
