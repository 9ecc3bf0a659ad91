//! What each operation does, one at a time.

use std::io::{Cursor, Read, Seek, SeekFrom, Write};

use futures::io::AsyncBufReadExt as _;
use offload_runtime::{ExecutorExt, Inline, ThreadPool};
use tests::support::{finish, panic_message};

use crate::family::{Family, Futures, Tokio};
use crate::values::{Sink, fed, pattern};

#[test]
fn a_write_is_written_without_a_flush() {
    let sink = Sink::default();
    let mut io = ThreadPool::new(1).io(sink.clone());
    assert_eq!(finish(Tokio::write(&mut io, b"abc")).unwrap(), 3);
    tests::support::eventually("it is written", || sink.bytes() == b"abc");
    assert_eq!(sink.flushed(), 0);
}

#[test]
fn flush_writes_all_and_flushes_the_writer() {
    fn check<F: Family>() {
        let sink = Sink::default();
        sink.shared.lock().unwrap().piece = Some(1);
        let mut io = ThreadPool::new(1).io(sink.clone());
        assert_eq!(finish(F::write(&mut io, b"abc")).unwrap(), 3);
        finish(F::flush(&mut io)).unwrap();
        assert_eq!((sink.bytes().as_slice(), sink.flushed()), (&b"abc"[..], 1));
        finish(F::close(&mut io)).unwrap();
        assert_eq!(sink.flushed(), 2);
        // It is open still.
        assert_eq!(finish(F::write(&mut io, b"d")).unwrap(), 1);
        finish(F::flush(&mut io)).unwrap();
        assert_eq!(sink.bytes(), b"abcd");
    }
    check::<Tokio>();
    check::<Futures>();
}

#[test]
fn no_more_is_accepted_than_the_buffer_holds() {
    let mut io = ThreadPool::new(1).io(Sink::default()).buffer(10);
    assert_eq!(finish(Tokio::write(&mut io, &pattern(100))).unwrap(), 10);
}

#[test]
fn a_writer_that_stands_still_takes_two_buffers_and_no_more() {
    /// Blocks in its first `write` until it is let go.
    struct Slow(std::sync::mpsc::Receiver<()>, Sink);
    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let _ = self.0.recv();
            self.1.write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let (go, wait) = std::sync::mpsc::channel();
    let sink = Sink::default();
    let mut io = ThreadPool::new(1).io(Slow(wait, sink.clone())).buffer(4);
    let bytes = pattern(40);
    let mut accepted = finish(Tokio::write(&mut io, &bytes)).unwrap();
    // The first buffer is the worker's at some time, from when on a second fills.
    while accepted < 8 {
        accepted += finish(Tokio::write(&mut io, &bytes[accepted..])).unwrap();
    }
    assert_eq!(accepted, 8);
    let mut next = Tokio::write(&mut io, &bytes[8..]);
    let waker = std::sync::Arc::new(tests::support::Counting::default());
    assert!(tests::support::poll_once(&mut next, &waker.clone().into()).is_pending());
    assert_eq!(waker.wakes(), 0);
    go.send(()).unwrap();
    tests::support::eventually("the waiting write is woken", || waker.wakes() > 0);
    accepted += finish(next).unwrap();
    drop(go);
    finish(io.into_inner()).unwrap();
    assert_eq!(sink.bytes(), bytes[..accepted]);
}

#[test]
fn a_read_gives_what_there_is_and_does_not_wait_for_more() {
    fn check<F: Family>() {
        let (reader, feeder, _) = fed();
        let mut io = ThreadPool::new(1).io(reader);
        feeder.send(Ok(b"abc".to_vec())).unwrap();
        let mut into = [0; 100];
        assert_eq!(finish(F::read(&mut io, &mut into)).unwrap(), 3);
        assert_eq!(&into[..3], b"abc");
        drop(feeder);
        assert_eq!(finish(F::read(&mut io, &mut into)).unwrap(), 0);
        assert_eq!(finish(F::read(&mut io, &mut into)).unwrap(), 0);
    }
    check::<Tokio>();
    check::<Futures>();
}

#[test]
fn a_read_of_nothing_needs_no_job() {
    let (reader, _feeder, begins) = fed();
    let mut io = ThreadPool::new(1).io(reader);
    assert_eq!(finish(Tokio::read(&mut io, &mut [])).unwrap(), 0);
    assert_eq!(finish(Futures::read(&mut io, &mut [])).unwrap(), 0);
    drop(io);
    assert!(begins.try_recv().is_err());
}

#[test]
fn a_job_reads_more_each_time_that_it_gets_all() {
    /// Gives all that is asked for, and says how much that was.
    struct Endless(std::sync::mpsc::Sender<usize>);
    impl Read for Endless {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            self.0.send(into.len()).unwrap();
            Ok(into.len())
        }
    }
    let (send, sizes) = std::sync::mpsc::channel();
    let mut io = ThreadPool::new(1).io(Endless(send)).buffer(64 * 1024);
    let mut into = vec![0; 150 * 1024];
    finish(async { tokio::io::AsyncReadExt::read_exact(&mut io, &mut into[..100 * 1024]).await }).unwrap();
    drop(io);
    // It was asked for 100 KiB at first: the buffer is the limit.
    assert_eq!(sizes.iter().collect::<Vec<_>>(), [64 * 1024, 64 * 1024]);
    let (send, sizes) = std::sync::mpsc::channel();
    let mut io = ThreadPool::new(1).io(Endless(send)).buffer(64 * 1024);
    for _ in 0..120 {
        finish(async { tokio::io::AsyncReadExt::read_exact(&mut io, &mut into[..1024]).await }).unwrap();
    }
    drop(io);
    assert_eq!(sizes.iter().collect::<Vec<_>>(), [8, 16, 32, 64].map(|size| size * 1024));
}

#[test]
fn lines_without_a_second_buffer() {
    let mut io = ThreadPool::new(1).io(Cursor::new("one\ntwo\nthree"));
    let mut line = String::new();
    assert_eq!(finish(io.read_line(&mut line)).unwrap(), 4);
    assert_eq!(finish(tokio::io::AsyncBufReadExt::read_line(&mut io, &mut line)).unwrap(), 4);
    assert_eq!(finish(tokio::io::AsyncBufReadExt::read_line(&mut io, &mut line)).unwrap(), 5);
    assert_eq!(line, "one\ntwo\nthree");
    let rest = finish(io.into_inner()).unwrap();
    // Nothing says that a cursor has been sought, so what was read ahead stays consumed.
    assert_eq!(rest.position(), 13);
}

#[test]
fn a_seek_counts_from_what_the_caller_has_read() {
    fn check<F: Family>() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&pattern(100)).unwrap();
        file.rewind().unwrap();
        let mut io = ThreadPool::new(1).io(file);
        let mut into = [0; 10];
        assert_eq!(finish(F::read(&mut io, &mut into)).unwrap(), 10);
        assert_eq!(finish(F::seek(&mut io, SeekFrom::Current(5))).unwrap(), 15);
        assert_eq!(finish(F::read(&mut io, &mut into)).unwrap(), 10);
        assert_eq!(into, pattern(100)[15..25]);
        assert_eq!(finish(F::seek(&mut io, SeekFrom::End(-1))).unwrap(), 99);
        assert_eq!(finish(F::read(&mut io, &mut into)).unwrap(), 1);
        assert_eq!(into[0], 99);
    }
    check::<Tokio>();
    check::<Futures>();
}

/// Without any seek before, as a file is known to have one position.
#[test]
fn a_file_is_written_where_the_caller_has_read_to() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"0123456789").unwrap();
    file.rewind().unwrap();
    let mut io = ThreadPool::new(1).io(file);
    let mut into = [0; 3];
    finish(Tokio::read(&mut io, &mut into)).unwrap();
    finish(Tokio::write(&mut io, b"ab")).unwrap();
    finish(Tokio::read(&mut io, &mut into)).unwrap();
    assert_eq!(&into, b"567");
    let mut file = finish(io.into_inner()).unwrap();
    assert_eq!(file.stream_position().unwrap(), 8);
    let mut all = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut all).unwrap();
    assert_eq!(all, "012ab56789");
}

/// `with` is for the rest of what a file can do; it finds all writes done and the position of the caller.
#[test]
fn a_call_comes_after_the_writes_before_it() {
    let mut io = ThreadPool::new(1).io(tempfile::tempfile().unwrap());
    finish(Tokio::write(&mut io, &pattern(1000))).unwrap();
    let (len, position) = finish(io.with(|file| Ok((file.metadata()?.len(), file.stream_position()?)))).unwrap();
    assert_eq!((len, position), (1000, 1000));
    let error = finish(io.with(|_| Err::<(), _>(std::io::Error::other("mine")))).unwrap_err();
    assert_eq!(error.to_string(), "mine");
}

#[test]
fn an_executor_that_runs_jobs_at_once_is_as_good() {
    let mut io = Inline.io(Cursor::new(Vec::new())).buffer(3);
    for byte in 0..10 {
        assert_eq!(finish(Tokio::write(&mut io, &[byte, byte])).unwrap(), 2);
    }
    assert_eq!(finish(Tokio::seek(&mut io, SeekFrom::Start(0))).unwrap(), 0);
    let mut into = [0; 2];
    assert_eq!(finish(Tokio::read(&mut io, &mut into)).unwrap(), 2);
    assert_eq!(into, [0, 0]);
    assert_eq!(finish(io.into_inner()).unwrap().into_inner().len(), 20);
}

#[test]
fn an_empty_buffer_is_refused_by_name() {
    let message = panic_message(|| ThreadPool::new(1).io(std::io::empty()).buffer(0));
    assert!(message.contains("AsyncIo::buffer"), "{message}");
}

#[test]
fn it_is_send_sync_and_unpin_whatever_is_in_it() {
    fn assert<T: Send + Sync + Unpin>(_: &T) {}
    /// Neither `Sync` nor `Unpin`.
    struct Inner(#[expect(dead_code, reason = "for its traits")] (std::cell::Cell<u8>, std::marker::PhantomPinned));
    let io = Inline.io(Inner((std::cell::Cell::new(1), std::marker::PhantomPinned)));
    assert(&io);
    assert!(format!("{io:?}").starts_with("AsyncIo { busy: false, read_ahead: 0"));
}
