//! What hostile and broken clients send: each is refused with a status of its own, and nothing changes by it.

#![forbid(unsafe_code)]

mod support;

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use data_encoding::HEXLOWER;
use futures_util::stream;
use image::ImageFormat;
use reqwest::{Body, Method};
use serde_json::{Value, json};

use crate::support::Service;
use crate::support::client::{Answer, Client, PASSWORD};
use crate::support::pictures::{boast, bomb, picture, png};

/// A service with an account and a picture in it, and what it contains.
struct Settled {
    service: Service,
    ada: Client,
    id: String,
    before: Vec<String>,
}

async fn settled() -> Settled {
    let service = Service::start().await;
    let ada = service.client.join("ada").await;
    let id = ada.upload("image/png", png(30, 30, 0)).await.id();
    Settled { before: service.contents(), service, ada, id }
}

impl Settled {
    /// Nothing has changed, and the service does what it should.
    async fn is_as_before(&self) {
        assert_eq!(self.service.contents(), self.before);
        let path = format!("/pictures/{}", self.id);
        assert!(self.ada.get(&path).await.body == png(30, 30, 0));
    }
}

/// The status, with an error in JSON as all of them have.
fn status(answer: &Answer) -> u16 {
    assert!(answer.json()["error"].is_string(), "{answer:?}");
    answer.status.as_u16()
}

#[tokio::test]
async fn bodies_that_are_not_pictures_are_refused() {
    let settled = settled().await;
    let good = png(200, 200, 1);
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 0xff;
    let cases: [(&str, &str, Vec<u8>, u16); 16] = [
        ("nothing", "image/png", Vec::new(), 422),
        ("text", "image/png", b"hello".to_vec(), 422),
        ("only a signature", "image/png", good[..8].to_vec(), 422),
        ("half of one", "image/png", good[..good.len() / 2].to_vec(), 422),
        ("one with a wrong checksum", "image/png", flipped, 422),
        ("a broken JPEG", "image/jpeg", [&b"\xff\xd8\xff\xe0"[..], &[7; 500]].concat(), 422),
        ("half a GIF", "image/gif", picture(ImageFormat::Gif, 90, 90, 1)[..100].to_vec(), 422),
        ("half a WebP", "image/webp", picture(ImageFormat::WebP, 90, 90, 1)[..100].to_vec(), 422),
        ("a valid bomb", "image/png", bomb(16_000, 16_000), 422),
        ("one that is too wide", "image/png", bomb(16_385, 1), 422),
        ("one that is too high", "image/png", bomb(1, 16_385), 422),
        ("one that has too many pixels", "image/png", bomb(6_000, 4_001), 422),
        ("one that says that it is huge", "image/png", boast(u32::MAX >> 1, u32::MAX >> 1), 422),
        ("a PNG that is said to be a JPEG", "image/jpeg", good.clone(), 415),
        ("of a type that is not taken", "image/svg+xml", b"<svg/>".to_vec(), 415),
        ("of no type", "", good, 415),
    ];
    for (what, content_type, body, expected) in cases {
        let answer = settled.ada.upload(content_type, body).await;
        assert_eq!(status(&answer), expected, "{what}: {answer:?}");
    }
    settled.is_as_before().await;
    // The largest that is taken, and what its decoder may allocate.
    assert_eq!(settled.ada.upload("image/png", bomb(6_000, 4_000)).await.status, 201);
    let service = Service::start_with(|config| config.limits.decode = 100_000).await;
    let ada = service.client.join("ada").await;
    assert_eq!(ada.upload("image/png", png(150, 200, 1)).await.status, 201);
    assert_eq!(status(&ada.upload("image/png", png(200, 200, 1)).await), 422);
}

/// Once with its length before it, and once without.
#[tokio::test]
async fn a_body_of_a_hundred_megabytes() {
    let settled = settled().await;
    let announced = settled.ada.upload_request("image/png", hundred_megabytes());
    let announced = settled.ada.send(announced.header("Content-Length", 100 << 20)).await;
    assert_eq!(status(&announced), 413);
    let chunked = settled.ada.upload("image/png", hundred_megabytes()).await;
    assert_eq!(status(&chunked), 413);
    let no_session = settled.service.client.upload("image/png", hundred_megabytes()).await;
    assert_eq!(status(&no_session), 401);
    let json = settled.service.client.request(Method::POST, "/accounts").header("Content-Type", "application/json");
    let json = settled.service.client.send(json.body(hundred_megabytes())).await;
    assert_eq!(status(&json), 413);
    settled.is_as_before().await;
}

/// A client that looks for an answer only when it has sent everything gets one all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_gets_the_reason_in_the_end() {
    let settled = settled().await;
    let head = "POST /pictures HTTP/1.1\r\nContent-Type: image/png\r\nContent-Length: 104857600\r\nConnection: close";
    let mut connection = settled.ada.connect(head);
    let piece = vec![0x89; 1 << 20];
    for _ in 0..100 {
        connection.write_all(&piece).expect("the service goes on reading");
    }
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

/// A client that asks before it sends is refused at once, and the server waits for nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_body_is_not_requested() {
    let settled = settled().await;
    for (who, line) in [(&settled.ada, "HTTP/1.1 413 "), (&settled.service.client, "HTTP/1.1 401 ")] {
        let head =
            "POST /pictures HTTP/1.1\r\nContent-Type: image/png\r\nContent-Length: 100000000\r\nExpect: 100-continue";
        let begin = Instant::now();
        let mut connection = who.connect(head);
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with(line), "{answer}");
        // As long as a body that does come is waited for.
        assert!(begin.elapsed() < Duration::from_secs(10), "the connection stayed open");
    }
    settled.is_as_before().await;
}

/// What a refused body, a bomb and all of the above may cost is bounded, and far below what they claim.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn refusing_takes_no_memory() {
    use crate::support::program::Program;

    /// The most that it ever had, in kilobytes.
    fn peak(program: &Program) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", program.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    let data = tempfile::TempDir::new().unwrap();
    let program = Program::start(data.path(), &[]);
    let ada = Client::new(program.address).join("ada").await;
    assert_eq!(ada.upload("image/png", png(300, 300, 1)).await.status, 201);
    let before = peak(&program);
    for _ in 0..3 {
        assert_eq!(status(&ada.upload("image/png", hundred_megabytes()).await), 413);
        assert_eq!(status(&ada.upload("image/png", bomb(16_000, 16_000)).await), 422);
    }
    let grown = peak(&program) - before;
    // 8 MB are the largest body, in a vector that grows by doubling. The bomb alone would be 256 MB.
    assert!(grown < 48 << 10, "{grown} kB");
}

#[tokio::test]
async fn sql_in_text_has_no_effect() {
    let settled = settled().await;
    let anyone = &settled.service.client;
    let injections = ["' OR '1'='1", "ada'--", "\"; DROP TABLE account; --", "%", "ada\0", "a' UNION SELECT 1, '' --"];
    for text in injections {
        assert_eq!(status(&anyone.sign_up(text).await), 422, "{text}");
        assert_eq!(status(&anyone.sign_in(text, PASSWORD).await), 401, "{text}");
        assert_eq!(status(&anyone.sign_in("ada", text).await), 401, "{text}");
        let with_token = anyone.request(Method::GET, "/pictures");
        if !text.contains('\0') {
            let bearer = with_token.header("Authorization", format!("Bearer {text}"));
            assert_eq!(status(&anyone.send(bearer).await), 401, "{text}");
        }
        let path = format!("/pictures/{}", percent(text.as_bytes()));
        assert_eq!(status(&settled.ada.get(&path).await), 404, "{text}");
        assert_eq!(status(&settled.ada.delete(&path).await), 404, "{text}");
    }
    settled.is_as_before().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paths_outside_the_pictures_are_answered_404() {
    let settled = settled().await;
    let escaped = [&b"../../service.sqlite3"[..], b"/etc/passwd", b"..\\lock", b"\0", b"\xff\xfe", b".original"];
    let id = &settled.id;
    let mut paths: Vec<String> = escaped.iter().map(|name| format!("/pictures/{}", percent(name))).collect();
    paths.extend([
        // As they are, which a client that knows what paths are would not send.
        "/pictures/../../service.sqlite3".to_owned(),
        "/../../../../etc/passwd".to_owned(),
        "//pictures".to_owned(),
        format!("/pictures/{id}/../{id}"),
        format!("/pictures/{id}.original"),
        format!("/pictures/{id}%00"),
        format!("/pictures/{}", id.to_uppercase()),
        format!("/pictures/{id}/original"),
        format!("/pictures/{id}/"),
    ]);
    for path in paths {
        let mut connection = settled.ada.connect(&format!("GET {path} HTTP/1.1\r\nConnection: close"));
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 404 "), "{path}: {answer}");
        assert_eq!(answer.split_once("\r\n\r\n").unwrap().1, r#"{"error":"there is nothing here"}"#);
    }
    settled.is_as_before().await;
}

#[tokio::test]
async fn a_wrong_method_is_answered_405() {
    let settled = settled().await;
    let picture = format!("/pictures/{}", settled.id);
    let cases = [
        (Method::DELETE, "/", "GET,HEAD"),
        (Method::GET, "/accounts", "POST"),
        (Method::PUT, "/sessions", "POST,DELETE"),
        (Method::DELETE, "/pictures", "GET,HEAD,POST"),
        (Method::POST, &picture, "GET,HEAD,DELETE"),
        (Method::PATCH, &format!("{picture}/thumbnail"), "GET,HEAD"),
    ];
    for (method, path, allowed) in cases {
        let answer = settled.ada.send(settled.ada.request(method.clone(), path)).await;
        assert_eq!((status(&answer), answer.header("Allow")), (405, allowed), "{method} {path}");
    }
    assert_eq!(status(&settled.ada.get("/nothing").await), 404);
    settled.is_as_before().await;
}

#[tokio::test]
async fn malformed_accounts_and_sessions_are_refused() {
    let settled = settled().await;
    let anyone = &settled.service.client;
    let send = async |path: &'static str, content_type: &'static str, body: String| {
        let request = anyone.request(Method::POST, path).header("Content-Type", content_type).body(body);
        status(&anyone.send(request).await)
    };
    let good = json!({ "name": "eve", "password": PASSWORD }).to_string();
    for path in ["/accounts", "/sessions"] {
        assert_eq!(send(path, "text/plain", good.clone()).await, 415);
        assert_eq!(send(path, "application/json", String::new()).await, 400);
        assert_eq!(send(path, "application/json", good[..good.len() - 1].to_owned()).await, 400);
        assert_eq!(send(path, "application/json", json!({ "name": "eve" }).to_string()).await, 422);
        assert_eq!(send(path, "application/json", json!({ "name": 1, "password": [] }).to_string()).await, 422);
        assert_eq!(send(path, "application/json", format!("{{\"x\":{}", "[".repeat(4000))).await, 400);
        let long = json!({ "name": "eve", "password": "x".repeat(5000) }).to_string();
        assert_eq!(send(path, "application/json", long).await, 413);
    }
    let credentials: [Value; 5] = [
        json!({ "name": "eve", "password": "short" }),
        json!({ "name": "eve", "password": "x".repeat(257) }),
        json!({ "name": "e", "password": PASSWORD }),
        json!({ "name": "e".repeat(33), "password": PASSWORD }),
        json!({ "name": "\u{202e}eve", "password": PASSWORD }),
    ];
    for body in &credentials {
        assert_eq!(status(&anyone.post("/accounts", body).await), 422, "{body}");
    }
    settled.is_as_before().await;
}

#[tokio::test]
async fn invalid_tokens_are_answered_401() {
    let settled = settled().await;
    let anyone = &settled.service.client;
    let token = settled.ada.token.clone().unwrap();
    let long = format!("Bearer {}", "A".repeat(4000));
    let basic = format!("Basic {token}");
    let cut = format!("Bearer {}", &token[1..]);
    let unknown = format!("Bearer {}", "A".repeat(43));
    for value in ["", "Bearer", "Bearer ", "Bearer \u{fc}", &long, &basic, &cut, &unknown, &token] {
        let request = anyone.request(Method::GET, "/pictures").header("Authorization", value);
        let answer = anyone.send(request).await;
        assert_eq!((status(&answer), answer.header("WWW-Authenticate")), (401, "Bearer"), "{value}");
    }
    settled.is_as_before().await;
}

/// What is not even HTTP ends its connection, and nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_are_not_http_end_their_connection() {
    let settled = settled().await;
    let noise: [&[u8]; 4] =
        [b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", b"GET\r\n\r\n", &[0; 64], b"GET / HTTP/9.9\r\n\r\n"];
    for bytes in noise {
        let mut connection = std::net::TcpStream::connect(settled.service.address()).unwrap();
        connection.set_read_timeout(Some(support::LONG)).unwrap();
        connection.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 400 "), "{}", answer.escape_ascii());
    }
    settled.is_as_before().await;
}

/// In pieces, and without a length.
fn hundred_megabytes() -> Body {
    let piece = Bytes::from(vec![0x89; 1 << 20]);
    let pieces = std::iter::repeat_n(piece, 100).map(std::io::Result::Ok);
    Body::wrap_stream(stream::iter(pieces))
}

fn percent(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| ["%".to_owned(), HEXLOWER.encode(&[*byte])]).collect()
}
