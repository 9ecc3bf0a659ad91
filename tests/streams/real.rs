//! Directories, files, databases, archives.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Cursor, Read, Write};
use std::path::{Path, PathBuf};

use futures::TryStreamExt;
use offload_runtime::{Error, ExecutorExt, Stopped, ThreadPool, Yielder};
use tests::support::finish;

/// All files below a directory, depth first.
fn walk(root: PathBuf) -> impl Iterator<Item = io::Result<PathBuf>> + Send + 'static {
    let mut left = vec![root];
    let mut files = Vec::new();
    std::iter::from_fn(move || {
        loop {
            if let Some(file) = files.pop() {
                return Some(Ok(file));
            }
            let entries = match fs::read_dir(left.pop()?) {
                Ok(entries) => entries,
                Err(error) => return Some(Err(error)),
            };
            for entry in entries.flatten() {
                let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
                if is_directory { &mut left } else { &mut files }.push(entry.path());
            }
        }
    })
}

#[test]
fn a_directory_walk() {
    let root = tempfile::tempdir().unwrap();
    let mut made = BTreeSet::new();
    for n in 0..300 {
        let directory = root.path().join(format!("{}/{}", n % 7, n % 3));
        fs::create_dir_all(&directory).unwrap();
        let file = directory.join(n.to_string());
        fs::write(&file, "").unwrap();
        made.insert(file);
    }
    let (pool, path) = (ThreadPool::new(2), root.path().to_owned());
    let found = finish(pool.stream(move || walk(path)).try_collect::<BTreeSet<_>>()).unwrap();
    assert_eq!(found, made);
    let missing = root.path().join("missing");
    let error = finish(pool.stream(move || walk(missing)).try_collect::<Vec<_>>()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}

/// Writes numbered lines of 64 bytes, and reads them back as a stream.
fn lines_of_a_file(bytes: u64) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let lines = bytes / 64;
    let mut writer = BufWriter::with_capacity(1 << 20, file.as_file());
    for n in 0..lines {
        writeln!(writer, "{n:063}").unwrap();
    }
    writer.flush().unwrap();
    drop(writer);
    let (pool, path) = (ThreadPool::new(1), file.path().to_owned());
    let stream = pool.try_stream(move || Ok(BufReader::with_capacity(1 << 16, File::open(path)?).lines()));
    let check = stream.try_fold(0_u64, |n, line| async move {
        assert_eq!(line.parse(), Ok(n));
        Ok::<_, io::Error>(n + 1)
    });
    // A bare loop: the waits of `finish` are for what takes seconds.
    assert_eq!(pollster::block_on(check).unwrap(), lines);
}

#[test]
fn the_lines_of_a_file() {
    lines_of_a_file(16 << 20);
}

#[test]
#[ignore = "writes 1 GiB to the temporary directory"]
fn the_lines_of_a_large_file() {
    lines_of_a_file(1 << 30);
}

#[derive(Debug)]
enum ExportError {
    Database(rusqlite::Error),
    Offload { _error: Error },
}

impl From<rusqlite::Error> for ExportError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl From<Error> for ExportError {
    fn from(error: Error) -> Self {
        Self::Offload { _error: error }
    }
}

impl From<Stopped> for ExportError {
    fn from(stopped: Stopped) -> Self {
        Error::from(stopped).into()
    }
}

fn export(path: &Path, query: &str, rows: &mut Yielder<(i64, String)>) -> Result<(), ExportError> {
    let connection = rusqlite::Connection::open(path)?;
    let mut statement = connection.prepare(query)?;
    for row in statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))? {
        rows.send(row?)?;
    }
    Ok(())
}

#[test]
fn the_rows_of_a_statement() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
             INSERT INTO note SELECT i, 'note ' || i FROM n;",
        )
        .unwrap();
    let pool = ThreadPool::new(2);
    let run = |query: &'static str| {
        let path = path.clone();
        pool.generate(move |rows: &mut Yielder<(i64, String)>| export(&path, query, rows))
    };
    let rows = finish(run("SELECT id, text FROM note ORDER BY id").try_collect::<Vec<_>>()).unwrap();
    assert_eq!(rows.len(), 1_000);
    assert!(rows.iter().zip(1..).all(|((id, text), n)| *id == n && *text == format!("note {n}")));

    // The row that cannot be read is the last item.
    let mut failing = run("SELECT id, CASE WHEN id = 500 THEN x'00' ELSE text END FROM note ORDER BY id");
    let mut seen = 0;
    let error = loop {
        match finish(failing.try_next()) {
            Ok(Some(_)) => seen += 1,
            Ok(None) => panic!("it ended without its error"),
            Err(error) => break error,
        }
    };
    assert_eq!(seen, 499);
    assert!(matches!(error, ExportError::Database(rusqlite::Error::InvalidColumnType(..))), "{error:?}");
    assert!(finish(failing.try_next()).unwrap().is_none());

    // A consumer that leaves frees the thread and the database.
    let mut abandoned = run("SELECT a.id, b.text FROM note a, note b");
    assert!(finish(abandoned.try_next()).unwrap().is_some());
    drop(abandoned);
    finish(pool.shutdown());
    connection.execute("DROP TABLE note", []).unwrap();
}

#[test]
fn the_entries_of_an_archive() {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for n in 0..100_u8 {
        archive.start_file(format!("{n}.txt"), zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(&[n; 1_000]).unwrap();
    }
    let archive = archive.finish().unwrap().into_inner();
    let unpack = |bytes: Vec<u8>| {
        ThreadPool::new(1).generate(move |out: &mut Yielder<(String, Vec<u8>)>| {
            let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(io::Error::other)?;
            for at in 0..archive.len() {
                let mut entry = archive.by_index(at).map_err(io::Error::other)?;
                let (name, mut contents) = (entry.name().map_err(io::Error::other)?.into_owned(), Vec::new());
                entry.read_to_end(&mut contents)?;
                out.send((name, contents))?;
            }
            Ok::<(), io::Error>(())
        })
    };
    let entries = finish(unpack(archive.clone()).buffer(4).try_collect::<Vec<_>>()).unwrap();
    assert_eq!(entries.len(), 100);
    assert!(
        entries.iter().zip(0..).all(|((name, contents), n)| *name == format!("{n}.txt") && *contents == [n; 1_000])
    );
    let mut damaged = archive;
    damaged.truncate(1_000);
    finish(unpack(damaged).try_collect::<Vec<_>>()).unwrap_err();
}
