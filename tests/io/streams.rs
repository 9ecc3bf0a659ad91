//! Child processes, pipes, sockets, decoders.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::task::Waker;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use futures::io::AsyncBufReadExt as _;
use offload_runtime::{ExecutorExt, ThreadPool};
use tests::support::{PATIENCE, eventually, finish, poll_once};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::family::{Family, Tokio};
use crate::values::pattern;

/// 3 MB through `cat`, which would block if one side waited for the other.
#[test]
fn through_a_child_and_back() {
    let pool = ThreadPool::new(4);
    let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, mut output) = (pool.io(child.stdin.take().unwrap()), pool.io(child.stdout.take().unwrap()));
    let bytes = pattern(3_000_000);
    let got = finish(async {
        let write = async {
            input.write_all(&bytes).await.unwrap();
            input.shutdown().await.unwrap();
            // This, not the shutdown, is the end of the child's input.
            drop(input);
        };
        let mut got = Vec::new();
        let ((), read) = tokio::join!(write, output.read_to_end(&mut got));
        read.unwrap();
        got
    });
    assert_eq!(got, bytes);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_dropped_input_ends_the_child_after_what_was_accepted() {
    let pool = ThreadPool::new(2);
    let mut child = Command::new("wc").arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = pool.io(child.stdin.take().unwrap());
    finish(input.write_all(&pattern(200_000))).unwrap();
    drop(input);
    let mut text = String::new();
    finish(pool.io(child.stdout.take().unwrap()).read_to_string(&mut text)).unwrap();
    assert_eq!(text.trim(), "200000");
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_child_that_does_not_read_is_a_broken_pipe() {
    let pool = ThreadPool::new(1);
    let mut child = Command::new("true").stdin(Stdio::piped()).spawn().unwrap();
    let mut input = pool.io(child.stdin.take().unwrap());
    assert!(child.wait().unwrap().success());
    finish(input.write_all(b"nobody reads this")).unwrap();
    assert_eq!(finish(input.flush()).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
}

#[test]
fn the_lines_of_a_child_arrive_one_by_one() {
    let pool = ThreadPool::new(2);
    let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, mut output) = (pool.io(child.stdin.take().unwrap()), pool.io(child.stdout.take().unwrap()));
    for i in 0..100 {
        let (sent, mut line) = (format!("line {i}\n"), String::new());
        finish(input.write_all(sent.as_bytes())).unwrap();
        finish(output.read_line(&mut line)).unwrap();
        assert_eq!(line, sent);
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_decoder_and_an_encoder() {
    let pool = ThreadPool::new(2);
    let bytes = pattern(2_000_000);
    let compressed = finish(async {
        let mut encoder = pool.io(GzEncoder::new(Vec::new(), Compression::fast()));
        encoder.write_all(&bytes).await.unwrap();
        // Its trailer is written where its method may block.
        encoder.with(GzEncoder::try_finish).await.unwrap();
        encoder.into_inner().await.unwrap().finish().unwrap()
    });
    assert!(compressed.len() < bytes.len() / 10);
    let mut got = Vec::new();
    let cut = compressed[..compressed.len() - 20].to_vec();
    let mut decoder = pool.io(GzDecoder::new(io::Cursor::new(compressed)));
    finish(decoder.read_to_end(&mut got)).unwrap();
    assert_eq!(got, bytes);
    let mut got = Vec::new();
    let error = finish(pool.io(GzDecoder::new(io::Cursor::new(cut))).read_to_end(&mut got)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    assert_eq!(got, bytes[..got.len()]);
}

/// What was read ahead of a stream stays, whatever is written in between.
#[test]
fn a_socket_is_written_between_its_reads() {
    let (mut here, there) = UnixStream::pair().unwrap();
    here.set_read_timeout(Some(PATIENCE)).unwrap();
    here.write_all(b"abcdef").unwrap();
    let mut io = ThreadPool::new(1).io(there);
    let mut into = [0; 2];
    finish(Tokio::read(&mut io, &mut into)).unwrap();
    finish(Tokio::write(&mut io, b"reply")).unwrap();
    finish(Tokio::flush(&mut io)).unwrap();
    finish(Tokio::read(&mut io, &mut into)).unwrap();
    assert_eq!(&into, b"cd");
    let mut reply = [0; 5];
    here.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"reply");
}

/// Opened as a file, but without a position: what was read ahead stays.
#[test]
fn a_file_that_cannot_seek_is_a_stream() {
    use std::os::fd::OwnedFd;
    let (mut here, there) = UnixStream::pair().unwrap();
    here.set_read_timeout(Some(PATIENCE)).unwrap();
    here.write_all(b"abcdef").unwrap();
    let mut io = ThreadPool::new(1).io(std::fs::File::from(OwnedFd::from(there)));
    let mut into = [0; 2];
    finish(Tokio::read(&mut io, &mut into)).unwrap();
    finish(Tokio::write(&mut io, b"reply")).unwrap();
    assert_eq!(finish(Tokio::seek(&mut io, io::SeekFrom::Start(0))).unwrap_err().kind(), io::ErrorKind::NotSeekable);
    finish(Tokio::read(&mut io, &mut into)).unwrap();
    assert_eq!(&into, b"cd");
    let mut reply = [0; 5];
    here.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"reply");
}

/// A pipe that is waited for holds a thread; one that is only open does not.
#[test]
fn a_pipe_holds_a_thread_while_it_is_waited_for() {
    let pool = ThreadPool::new(1);
    let (reader, mut writer) = io::pipe().unwrap();
    let mut io = pool.io(reader);
    assert_eq!(finish(pool.submit(|| 1)).unwrap(), 1);
    let mut into = [0; 4];
    {
        let mut read = Tokio::read(&mut io, &mut into);
        assert!(poll_once(&mut read, Waker::noop()).is_pending());
        eventually("the read runs", || pool.metrics().running() == 1);
        writer.write_all(b"abcd").unwrap();
        assert_eq!(finish(read).unwrap(), 4);
    }
    assert_eq!(finish(pool.submit(|| 1)).unwrap(), 1);
    assert_eq!(&into, b"abcd");
}
