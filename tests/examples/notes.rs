//! `notes`, over HTTP on loopback: notes in and out, one by one and as CSV, an import that is undone before all of it has come, an export in pieces,
//! and the end.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::process::{PATIENCE, Process, example};

/// Sends a request to the server at `url`, of which `missing` bytes never come. Returns the answer's status line and its body.
fn ask(url: &str, what: &str, body: &str, missing: usize) -> (String, String) {
    let mut stream = TcpStream::connect(url.strip_prefix("http://").expect("an address")).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let length = body.len() + missing;
    stream.write_all(format!("{what} HTTP/1.0\r\nContent-Length: {length}\r\n\r\n{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (head.lines().next().unwrap_or_default().replace("HTTP/1.0 ", ""), body.to_owned())
}

#[test]
#[cfg(unix)]
fn each_route_answers() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(example("notes").arg(folder.path().join("notes.db")).arg("127.0.0.1:0"));
    let url = process.stdout.next().expect("it says where it listens");
    let answers = |what: &str, body: &str, missing: usize, status: &str, expected: &str| {
        assert_eq!(ask(&url, what, body, missing), (status.to_owned(), expected.to_owned()), "{what}");
    };
    answers("POST /notes", "milk, two bottles", 0, "200 OK", "1");
    answers("POST /notes.csv", "text\nbread\n\"eggs, brown\"\n", 0, "200 OK", "2");
    // At once, though the rest of it never comes. None of it is imported.
    let error =
        "CSV error: record 2 (line: 3, byte: 12): found record with 3 fields, but the previous record has 1 fields";
    answers("POST /notes.csv", "text\ncheese\ntoo,many,columns\n", 1_000, "400 Bad Request", error);
    answers("GET /notes/3", "", 0, "200 OK", "eggs, brown");
    answers("GET /notes/4", "", 0, "404 Not Found", "Query returned no rows");
    let table = "id,text\n1,\"milk, two bottles\"\n2,bread\n3,\"eggs, brown\"\n";
    answers("GET /notes.csv", "", 0, "200 OK", table);
    let many = "\na note like any other".repeat(10_000);
    answers("POST /notes.csv", &format!("text{many}"), 0, "200 OK", "10000");
    let (status, exported) = ask(&url, "GET /notes.csv", "", 0);
    assert_eq!((&*status, exported.lines().count()), ("200 OK", 1 + 3 + 10_000));
    assert!(exported.ends_with("10003,a note like any other\n"), "{exported}");

    process.interrupt();
    // Of 8 KiB; and the small table was one.
    let end = process.stdout.rest();
    assert!(end.contains(&format!("; {} items", 1 + exported.len().div_ceil(8 << 10))), "{end}");
    assert_eq!(process.stderr.rest(), "");
    assert!(process.wait().success());
}

/// A wrong path is found at the start, not by the first request.
#[test]
fn a_database_that_cannot_be_opened_ends_it() {
    let mut process = Process::start(example("notes").arg("no/such/folder/notes.db"));
    let error = process.stderr.rest();
    assert!(error.contains("State(SqliteFailure"), "{error}");
    assert!(!process.wait().success());
}
