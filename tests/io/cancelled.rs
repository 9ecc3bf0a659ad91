//! Futures that are dropped half way lose no bytes; values that are dropped write what they accepted.

use std::io::{self, Read, Write};
use std::sync::mpsc::channel;
use std::task::Waker;
use std::time::Duration;

use offload_runtime::{ExecutorExt, ThreadPool, is_cancelled};
use tests::support::{Occupied, Token, Tokens, eventually, finish, poll_once};

use crate::family::{Family, Futures, Tokio};
use crate::values::{Sink, fed, pattern};

#[test]
fn a_read_future_that_is_dropped_half_way_loses_no_bytes() {
    fn check<F: Family>() {
        let (reader, feeder, begins) = fed();
        let mut io = ThreadPool::new(1).io(reader);
        let bytes = pattern(100);
        let mut into = [0; 3];
        let mut got = Vec::new();
        for piece in bytes.chunks(10) {
            assert!(poll_once(&mut F::read(&mut io, &mut into), Waker::noop()).is_pending());
            begins.recv().unwrap();
            feeder.send(Ok(piece.to_vec())).unwrap();
            // Some are read, and the rest by others, which may be dropped too.
            while got.len() % 10 != 0 || got.is_empty() || !got.ends_with(&piece[9..]) {
                let n = finish(F::read(&mut io, &mut into)).unwrap();
                got.extend_from_slice(&into[..n]);
            }
        }
        assert_eq!(got, bytes);
    }
    check::<Tokio>();
    check::<Futures>();
}

#[test]
fn timeouts_and_select_lose_no_bytes() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let (reader, feeder, _begins) = fed();
    let bytes = pattern(20_000);
    let feed = bytes.clone();
    let thread = std::thread::spawn(move || {
        for piece in feed.chunks(97) {
            feeder.send(Ok(piece.to_vec())).unwrap();
        }
    });
    let got = runtime.block_on(async {
        use tokio::io::AsyncReadExt;
        let mut io = ThreadPool::new(2).io(reader);
        let (mut got, mut into) = (Vec::new(), [0; 50]);
        while got.len() < 20_000 {
            // Each of them is dropped when the other is ready, which is so at the first poll of half of them.
            tokio::select! {
                n = io.read(&mut into) => got.extend_from_slice(&into[..n.unwrap()]),
                () = tokio::task::yield_now() => {}
            }
            if let Ok(n) = tokio::time::timeout(Duration::ZERO, io.read(&mut into)).await {
                got.extend_from_slice(&into[..n.unwrap()]);
            }
        }
        got
    });
    assert_eq!(got, bytes);
    thread.join().unwrap();
}

#[test]
fn a_write_that_is_not_ready_has_accepted_nothing() {
    fn check<F: Family>() {
        let pool = ThreadPool::new(1);
        let sink = Sink::default();
        let mut io = pool.io(sink.clone()).buffer(4);
        let occupied = Occupied::new(&pool, 1);
        assert_eq!(finish(F::write(&mut io, b"abcd")).unwrap(), 4);
        assert!(poll_once(&mut F::write(&mut io, b"efgh"), Waker::noop()).is_pending());
        occupied.release();
        assert_eq!(finish(F::write(&mut io, b"ijkl")).unwrap(), 4);
        finish(F::flush(&mut io)).unwrap();
        assert_eq!(sink.bytes(), b"abcdijkl");
    }
    check::<Tokio>();
    check::<Futures>();
}

#[test]
fn dropping_it_writes_what_was_accepted_and_drops_the_writer_on_the_worker() {
    /// Says on which thread it was dropped.
    struct Named(Sink, std::sync::mpsc::Sender<Option<String>>);
    impl Write for Named {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            self.0.flush()
        }
    }
    impl Drop for Named {
        fn drop(&mut self) {
            self.1.send(std::thread::current().name().map(str::to_owned)).unwrap();
        }
    }
    let pool = ThreadPool::builder().max_threads(1).thread_name("disk").build();
    for queued in [false, true] {
        let (sink, (send, dropped)) = (Sink::default(), channel());
        let mut io = pool.io(Named(sink.clone(), send)).buffer(100);
        let occupied = queued.then(|| Occupied::new(&pool, 1));
        finish(Tokio::write(&mut io, &pattern(50))).unwrap();
        finish(Tokio::write(&mut io, &pattern(50))).unwrap();
        if !queued {
            // Its job has ended, so that the drop submits another.
            eventually("it is written", || sink.bytes().len() == 100);
        }
        drop(io);
        drop(occupied);
        let thread = dropped.recv_timeout(tests::support::PATIENCE).unwrap();
        assert!(thread.is_some_and(|name| name.starts_with("disk")));
        assert_eq!(sink.bytes(), [pattern(50), pattern(50)].concat());
    }
}

#[test]
fn after_a_flush_the_drop_closes_at_once() {
    struct Held(#[expect(dead_code, reason = "counted")] Token);
    impl Write for Held {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let tokens = Tokens::new();
    let mut io = ThreadPool::new(1).io(Held(tokens.token()));
    finish(Tokio::write(&mut io, b"abc")).unwrap();
    finish(Tokio::flush(&mut io)).unwrap();
    drop(io);
    assert_eq!(tokens.alive(), 0);
}

/// The accepted bytes outlive the pool's handles, too, and its `close`.
#[test]
fn a_closed_pool_writes_what_was_accepted_before() {
    let pool = ThreadPool::new(1);
    let sink = Sink::default();
    let mut io = pool.io(sink.clone());
    let occupied = Occupied::new(&pool, 1);
    finish(Tokio::write(&mut io, b"abc")).unwrap();
    pool.close();
    drop(io);
    occupied.release();
    finish(pool.shutdown());
    assert_eq!(sink.bytes(), b"abc");
}

#[test]
fn dropping_it_while_a_read_waits_in_the_queue_frees_the_reader_at_once() {
    struct Held(#[expect(dead_code, reason = "counted")] Token);
    impl Read for Held {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            panic!("it is not to be read");
        }
    }
    let (pool, tokens) = (ThreadPool::new(1), Tokens::new());
    let occupied = Occupied::new(&pool, 1);
    let mut io = pool.io(Held(tokens.token()));
    assert!(poll_once(&mut Tokio::read(&mut io, &mut [0; 4]), Waker::noop()).is_pending());
    drop(io);
    assert_eq!(tokens.alive(), 0);
    assert_eq!(pool.metrics().queued(), 0);
    occupied.release();
}

#[test]
fn dropping_it_while_a_read_runs_cancels_the_read() {
    struct Waiting(std::sync::mpsc::Sender<&'static str>, #[expect(dead_code, reason = "counted")] Token);
    impl Read for Waiting {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            self.0.send("reads").unwrap();
            while !is_cancelled() {
                std::thread::yield_now();
            }
            self.0.send("cancelled").unwrap();
            Ok(0)
        }
    }
    let (tokens, (send, receive)) = (Tokens::new(), channel());
    let mut io = ThreadPool::new(1).io(Waiting(send, tokens.token()));
    assert!(poll_once(&mut Futures::read(&mut io, &mut [0; 4]), Waker::noop()).is_pending());
    assert_eq!(receive.recv_timeout(tests::support::PATIENCE), Ok("reads"));
    drop(io);
    assert_eq!(receive.recv_timeout(tests::support::PATIENCE), Ok("cancelled"));
    tokens.wait_until_none();
}

#[test]
fn a_call_that_waits_is_cancelled_with_its_future_and_one_that_runs_is_told() {
    let (pool, tokens, sink) = (ThreadPool::new(1), Tokens::new(), Sink::default());
    let mut io = pool.io(sink.clone());
    let occupied = Occupied::new(&pool, 1);
    let token = tokens.token();
    {
        let mut call = Box::pin(io.with(move |_| -> io::Result<()> {
            drop(token);
            panic!("it is not to run")
        }));
        assert!(poll_once(&mut call, Waker::noop()).is_pending());
        drop(call);
    }
    assert_eq!(tokens.alive(), 0);
    occupied.release();
    // The next operation knows nothing of it.
    finish(Tokio::write(&mut io, b"abc")).unwrap();
    finish(Tokio::flush(&mut io)).unwrap();
    let (send, receive) = channel();
    {
        let mut call = Box::pin(io.with(move |_| {
            send.send("runs").unwrap();
            while !is_cancelled() {
                std::thread::yield_now();
            }
            send.send("cancelled").unwrap();
            Ok(())
        }));
        assert!(poll_once(&mut call, Waker::noop()).is_pending());
        assert_eq!(receive.recv_timeout(tests::support::PATIENCE), Ok("runs"));
    }
    assert_eq!(receive.recv_timeout(tests::support::PATIENCE), Ok("cancelled"));
    finish(Tokio::write(&mut io, b"d")).unwrap();
    finish(io.into_inner()).unwrap();
    assert_eq!(sink.bytes(), b"abcd");
}

#[test]
fn into_inner_that_is_dropped_half_way_writes_all_the_same() {
    let pool = ThreadPool::new(1);
    let sink = Sink::default();
    let mut io = pool.io(sink.clone());
    let occupied = Occupied::new(&pool, 1);
    finish(Tokio::write(&mut io, b"abc")).unwrap();
    let mut into_inner = Box::pin(io.into_inner());
    assert!(poll_once(&mut into_inner, Waker::noop()).is_pending());
    drop(into_inner);
    occupied.release();
    eventually("it is written", || sink.bytes() == b"abc");
}
