//! `kill -9` in the middle of uploads: what was answered by 201 is there afterwards, and nothing else is.

#![forbid(unsafe_code)]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use crate::support::client::Client;
use crate::support::pictures::png;
use crate::support::program::Program;
use crate::support::until;

/// How often the service is killed, and how many upload at once.
const ROUNDS: u32 = 4;
const UPLOADERS: u32 = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_promised_outlives_kill_9() {
    let data = TempDir::new().unwrap();
    // Every picture that was answered by 201: its name, and what it was made of.
    let mut promised: Vec<(String, u32)> = Vec::new();
    for round in 0..ROUNDS {
        let mut program = Program::start(data.path(), &[]);
        let client = Client::new(program.address);
        let ada = if round == 0 { client.join("ada").await } else { client.come_back("ada").await };
        check(&ada, &promised, data.path()).await;

        let kept = Arc::new(AtomicU32::new(0));
        let uploaders: Vec<_> = (0..UPLOADERS)
            .map(|uploader| {
                tokio::spawn(upload_until_killed(ada.clone(), (round * UPLOADERS + uploader) << 16, kept.clone()))
            })
            .collect();
        // In the middle of it, and in another place each time.
        until("some are kept", || kept.load(Ordering::Relaxed) >= 11 + 7 * round).await;
        program.kill();
        let before = promised.len();
        for uploader in uploaders {
            promised.extend(uploader.await.unwrap());
        }
        assert!(promised.len() >= before + 11, "{} pictures", promised.len());
    }
    let program = Program::start(data.path(), &[]);
    let ada = Client::new(program.address).come_back("ada").await;
    check(&ada, &promised, data.path()).await;
    assert_eq!(ada.upload("image/png", png(9, 9, 1)).await.status, 201);
}

/// Uploads one picture after the other, until there is no answer. Returns the ones that were answered by 201.
async fn upload_until_killed(ada: Client, first: u32, kept: Arc<AtomicU32>) -> Vec<(String, u32)> {
    let mut promised = Vec::new();
    for seed in first.. {
        let request = ada.upload_request("image/png", png(100, 100, seed));
        let Ok(answer) = ada.try_send(request).await else { break };
        assert_eq!(answer.status, 201, "{answer:?}");
        promised.push((answer.id(), seed));
        kept.fetch_add(1, Ordering::Relaxed);
    }
    promised
}

/// All that was promised is there and whole, and there is no file without a row, no row without its files.
async fn check(ada: &Client, promised: &[(String, u32)], data: &std::path::Path) {
    for (id, seed) in promised {
        let fetched = ada.get(&format!("/pictures/{id}")).await;
        assert_eq!(fetched.status, 200, "{id} was promised");
        assert!(fetched.body == png(100, 100, *seed), "{id} is not what it was");
        let thumbnail = ada.get(&format!("/pictures/{id}/thumbnail")).await;
        image::load_from_memory(&thumbnail.body).unwrap();
    }
    let listed = ada.get("/pictures").await.json();
    let listed: Vec<&str> = listed.as_array().unwrap().iter().map(|picture| picture["id"].as_str().unwrap()).collect();
    let rows: BTreeSet<String> =
        listed.iter().flat_map(|id| [format!("{id}.original"), format!("{id}.thumbnail")]).collect();
    assert_eq!(support::files(data).into_iter().collect::<BTreeSet<_>>(), rows);
    // One that was stored and whose 201 was on its way when the service was killed is there too.
    assert!(listed.len() >= promised.len());
    let database = rusqlite::Connection::open(data.join("service.sqlite3")).unwrap();
    let integrity: String = database.query_row("PRAGMA integrity_check", (), |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok");
}
