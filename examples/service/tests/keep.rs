//! A data directory that is not as the service left it: a database from a backup, no database, files of other programs.
//!
//! The service deletes files in `incoming/` alone. Everything else that it does not know is moved to `orphaned/`.

#![forbid(unsafe_code)]
#![cfg(unix)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::support::client::Client;
use crate::support::pictures::png;
use crate::support::program::Program;

/// Starts the service, adds pictures to an account, and stops it. Returns the names of the pictures.
async fn upload(data: &Path, seeds: std::ops::Range<u32>) -> Vec<String> {
    let mut program = Program::start(data, &[]);
    let client = Client::new(program.address);
    let ada = if seeds.start == 0 { client.join("ada").await } else { client.come_back("ada").await };
    let mut pictures = Vec::new();
    for seed in seeds {
        pictures.push(ada.upload("image/png", png(20, 20, seed)).await.id());
    }
    program.terminate();
    assert_eq!(program.wait().0.code(), Some(0));
    pictures
}

fn database(data: &Path) -> std::path::PathBuf {
    data.join("service.sqlite3")
}

/// The names of all entries of a directory; of a missing directory, none.
fn names(directory: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn files_of(pictures: &[String]) -> BTreeSet<String> {
    pictures.iter().flat_map(|id| [format!("{id}.original"), format!("{id}.thumbnail")]).collect()
}

/// Stops a program that was started, and returns the lines of its log that contain `level`.
fn log(mut program: Program, level: &str) -> Vec<String> {
    program.terminate();
    let (status, said) = program.wait();
    assert_eq!(status.code(), Some(0), "{said}");
    said.lines().filter(|line| line.contains(level)).map(str::to_owned).collect()
}

#[tokio::test]
async fn pictures_that_a_restored_database_does_not_know_are_kept_and_return_with_the_newer_database() {
    let data = TempDir::new().unwrap();
    let (data, backups) = (data.path(), TempDir::new().unwrap());
    let (yesterday, today) = (backups.path().join("yesterday"), backups.path().join("today"));
    let old = upload(data, 0..2).await;
    fs::copy(database(data), &yesterday).unwrap();
    let new = upload(data, 2..6).await;
    fs::copy(database(data), &today).unwrap();

    fs::copy(&yesterday, database(data)).unwrap();
    let warnings = log(Program::start(data, &[]), " WARN ");
    assert_eq!(names(&data.join("pictures")), files_of(&old));
    assert_eq!(names(&data.join("orphaned")), files_of(&new));
    let [warning] = &warnings[..] else { panic!("{warnings:?}") };
    let orphaned = data.join("orphaned").display().to_string();
    assert!(warning.contains(&orphaned) && warning.contains("8 files"), "{warning}");

    fs::copy(&today, database(data)).unwrap();
    let program = Program::start(data, &[]);
    let ada = Client::new(program.address).come_back("ada").await;
    for (seed, id) in (0..).zip(old.iter().chain(&new)) {
        assert!(ada.get(&format!("/pictures/{id}")).await.body == png(20, 20, seed), "{id}");
        assert_eq!(ada.get(&format!("/pictures/{id}/thumbnail")).await.status, 200, "{id}");
    }
    assert_eq!(names(&data.join("orphaned")), BTreeSet::new());
    assert_eq!(log(program, " ERROR "), Vec::<String>::new());
}

#[tokio::test]
async fn an_empty_database_beside_pictures_is_refused_unless_it_is_accepted() {
    let data = TempDir::new().unwrap();
    let data = data.path();
    let pictures = upload(data, 0..2).await;
    fs::remove_file(database(data)).unwrap();
    let directory = data.to_str().unwrap();
    for _ in 0..2 {
        let said = Program::fail_to_start(&["--address", "127.0.0.1:0", "--data", directory]);
        for part in [database(data).to_str().unwrap(), "has no account", "4 files", "--accept-empty-database"] {
            assert!(said.contains(part), "{part} is not in {said}");
        }
        assert_eq!(said.lines().count(), 1, "{said}");
        assert_eq!(names(&data.join("pictures")), files_of(&pictures));
    }
    let program = Program::start(data, &["--accept-empty-database"]);
    assert_eq!(log(program, " WARN ").len(), 1);
    assert_eq!(names(&data.join("orphaned")), files_of(&pictures));
    // Now there is nothing beside the empty database.
    drop(Program::start(data, &[]));
}

#[tokio::test]
async fn only_files_in_incoming_are_deleted() {
    let data = TempDir::new().unwrap();
    let data = data.path();
    let pictures = upload(data, 0..1).await;
    for round in ["first", "second"] {
        fs::write(data.join("pictures/notes.txt"), round).unwrap();
        fs::create_dir_all(data.join("pictures/album")).unwrap();
        fs::write(data.join("pictures/album/page"), round).unwrap();
        fs::write(data.join("incoming/.tmpAbCdEf"), "half a picture").unwrap();
        drop(Program::start(data, &[]));
    }
    assert_eq!(names(&data.join("incoming")), BTreeSet::new());
    assert_eq!(names(&data.join("pictures")), files_of(&pictures));
    // A second file of the same name does not replace the first.
    let orphaned = data.join("orphaned");
    assert_eq!(names(&orphaned), ["album", "album.1", "notes.txt", "notes.txt.1"].map(str::to_owned).into());
    assert_eq!(fs::read_to_string(orphaned.join("notes.txt")).unwrap(), "first");
    assert_eq!(fs::read_to_string(orphaned.join("notes.txt.1")).unwrap(), "second");
    assert_eq!(fs::read_to_string(orphaned.join("album.1/page")).unwrap(), "second");
}
