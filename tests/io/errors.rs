//! Errors arrive at the operation that caused them or at the next one, once for each attempt, and nothing is lost behind their back.

use std::io::{self, Cursor, ErrorKind, Read, SeekFrom, Write};

use offload_runtime::{AsyncIo, ExecutorExt, ThreadPool};
use tests::support::{Occupied, finish, poll_once};

use crate::family::{Family, Futures, Tokio};
use crate::values::{Sink, fed, pattern};

/// Writes in pieces of 7 until an error, and returns it with the number of accepted bytes.
fn write_until_error<F: Family>(io: &mut AsyncIo<Sink>, bytes: &[u8]) -> (usize, io::Error) {
    let mut accepted = 0;
    while accepted < bytes.len() {
        let piece = &bytes[accepted..bytes.len().min(accepted + 7)];
        match finish(F::write(io, piece)) {
            Ok(n) => accepted += n,
            Err(error) => return (accepted, error),
        }
    }
    (accepted, finish(F::flush(io)).expect_err("there is no room for all"))
}

#[test]
fn a_writer_that_fails_at_a_byte_has_all_bytes_before_it() {
    fn check<F: Family>() {
        let bytes = pattern(200);
        for room in [0, 1, 6, 7, 8, 63, 64, 65, 199] {
            let sink = Sink::with_room(room);
            let mut io = ThreadPool::new(1).io(sink.clone()).buffer(16);
            let (accepted, error) = write_until_error::<F>(&mut io, &bytes);
            assert_eq!(error.kind(), ErrorKind::StorageFull);
            assert!(accepted >= room && sink.bytes() == bytes[..room], "room for {room}, {accepted} accepted");
            // Two buffers and a bit: the error did not come late.
            assert!(accepted <= room + 3 * 16, "room for {room}, {accepted} accepted");
            // A second flush does not hide it.
            assert_eq!(finish(F::flush(&mut io)).unwrap_err().kind(), ErrorKind::StorageFull);
            assert_eq!(finish(F::close(&mut io)).unwrap_err().kind(), ErrorKind::StorageFull);
            assert_eq!(sink.flushed(), 0);
            // There is room again: what was accepted is written, once.
            sink.set_room(None);
            finish(F::flush(&mut io)).unwrap();
            assert_eq!(sink.bytes(), bytes[..accepted]);
        }
    }
    check::<Tokio>();
    check::<Futures>();
}

#[test]
fn a_call_does_not_run_after_a_failed_write() {
    let mut io = ThreadPool::new(1).io(Sink::with_room(1));
    finish(Tokio::write(&mut io, b"abc")).unwrap();
    let called = finish(io.with(|_| -> io::Result<()> { panic!("it is not to run") }));
    assert_eq!(called.unwrap_err().kind(), ErrorKind::StorageFull);
    let called = finish(io.with(|_| -> io::Result<()> { panic!("it is not to run") }));
    assert_eq!(called.unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(finish(io.into_inner()).unwrap_err().kind(), ErrorKind::StorageFull);
}

#[test]
fn a_writer_that_takes_nothing_is_an_error() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Ok(0)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut io = ThreadPool::new(1).io(Full);
    finish(Tokio::write(&mut io, b"abc")).unwrap();
    assert_eq!(finish(Tokio::flush(&mut io)).unwrap_err().kind(), ErrorKind::WriteZero);
}

#[test]
fn a_flush_that_fails_is_reported() {
    fn check<F: Family>() {
        let sink = Sink::default();
        sink.shared.lock().unwrap().flush_fails = true;
        let mut io = ThreadPool::new(1).io(sink.clone());
        finish(F::write(&mut io, b"abc")).unwrap();
        assert_eq!(finish(F::flush(&mut io)).unwrap_err().to_string(), "flush failed");
        assert_eq!(finish(F::close(&mut io)).unwrap_err().to_string(), "flush failed");
        sink.shared.lock().unwrap().flush_fails = false;
        finish(F::flush(&mut io)).unwrap();
    }
    check::<Tokio>();
    check::<Futures>();
}

#[test]
fn a_read_error_comes_behind_the_bytes_before_it_and_reading_goes_on() {
    fn check<F: Family>() {
        let (reader, feeder, _) = fed();
        let mut io = ThreadPool::new(1).io(reader);
        feeder.send(Ok(b"ab".to_vec())).unwrap();
        feeder.send(Err(io::Error::other("torn"))).unwrap();
        feeder.send(Err(ErrorKind::Interrupted.into())).unwrap();
        feeder.send(Ok(b"c".to_vec())).unwrap();
        let mut into = [0; 1];
        assert_eq!(finish(F::read(&mut io, &mut into)).unwrap(), 1);
        assert_eq!(finish(F::read(&mut io, &mut into)).unwrap(), 1);
        assert_eq!(finish(F::read(&mut io, &mut into)).unwrap_err().to_string(), "torn");
        // An interrupted read is repeated where it was.
        assert_eq!(finish(F::read(&mut io, &mut into)).unwrap(), 1);
        assert_eq!(&into, b"c");
    }
    check::<Tokio>();
    check::<Futures>();
}

#[test]
fn a_seek_before_the_start_is_the_error_of_the_file() {
    fn check<F: Family>() {
        let mut file = tempfile::tempfile().unwrap();
        let expected = io::Seek::seek(&mut file, SeekFrom::Current(-1)).unwrap_err();
        file.write_all(b"0123456789").unwrap();
        let mut io = ThreadPool::new(1).io(file);
        assert_eq!(finish(F::seek(&mut io, SeekFrom::Start(2))).unwrap(), 2);
        let mut into = [0; 2];
        finish(F::read(&mut io, &mut into)).unwrap();
        for to in [SeekFrom::Current(-5), SeekFrom::End(-11), SeekFrom::Current(i64::MIN)] {
            let error = finish(F::seek(&mut io, to)).unwrap_err();
            assert_eq!((error.kind(), error.raw_os_error()), (expected.kind(), expected.raw_os_error()));
        }
        // It is where it was.
        finish(F::read(&mut io, &mut into)).unwrap();
        assert_eq!(&into, b"45");
    }
    check::<Tokio>();
    check::<Futures>();
}

/// What the writer of a duplex stream cannot take any more does not keep its reader from what has arrived.
#[test]
fn a_stream_that_cannot_be_written_can_be_read() {
    struct Torn(Cursor<&'static [u8]>);
    impl Read for Torn {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0.read(into)
        }
    }
    impl Write for Torn {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut io = ThreadPool::new(1).io(Torn(Cursor::new(b"the last words")));
    finish(Tokio::write(&mut io, b"hello")).unwrap();
    let mut into = [0; 20];
    assert_eq!(finish(Tokio::read(&mut io, &mut into)).unwrap_err().kind(), ErrorKind::BrokenPipe);
    assert_eq!(finish(Tokio::read(&mut io, &mut into)).unwrap(), 14);
    assert_eq!(finish(Tokio::flush(&mut io)).unwrap_err().kind(), ErrorKind::BrokenPipe);
}

/// The errors of operations whose futures were dropped come with the next one.
#[test]
fn the_error_of_a_dropped_future_is_the_next_operations() {
    let sink = Sink::default();
    sink.shared.lock().unwrap().flush_fails = true;
    let pool = ThreadPool::new(1);
    let mut io = pool.io(sink);
    let occupied = Occupied::new(&pool, 1);
    // With nothing to write before it, it submits its job at once.
    assert!(poll_once(&mut Futures::flush(&mut io), std::task::Waker::noop()).is_pending());
    occupied.release();
    assert_eq!(finish(Tokio::write(&mut io, b"d")).unwrap_err().to_string(), "flush failed");
    assert_eq!(finish(Tokio::write(&mut io, b"d")).unwrap(), 1);
}
