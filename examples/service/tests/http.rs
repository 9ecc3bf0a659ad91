//! What a client can do with the service, from its first request to its last.

#![forbid(unsafe_code)]

mod support;

use image::ImageFormat;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageEncoder};
use offload_runtime::ExecutorExt;
use serde_json::json;

use crate::support::client::PASSWORD;
use crate::support::pictures::{picture, png};
use crate::support::{Service, until};

#[tokio::test]
async fn an_account_uploads_lists_fetches_and_deletes_a_picture() {
    let service = Service::start().await;
    let hello = service.client.get("/").await;
    assert_eq!(hello.status, 200);

    let signed_up = service.client.sign_up("ada").await;
    assert_eq!((signed_up.status.as_u16(), signed_up.json()), (201, json!({ "id": 1 })));
    assert_eq!(service.client.sign_up("ada").await.status, 409);
    assert_eq!(service.client.sign_up("ADA").await.status, 409, "names differ by more than case");
    let ada = service.client.come_back("ada").await;
    assert_eq!(ada.get("/pictures").await.json(), json!([]));

    let original = png(400, 300, 1);
    let added = ada.upload("image/png", original.clone()).await;
    assert_eq!(added.status, 201);
    assert_eq!((&added.json()["width"], &added.json()["height"]), (&json!(400), &json!(300)));
    let path = added.header("Location").to_owned();
    assert_eq!(path, format!("/pictures/{}", added.id()));

    let listed = ada.get("/pictures").await.json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!((&listed[0]["id"], &listed[0]["bytes"]), (&json!(added.id()), &json!(original.len())));
    assert!(listed[0]["created"].as_i64().unwrap() > 0);

    let fetched = ada.get(&path).await;
    assert_eq!((fetched.status.as_u16(), fetched.header("Content-Type")), (200, "image/png"));
    assert_eq!(fetched.header("X-Content-Type-Options"), "nosniff");
    assert!(fetched.header("Cache-Control").contains("private"), "{fetched:?}");
    assert_eq!(fetched.body, original);
    let thumbnail = ada.get(&format!("{path}/thumbnail")).await;
    assert_eq!(thumbnail.header("Content-Type"), "image/jpeg");
    let small = image::load_from_memory_with_format(&thumbnail.body, ImageFormat::Jpeg).unwrap();
    assert_eq!((small.width(), small.height()), (256, 192));

    assert_eq!(ada.delete(&path).await.status, 204);
    for gone in [ada.get(&path).await, ada.get(&format!("{path}/thumbnail")).await, ada.delete(&path).await] {
        assert_eq!(gone.status, 404);
    }
    until("its files are removed", || support::files(service.data.path()).is_empty()).await;

    assert_eq!(ada.delete("/sessions").await.status, 204);
    assert_eq!(ada.get("/pictures").await.status, 401);
    assert_eq!(service.contents(), ["account ada"]);
    service.stop().await.0.unwrap();
}

#[tokio::test]
async fn an_account_sees_only_its_own_pictures() {
    let service = Service::start().await;
    let (ada, eve) = (service.client.join("ada").await, service.client.join("eve").await);
    let path = format!("/pictures/{}", ada.upload("image/png", png(8, 8, 1)).await.id());

    for (who, status) in [(&eve, 404), (&service.client, 401)] {
        assert_eq!(who.get(&path).await.status, status);
        assert_eq!(who.get(&format!("{path}/thumbnail")).await.status, status);
        assert_eq!(who.delete(&path).await.status, status);
    }
    assert_eq!(eve.get("/pictures").await.json(), json!([]));
    assert_eq!(ada.get(&path).await.status, 200);
}

#[tokio::test]
async fn every_type_is_taken_and_small_pictures_stay_small() {
    let service = Service::start().await;
    let ada = service.client.join("ada").await;
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP] {
        let original = picture(format, 40, 30, 1);
        let added = ada.upload(format.to_mime_type(), original.clone()).await;
        assert_eq!(added.status, 201, "{format:?}: {added:?}");
        let fetched = ada.get(&format!("/pictures/{}", added.id())).await;
        assert_eq!((fetched.header("Content-Type"), &fetched.body[..]), (format.to_mime_type(), &original[..]));
        let thumbnail = ada.get(&format!("/pictures/{}/thumbnail", added.id())).await;
        let small = image::load_from_memory(&thumbnail.body).unwrap();
        assert_eq!((small.width(), small.height()), (40, 30));
    }
    let listed = ada.get("/pictures").await.json();
    assert_eq!(listed.as_array().unwrap().len(), 4);
}

/// A camera held upright: the pixels lie on their side, and a note says so.
#[tokio::test]
async fn a_picture_is_shown_the_right_way_up() {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new(&mut bytes);
    let turned = [&b"II*\0\x08\0\0\0\x01\0"[..], b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0", b"\0\0\0\0"].concat();
    encoder.set_exif_metadata(turned).unwrap();
    DynamicImage::new_rgb8(600, 300).write_with_encoder(encoder).unwrap();

    let service = Service::start().await;
    let ada = service.client.join("ada").await;
    let added = ada.upload("image/jpeg", bytes).await;
    assert_eq!((&added.json()["width"], &added.json()["height"]), (&json!(300), &json!(600)));
    let thumbnail = ada.get(&format!("/pictures/{}/thumbnail", added.id())).await;
    let small = image::load_from_memory(&thumbnail.body).unwrap();
    assert_eq!((small.width(), small.height()), (128, 256));
}

/// Several megabytes, which are sent in pieces as they are read.
#[tokio::test]
async fn a_large_picture_arrives_whole() {
    let service = Service::start().await;
    let ada = service.client.join("ada").await;
    let original = png(1400, 1400, 1);
    assert!(original.len() > 4 << 20, "{}", original.len());
    let added = ada.upload("image/png", original.clone()).await;
    assert_eq!(added.status, 201);
    let fetched = ada.get(&format!("/pictures/{}", added.id())).await;
    assert_eq!(fetched.header("Content-Length"), original.len().to_string());
    assert!(fetched.body == original);
}

#[tokio::test]
async fn a_list_begins_with_the_newest_and_has_an_end() {
    let service = Service::start().await;
    let ada = service.client.join("ada").await;
    let database = rusqlite::Connection::open(service.data.path().join("service.sqlite3")).unwrap();
    database
        .execute_batch(
            "WITH RECURSIVE count (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count LIMIT 1001) \
             INSERT INTO picture (id, account, format, width, height, bytes, created) \
             SELECT randomblob(16), 1, 'image/png', n, 1, 1, 0 FROM count",
        )
        .unwrap();
    let listed = ada.get("/pictures").await.json();
    let widths: Vec<i64> = listed.as_array().unwrap().iter().map(|one| one["width"].as_i64().unwrap()).collect();
    assert!(widths.iter().copied().eq((2..=1001).rev()), "{widths:?}");
}

#[tokio::test]
async fn a_wrong_password_and_a_wrong_name_get_the_same_answer() {
    let service = Service::start().await;
    assert_eq!(service.client.sign_up("ada").await.status, 201);
    let wrong_password = service.client.sign_in("ada", "wrong horse").await;
    let wrong_name = service.client.sign_in("eve", PASSWORD).await;
    let no_password = service.client.sign_in("ada", "").await;
    assert_eq!(wrong_password.status, 401);
    assert_eq!((wrong_password.status, &wrong_password.body), (wrong_name.status, &wrong_name.body));
    assert_eq!((wrong_password.status, &wrong_password.body), (no_password.status, &no_password.body));
    assert_eq!(service.client.sign_in("ada", PASSWORD).await.status, 201);
}

#[tokio::test]
async fn a_session_is_one_of_many_and_ends() {
    let service = Service::start().await;
    let here = service.client.join("ada").await;
    let there = service.client.come_back("ada").await;
    assert_ne!(here.token, there.token);
    assert_eq!(here.delete("/sessions").await.status, 204);
    assert_eq!(here.get("/pictures").await.status, 401);
    assert_eq!(there.get("/pictures").await.status, 200);

    let database = rusqlite::Connection::open(service.data.path().join("service.sqlite3")).unwrap();
    database.execute("UPDATE session SET expires = unixepoch() - 1", ()).unwrap();
    assert_eq!(there.get("/pictures").await.status, 401);
    let again = service.client.come_back("ada").await;
    let sessions: i64 = database.query_row("SELECT count(*) FROM session", (), |row| row.get(0)).unwrap();
    assert_eq!(sessions, 1, "the expired one is not kept");
    assert_eq!(again.get("/pictures").await.status, 200);

    let token = again.token.as_deref().unwrap();
    let stored: Vec<u8> = database.query_row("SELECT token FROM session", (), |row| row.get(0)).unwrap();
    let revealed = data_encoding::BASE64URL_NOPAD.decode(token.as_bytes()).unwrap();
    assert_ne!(stored, revealed, "the token itself is stored");
}

#[tokio::test]
async fn all_is_there_after_a_restart_and_stray_files_are_not() {
    let service = Service::start().await;
    let ada = service.client.join("ada").await;
    let original = png(300, 300, 1);
    let path = format!("/pictures/{}", ada.upload("image/png", original.clone()).await.id());
    let before = service.contents();
    let token = ada.token.clone().unwrap();
    drop(ada);
    let (stopped, data) = service.stop().await;
    stopped.unwrap();

    let stray = ["pictures/0123456789abcdef0123456789abcdef.original", "pictures/notes.txt", "incoming/.tmpX"];
    for name in stray {
        std::fs::write(data.path().join(name), "left by a process that was killed").unwrap();
    }
    let service = Service::start_in(data, |_| {}).await;
    assert_eq!(service.contents(), before);
    let ada = service.client.with_token(&token);
    assert!(ada.get(&path).await.body == original);
    assert_eq!(ada.get(&format!("{path}/thumbnail")).await.status, 200);
}

#[tokio::test]
async fn a_data_directory_is_served_by_one_process() {
    let service = Service::start().await;
    let second = service::serve(support::config(service.data.path())).await;
    assert!(matches!(second, Err(service::Error::InUse(_))), "{second:?}");
}

/// Answers do not wait for their turn among threads that compute.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_computes_gives_way() {
    /// The current thread's, the 19th figure of its state; the name, which may have spaces, is the second.
    fn niceness() -> i32 {
        let state = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        state.rsplit_once(')').unwrap().1.split_whitespace().nth(16).unwrap().parse().unwrap()
    }

    let service = Service::start().await;
    let state = service.state();
    assert_eq!(state.cpu.submit(niceness).await.unwrap(), (niceness() + 10).min(19));
    assert_eq!(state.db.submit(niceness).await.unwrap(), niceness());
}

/// As a service without executors has it: slower, but the same.
#[tokio::test]
async fn it_does_the_same_inline() {
    let service = Service::start_with(|config| config.inline = true).await;
    assert!(service.state().pools().iter().all(|(_, pool)| pool.threads().is_none()));
    let ada = service.client.join("ada").await;
    let original = png(300, 200, 1);
    let path = format!("/pictures/{}", ada.upload("image/png", original.clone()).await.id());
    assert!(ada.get(&path).await.body == original);
    assert_eq!(ada.delete(&path).await.status, 204);
    assert!(support::files(service.data.path()).is_empty());
    drop(ada);
    service.stop().await.0.unwrap();
}
