//! What `notes -- try` shows: notes in and out, one by one and as CSV, an import that is undone before all of it
//! has come, an export in pieces, one connection for each thread.

use crate::process::{Process, example};

#[test]
fn it_tries_itself() {
    let mut process = Process::start(example("notes").arg("try"));
    let lines: Vec<String> = std::iter::from_fn(|| process.stdout.next()).collect();
    assert_eq!(process.stderr.rest(), "");
    assert!(process.wait().success());
    let expected = [
        "POST /notes -> HTTP/1.0 200 OK: 1",
        "POST /notes.csv -> HTTP/1.0 200 OK: 2",
        "POST /notes.csv -> HTTP/1.0 400 Bad Request: CSV error: record 2 (line: 3, byte: 12): found record with 3 fields, but \
         the previous record has 1 fields",
        "GET /notes/3 -> HTTP/1.0 200 OK: eggs, brown",
        "GET /notes/4 -> HTTP/1.0 404 Not Found: no such note",
        "GET /notes.csv -> HTTP/1.0 200 OK: id,text | 1,\"milk, two bottles\" | 2,bread | 3,\"eggs, brown\"",
        "POST /notes.csv -> HTTP/1.0 200 OK: 10000",
        "GET /notes.csv -> HTTP/1.0 200 OK: 268960 bytes",
    ];
    assert_eq!(lines[..expected.len()], expected);
    let [pieces, connections] = &lines[expected.len()..] else { panic!("{lines:?}") };
    // Of 8 KiB; and the small table was one.
    assert_eq!(pieces, "34 pieces");
    assert!(connections.ends_with(" connections"), "{lines:?}");
}

/// A wrong path is found at the start, not by the first request.
#[test]
fn a_database_that_cannot_be_opened_ends_it() {
    let mut process = Process::start(example("notes").arg("no/such/folder/notes.db"));
    let error = process.stderr.rest();
    assert!(error.contains("State(SqliteFailure"), "{error}");
    assert!(!process.wait().success());
}
