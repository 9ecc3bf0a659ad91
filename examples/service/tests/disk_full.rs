//! A full disk: the service starts, what is there can be read, and what cannot be stored is refused by 507.
//!
//! A limit on the size of files stands for it: no file can grow beyond a block.

#![forbid(unsafe_code)]
#![cfg(unix)]

mod support;

use serde_json::json;
use tempfile::TempDir;

use crate::support::client::{Client, PASSWORD};
use crate::support::pictures::png;
use crate::support::program::Program;

#[tokio::test]
async fn a_start_on_a_full_disk_reads_and_refuses_writes_by_507() {
    let data = TempDir::new().unwrap();
    let mut program = Program::start(data.path(), &[]);
    let before = Client::new(program.address).join("ada").await;
    let picture = png(40, 40, 1);
    let path = format!("/pictures/{}", before.upload("image/png", picture.clone()).await.id());
    program.terminate();
    assert_eq!(program.wait().0.code(), Some(0));

    let mut program = Program::start_on_a_full_disk(data.path());
    let ada = Client::new(program.address).with_token(before.token.as_deref().unwrap());
    assert!(ada.get(&path).await.body == picture);
    assert_eq!(ada.get("/pictures").await.json().as_array().unwrap().len(), 1);
    assert_eq!(ada.get("/readyz").await.status, 200);
    let refused = [
        ada.upload("image/png", png(40, 40, 2)).await,
        ada.upload("image/png", png(40, 40, 3)).await,
        ada.sign_in("ada", PASSWORD).await,
        ada.delete(&path).await,
    ];
    for answer in refused {
        assert_eq!((answer.status.as_u16(), answer.json()), (507, json!({ "error": "the disk is full" })));
    }
    assert!(ada.get(&path).await.body == picture);
    program.terminate();
    let (status, said) = program.wait();
    assert_eq!(status.code(), Some(0), "{said}");
    let warnings: Vec<&str> = said.lines().filter(|line| line.contains(" WARN ")).collect();
    // One for the start, and one for all requests.
    assert_eq!(warnings.len(), 2, "{said}");
    assert!(
        warnings[0].contains("open for reading only") && warnings[1].contains("a request failed: the disk is full"),
        "{said}"
    );
}
