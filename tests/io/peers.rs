//! What the suites of `blocking`, `async-fs` and tokio's files take for granted, and what their users have reported.

use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

use offload_runtime::{ExecutorExt, ThreadPool};
use tests::support::finish;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use crate::values::pattern;

const LEN: usize = 20_000_000;

fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}

#[test]
fn twenty_megabytes_are_read() {
    let bytes = pattern(LEN);
    let mut io = ThreadPool::new(1).io(Cursor::new(bytes.clone()));
    let mut got = Vec::new();
    finish(io.read_to_end(&mut got)).unwrap();
    assert!(got == bytes && finish(io.into_inner()).unwrap().into_inner() == bytes);
}

#[test]
fn twenty_megabytes_are_written() {
    let bytes = pattern(LEN);
    let mut io = ThreadPool::new(1).io(Cursor::new(Vec::new()));
    finish(io.write_all(&bytes)).unwrap();
    assert!(finish(io.into_inner()).unwrap().into_inner() == bytes);
}

#[test]
fn seeks_one_after_the_other() {
    let mut io = ThreadPool::new(1).io(Cursor::new(pattern(1_000)));
    finish(async {
        assert_eq!(io.seek(SeekFrom::Current(7)).await.unwrap(), 7);
        assert_eq!(io.seek(SeekFrom::Current(8)).await.unwrap(), 15);
        assert_eq!(io.read_u8().await.unwrap(), 15);
        assert_eq!(io.stream_position().await.unwrap(), 16);
        io.rewind().await.unwrap();
        assert_eq!(io.read_u8().await.unwrap(), 0);
    });
}

/// tokio 6374: the position of a file that was moved before.
#[test]
fn a_file_that_is_not_at_its_start() {
    let mut file = file(b"0123456789").reopen().unwrap();
    file.seek(SeekFrom::Start(4)).unwrap();
    let mut io = ThreadPool::new(1).io(file);
    finish(async {
        assert_eq!(io.stream_position().await.unwrap(), 4);
        assert_eq!(io.read_u8().await.unwrap(), b'4');
    });
}

/// tokio 1976 and 5397: a large read is not cut into small ones.
#[test]
fn a_large_read_is_one_job() {
    let pool = ThreadPool::new(1);
    let mut io = pool.io(file(&pattern(200_000)).reopen().unwrap());
    let mut into = vec![0; 200_000];
    assert_eq!(finish(io.read(&mut into)).unwrap(), 200_000);
    assert!(into == pattern(200_000));
    assert_eq!(pool.metrics().submitted(), 1);
}

/// async-fs 45: what is synchronised has been written, and is what others read afterwards.
#[test]
fn what_is_synchronised_is_what_others_read() {
    let pool = ThreadPool::new(4);
    let file = file(b"");
    for i in 0..200_u32 {
        let mut io = pool.io(std::fs::File::create(file.path()).unwrap());
        finish(async {
            io.write_all(&i.to_le_bytes()).await.unwrap();
            io.with(|file| file.sync_data()).await.unwrap();
        });
        assert_eq!(std::fs::read(file.path()).unwrap(), i.to_le_bytes());
    }
}

/// async-fs 14, tokio 2307: after a flush the file is closed when the value has been dropped, and another reads all of it.
#[test]
fn a_flushed_file_is_closed_by_its_drop() {
    let pool = ThreadPool::new(1);
    let (reader, writer) = io::pipe().unwrap();
    let mut io = pool.io(writer);
    finish(async {
        io.write_all(b"all of it").await.unwrap();
        io.flush().await.unwrap();
    });
    drop(io);
    let mut all = String::new();
    io::BufReader::new(reader).read_to_string(&mut all).unwrap();
    assert_eq!(all, "all of it");
}

/// tokio `write_to_clone`, `write_into_std_immediate`.
#[test]
fn the_file_that_comes_back_has_everything() {
    let file = file(b"");
    let mut io = ThreadPool::new(1).io(file.reopen().unwrap());
    finish(io.write_all(b"hello")).unwrap();
    let mut inner = finish(io.into_inner()).unwrap();
    inner.write_all(b" world").unwrap();
    assert_eq!(std::fs::read(file.path()).unwrap(), b"hello world");
}

/// tokio `buf_reader_seek_after_write`, `incomplete_read_followed_by_write`, `partial_read_set_len_ok`.
#[test]
fn reads_writes_and_lengths_in_turn() {
    let file = file(b"0123456789");
    let mut io = ThreadPool::new(1).io(std::fs::File::options().read(true).write(true).open(file.path()).unwrap());
    finish(async {
        assert_eq!(io.read_u8().await.unwrap(), b'0');
        io.write_all(b"A").await.unwrap();
        assert_eq!(io.read_u8().await.unwrap(), b'2');
        io.with(|file| file.set_len(4)).await.unwrap();
        assert_eq!(io.read_u8().await.unwrap(), b'3');
        assert_eq!(io.read(&mut [0; 4]).await.unwrap(), 0);
        assert_eq!(io.seek(SeekFrom::End(0)).await.unwrap(), 4);
        io.write_all(b"end").await.unwrap();
        io.shutdown().await.unwrap();
    });
    assert_eq!(std::fs::read(file.path()).unwrap(), b"0A23end");
}

/// tokio `start_seek`: not in the middle of another operation.
#[test]
fn a_seek_that_begins_too_early_is_refused() {
    let pool = ThreadPool::new(1);
    let mut io = pool.io(Cursor::new(pattern(10)));
    let occupied = tests::support::Occupied::new(&pool, 1);
    let mut read = Box::pin(io.read_u8());
    assert!(tests::support::poll_once(&mut read, std::task::Waker::noop()).is_pending());
    drop(read);
    let refused = tokio::io::AsyncSeek::start_seek(std::pin::Pin::new(&mut io), SeekFrom::Start(1));
    assert!(refused.unwrap_err().to_string().contains("poll_complete"));
    occupied.release();
    assert_eq!(finish(io.seek(SeekFrom::Start(3))).unwrap(), 3);
    assert_eq!(finish(io.read_u8()).unwrap(), 3);
}
