//! How it starts: what it prints, and one line for what it cannot do.

use std::net::TcpListener;
use std::process::Command;

use super::client::Web;
use crate::process::{Process, example, workspace};

#[test]
fn it_prints_its_address_and_three_commands_to_try() {
    let web = Web::start();
    let address = web.address;
    assert_eq!(address.ip().to_string(), "127.0.0.1");
    let root = workspace().canonicalize().unwrap();
    assert_eq!(
        web.greeting,
        [
            format!("Listening on http://{address}, serving {}. Try, in another terminal:", root.display()),
            format!("  curl http://{address}/"),
            format!("  curl http://{address}/sleep/5"),
            format!("  curl 'http://{address}/lines?path=README.md'"),
            format!("Its pools, live: http://{address}/pools. Ctrl-C stops it."),
        ]
    );
    assert_eq!(web.get("/lines?path=README.md").0, 200);
}

/// It has to fail with status 1, one line of error and nothing else. Returns the line.
fn complaint(command: &mut Command) -> String {
    let mut process = Process::start(command);
    let error = process.stderr.rest();
    assert_eq!(process.stdout.rest(), "");
    assert_eq!(process.wait().code(), Some(1), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    error
}

#[test]
fn a_taken_port_is_one_line_and_status_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = complaint(example("web").env("PORT", port.to_string()));
    assert!(error.starts_with(&format!("web: cannot listen on 127.0.0.1:{port}: ")), "{error}");
}

#[test]
fn the_port_of_another_one_is_taken() {
    let first = Web::start();
    complaint(example("web").env("PORT", first.address.port().to_string()));
    assert_eq!(first.get("/").0, 200);
}

#[test]
fn a_bad_port_is_one_line_and_status_1() {
    for port in ["", "http", "-1", "65536", "80.5"] {
        let error = complaint(example("web").env("PORT", port));
        assert_eq!(error, format!("web: PORT has to be a number from 0 to 65535, not {port}"));
    }
}

#[test]
fn a_bad_root_is_one_line_and_status_1() {
    for root in ["no/such/directory", "Cargo.toml"] {
        let error = complaint(example("web").env("PORT", "0").arg(root).current_dir(workspace()));
        assert!(error.starts_with(&format!("web: cannot serve {root}: ")), "{error}");
    }
    let error = complaint(example("web").env("PORT", "0").args(["one", "two"]));
    assert!(error.contains("one argument"), "{error}");
}

#[test]
fn help_is_printed_and_an_unknown_option_is_named() {
    for option in ["--help", "-h"] {
        let mut process = Process::start(example("web").arg(option));
        let help = process.stdout.rest();
        for part in ["Usage: web [DIRECTORY]", "PORT", "/sleep/{n}", "/lines?path="] {
            assert!(help.contains(part), "{part} is not in {help}");
        }
        assert_eq!(process.stderr.rest(), "");
        assert_eq!(process.wait().code(), Some(0));
    }
    let error = complaint(example("web").env("PORT", "0").arg("--port=8000"));
    assert_eq!(error, "web: unknown option --port=8000 (--help lists what there is)");
}

#[test]
fn without_an_argument_it_serves_the_current_directory() {
    let mut process = Process::start(example("web").env("PORT", "0").current_dir(workspace().join("tests")));
    let first = process.stdout.next().expect("it greets");
    let root = workspace().join("tests").canonicalize().unwrap();
    assert!(first.contains(&format!("serving {}.", root.display())), "{first}");
}
