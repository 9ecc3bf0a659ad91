//! `examples/processes.rs`: each picture that ends its worker is answered with what happened, and the service goes on.

use crate::process::{Process, example};

#[test]
fn bad_pictures_end_workers_and_the_page_counts_them() {
    let mut service = Process::start(example("processes").arg("try"));
    let lines: Vec<String> = std::iter::from_fn(|| service.stdout.next()).collect();
    assert!(service.wait().success());
    let answers = [
        ("a picture of a cat", "200 OK", "ace a"),
        ("", "400 Bad Request", "an empty picture"),
        ("crash", "500 Internal Server Error", "SIGABRT"),
        ("hang", "500 Internal Server Error", "time"),
        ("bomb", "500 Internal Server Error", "over the `memory_limit`"),
        ("a picture of a dog", "200 OK", "ace o"),
    ];
    for (line, (picture, status, body)) in lines.iter().zip(answers) {
        assert!(line.starts_with(&format!("{picture:?} -> HTTP/1.1 {status}: ")) && line.contains(body), "{line}");
    }
    let page = &lines[answers.len()];
    for restarts in ["died: 1", "timed_out: 1", "memory: 1"] {
        assert!(page.contains(restarts), "{page}");
    }
}
