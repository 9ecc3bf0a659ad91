//! The load generator: what it prints of a service that keeps what it accepts, and how it ends where one does not.
//!
//! Short runs at low rates; that the figures are those of a machine under load is nothing a test can see.

#![forbid(unsafe_code)]

mod support;

use std::process::{Output, Stdio};
use std::time::Instant;

use tokio::process::Command;

use crate::support::{LONG, Service, contents, files};

async fn load(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_load"));
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    tokio::time::timeout(3 * LONG, command.output()).await.expect("it ends by itself").unwrap()
}

/// The figure in this row and column of a table.
fn cell<'a>(table: &'a str, row: &str, column: usize) -> &'a str {
    let cells = |line: &'a str| line.split('|').map(str::trim).collect::<Vec<_>>();
    let found = table.lines().map(cells).find(|cells| cells.get(1) == Some(&row) && cells.len() > column);
    found.unwrap_or_else(|| panic!("no {row} in:\n{table}"))[column]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_prints_how_each_endpoint_did_and_ends_well() {
    let service = Service::start().await;
    let (address, pid) = (service.address().to_string(), std::process::id().to_string());
    let ended = load(&["--address", &address, "--pid", &pid, "--seconds", "3", "--rate", "30"]).await;
    let printed = String::from_utf8(ended.stdout).unwrap();
    assert!(ended.status.success(), "{printed}{}", String::from_utf8_lossy(&ended.stderr));
    let count = |row, column| cell(&printed, row, column).parse::<u64>().unwrap();
    // In 3 s, every 50 ms.
    assert_eq!(count("`GET /`", 2) + count("`GET /`", 10), 60, "{printed}");
    for row in [
        "`POST /sessions`",
        "`POST /pictures`",
        "`GET /pictures`",
        "`GET /pictures/{id}`",
        "`GET /pictures/{id}/thumbnail`",
    ] {
        assert!(count(row, 2) + count(row, 7) > 0, "{row} was never asked for:\n{printed}");
        assert_eq!(count(row, 11), 0, "{row}:\n{printed}");
        let figure = cell(&printed, row, 5);
        assert!(figure.ends_with(" ms") || figure.ends_with(" s") || figure == "–", "{row}: {figure}");
    }
    let accepted = count("`POST /pictures`", 2);
    assert!(printed.contains(&format!("{accepted} pictures accepted, 0 of them lost.")), "{printed}");
    assert!(!cfg!(target_os = "linux") || printed.contains(" MiB at most"), "{printed}");
    // Where there is no terminal there is no bar.
    assert_eq!(String::from_utf8(ended.stderr).unwrap(), "");
    let pictures = contents(service.data.path()).iter().filter(|line| line.starts_with("picture ")).count();
    // And one for each account; one whose client gave up may be there too.
    assert!(pictures as u64 >= accepted + 8, "{pictures} pictures:\n{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_was_accepted_and_is_gone_is_named_and_ends_it_with_1() {
    let service = Service::start().await;
    let data = service.data.path();
    let address = service.address().to_string();
    let arguments = ["--address", &address, "--seconds", "6", "--rate", "30"];
    let run = load(&arguments);
    let lose = async {
        let begin = Instant::now();
        // Eight belong to the accounts.
        while contents(data).iter().filter(|line| line.starts_with("picture ")).count() < 16 {
            assert!(begin.elapsed() < LONG, "nothing is uploaded");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        for file in files(data) {
            // Not the ones that are being sent.
            let _ = std::fs::remove_file(data.join("pictures").join(file));
        }
    };
    let (ended, ()) = tokio::join!(run, lose);
    let errors = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{errors}");
    assert!(errors.lines().any(|line| line.starts_with("load: picture ") && line.contains(" is lost: ")), "{errors}");
    let printed = String::from_utf8(ended.stdout).unwrap();
    assert!(!printed.contains(" 0 of them lost"), "{printed}");
}

#[tokio::test]
async fn a_comparison_starts_both_services_and_sets_them_side_by_side() {
    let cheap = ["--", "--hash-memory", "64", "--hash-passes", "1"];
    let ended = load(&[&["--compare", "--seconds", "2", "--rate", "20"][..], &cheap].concat()).await;
    let printed = String::from_utf8(ended.stdout).unwrap();
    assert!(ended.status.success(), "{printed}{}", String::from_utf8_lossy(&ended.stderr));
    let header = printed.lines().find(|line| line.contains("`#[blocking]`")).expect("both columns");
    assert!(header.contains("inline"), "{header}");
    for column in [2, 3] {
        assert!(cell(&printed, "`GET /`: p99", column).ends_with('s'), "{printed}");
        let lost = cell(&printed, "pictures accepted, lost", column);
        assert!(lost.ends_with(", 0") && !lost.starts_with("0,"), "{lost}");
    }
}

#[tokio::test]
async fn another_machine_is_never_driven() {
    let ended = load(&["--address", "192.0.2.1:80"]).await;
    assert_eq!(ended.status.code(), Some(2));
    assert!(String::from_utf8(ended.stderr).unwrap().contains("not this machine's own"));
}
