//! Threads, refusals, panics, shutdown, nested use.

use std::io::{self, Cursor, ErrorKind, Read, SeekFrom, Write};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::Waker;

use futures::FutureExt;
use offload_runtime::{Error, ExecutorExt, Inline, ThreadPool};
use tests::support::{
    Keeping, ON_PURPOSE, Occupied, Token, Tokens, assert_balanced, eventually, finish, poll_once, silence,
};

use crate::family::{Family, Futures, Tokio};
use crate::values::{Sink, fed};

#[test]
fn a_thousand_idle_readers_and_writers_hold_no_thread() {
    let pool = ThreadPool::new(4);
    let mut feeders = Vec::new();
    let mut readers = Vec::new();
    let mut writers = Vec::new();
    for _ in 0..1_000 {
        let (reader, feeder, _begins) = fed();
        feeder.send(Ok(b"abc".to_vec())).unwrap();
        let mut reader = pool.io(reader);
        let mut into = [0; 1];
        // It has more, and its source would block: a second read would hold a thread for good.
        finish(Tokio::read(&mut reader, &mut into)).unwrap();
        readers.push(reader);
        feeders.push(feeder);
        let mut writer = pool.io(Sink::default());
        finish(Tokio::write(&mut writer, b"abc")).unwrap();
        writers.push(writer);
    }
    // All four threads are free at the same time, again and again.
    for _ in 0..250 {
        drop(Occupied::new(&pool, 4));
    }
    let jobs: Vec<_> = (0..1_000).map(|i| pool.submit(move || i)).collect();
    assert_eq!(jobs.into_iter().map(|job| finish(job).unwrap()).sum::<u64>(), 499_500);
    eventually("nothing runs", || pool.metrics().running() == 0);
    assert_eq!(pool.metrics().queued(), 0);
    // They are alive.
    let mut into = [0; 1];
    for reader in &mut readers {
        finish(Tokio::read(reader, &mut into)).unwrap();
        assert_eq!(&into, b"b");
    }
    drop((readers, writers));
    assert_balanced(&pool.metrics());
}

#[test]
fn a_full_pool_refuses_the_operation_and_nothing_else() {
    let pool = ThreadPool::builder().max_threads(1).queue_capacity(2).build();
    let sink = Sink::default();
    let mut writer = pool.io(sink.clone());
    let mut reader = pool.io(Cursor::new(b"abc".to_vec()));
    let occupied = Occupied::new(&pool, 1);
    let queued = [pool.submit(|| ()), pool.submit(|| ())];
    let busy = |error: io::Error| assert_eq!(error.kind(), ErrorKind::ResourceBusy, "{error}");
    for _ in 0..2 {
        busy(finish(Tokio::write(&mut writer, b"lost")).unwrap_err());
        busy(finish(Futures::flush(&mut writer)).unwrap_err());
        busy(finish(writer.with(|_| Ok(()))).unwrap_err());
        busy(finish(Tokio::read(&mut reader, &mut [0; 1])).unwrap_err());
        busy(finish(Futures::seek(&mut reader, SeekFrom::Start(1))).unwrap_err());
    }
    occupied.release();
    for job in queued {
        finish(job).unwrap();
    }
    finish(Tokio::write(&mut writer, b"kept")).unwrap();
    finish(writer.into_inner()).unwrap();
    assert_eq!(sink.bytes(), b"kept");
    let mut into = [0; 3];
    assert_eq!(finish(Tokio::read(&mut reader, &mut into)).unwrap(), 3);
    assert_eq!(&into, b"abc");
}

#[test]
fn a_closed_pool_refuses_and_the_file_can_be_had() {
    let pool = ThreadPool::new(1);
    let mut io = pool.io(Cursor::new(b"abc".to_vec()));
    pool.close();
    let error = finish(Tokio::read(&mut io, &mut [0; 1])).unwrap_err();
    assert_eq!(error.to_string(), "the executor is shut down");
    assert!(finish(Futures::write(&mut io, b"x")).is_err());
    assert!(finish(io.with(|_| Ok(()))).is_err());
    // Nothing was accepted, so that no job is needed.
    assert_eq!(finish(io.into_inner()).unwrap().into_inner(), b"abc");
}

/// What was accepted stays so when its job is refused later.
#[test]
fn a_write_that_is_refused_later_is_reported_and_kept() {
    let executor = Arc::new(Keeping::default());
    let sink = Sink::default();
    let mut io = Arc::clone(&executor).io(sink.clone());
    let take = || executor.0.lock().unwrap().pop().unwrap();
    assert_eq!(finish(Tokio::write(&mut io, b"ab")).unwrap(), 2);
    assert_eq!(finish(Tokio::write(&mut io, b"c")).unwrap(), 1);
    take().refuse(Error::QueueFull);
    assert_eq!(finish(Tokio::write(&mut io, b"d")).unwrap_err().kind(), ErrorKind::ResourceBusy);
    assert_eq!(finish(Tokio::write(&mut io, b"e")).unwrap(), 1);
    take().refuse(Error::ShutDown);
    let error = {
        let mut flush = Tokio::flush(&mut io);
        finish(&mut flush).unwrap_err()
    };
    assert_eq!(error.to_string(), "the executor is shut down");
    let mut flush = Tokio::flush(&mut io);
    assert!(poll_once(&mut flush, Waker::noop()).is_pending());
    take().run();
    finish(flush).unwrap();
    assert_eq!(sink.bytes(), b"abce");
    // Refused, and then dropped: the drop submits the write anew.
    finish(Tokio::write(&mut io, b"f")).unwrap();
    take().refuse(Error::QueueFull);
    drop(io);
    take().run();
    assert_eq!(sink.bytes(), b"abcef");
}

#[test]
fn shutdown_now_refuses_a_queued_write() {
    let pool = ThreadPool::new(1);
    let sink = Sink::default();
    let mut io = pool.io(sink.clone());
    let occupied = Occupied::new(&pool, 1);
    finish(Tokio::write(&mut io, b"abc")).unwrap();
    let ended = pool.shutdown_now();
    assert_eq!(finish(Tokio::flush(&mut io)).unwrap_err().to_string(), "the executor is shut down");
    occupied.release();
    finish(ended);
    assert_eq!(sink.bytes(), b"");
}

struct Panicking(#[expect(dead_code, reason = "counted")] Token);

impl Read for Panicking {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        panic!("{ON_PURPOSE}");
    }
}

impl Write for Panicking {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        panic!("{ON_PURPOSE}");
    }

    fn flush(&mut self) -> io::Result<()> {
        panic!("{ON_PURPOSE}");
    }
}

#[test]
fn a_panic_is_resumed_in_the_poller_and_everything_after_it_fails() {
    fn check<F: Family>() {
        let tokens = Tokens::new();
        let pool = ThreadPool::new(1);
        let panics: [fn(&mut _) -> _; 3] = [
            |io| finish(AssertUnwindSafe(F::read(io, &mut [0; 1]).map(drop)).catch_unwind()),
            |io| finish(AssertUnwindSafe(F::flush(io).map(drop)).catch_unwind()),
            |io| {
                // The write may be over when the panic is not.
                let write = async {
                    F::write(io, b"a").await.unwrap();
                    F::write(io, b"b").await.unwrap();
                    F::flush(io).await.unwrap();
                };
                finish(AssertUnwindSafe(write).catch_unwind())
            },
        ];
        for panics in panics {
            let mut io = pool.io(Panicking(tokens.token()));
            let payload = panics(&mut io).unwrap_err();
            assert_eq!(payload.downcast_ref::<String>().map(String::as_str), Some(ON_PURPOSE));
            assert_eq!(tokens.alive(), 0);
            let gone = |error: io::Error| assert!(error.to_string().contains("panicked"), "{error}");
            gone(finish(F::read(&mut io, &mut [0; 1])).unwrap_err());
            gone(finish(F::write(&mut io, b"a")).unwrap_err());
            gone(finish(F::flush(&mut io)).unwrap_err());
            gone(finish(io.with(|_| Ok(()))).unwrap_err());
            gone(finish(io.into_inner()).map(drop).unwrap_err());
        }
        assert_eq!(finish(pool.submit(|| 1)).unwrap(), 1);
        assert_eq!(pool.metrics().panicked(), 3);
    }
    silence();
    check::<Tokio>();
    check::<Futures>();
}

#[test]
fn a_panic_that_no_operation_has_seen_is_dropped_with_the_value() {
    silence();
    let (tokens, pool) = (Tokens::new(), ThreadPool::new(1));
    let mut io = pool.io(Panicking(tokens.token()));
    let occupied = Occupied::new(&pool, 1);
    finish(Tokio::write(&mut io, b"a")).unwrap();
    occupied.release();
    tokens.wait_until_none();
    eventually("the job has ended", || pool.metrics().panicked() == 1);
    drop(io);
    assert_eq!(finish(pool.submit(|| 1)).unwrap(), 1);
}

/// On one thread, which the job has: the reads and writes that it awaits run beside it.
#[test]
fn a_job_uses_a_reader_and_a_writer_of_its_own_pool() {
    let pool = ThreadPool::new(1);
    let inner = pool.clone();
    let copied = pool.submit(move || {
        let sink = Sink::default();
        let (mut from, mut to) = (inner.io(Cursor::new(vec![7; 10_000])).buffer(16), inner.io(sink.clone()).buffer(16));
        finish(tokio::io::copy(&mut from, &mut to)).unwrap();
        finish(to.into_inner()).unwrap();
        sink.bytes().len()
    });
    assert_eq!(finish(copied).unwrap(), 10_000);
}

/// On any executor: here tokio's blocking threads, a view, rayon's.
#[test]
fn it_runs_on_any_executor() {
    fn copies(executor: impl offload_runtime::Executor + Clone + 'static) {
        let sink = Sink::default();
        let mut from = executor.io(Cursor::new(vec![7; 100_000])).buffer(1_000);
        let mut to = executor.io(sink.clone()).buffer(1_000);
        assert_eq!(finish(futures::io::copy(&mut from, &mut to)).unwrap(), 100_000);
        finish(Futures::close(&mut to)).unwrap();
        assert_eq!(sink.bytes().len(), 100_000);
    }
    let runtime = tests::support::tokio_runtime(2);
    copies(runtime.handle().clone());
    copies(Arc::new(tests::support::rayon_pool(2)));
    copies(ThreadPool::new(2).limited(1));
    copies(Inline);
    copies(Arc::new(ThreadPool::new(1)));
}

#[test]
fn nothing_of_the_reader_is_left_behind() {
    struct Held(#[expect(dead_code, reason = "counted")] Token);
    impl Read for Held {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            Ok(into.len())
        }
    }
    let (tokens, pool) = (Tokens::new(), ThreadPool::new(1));
    for _ in 0..100 {
        let mut io = pool.io(Held(tokens.token()));
        finish(Tokio::read(&mut io, &mut [0; 4])).unwrap();
        let held = finish(io.into_inner()).unwrap();
        assert_eq!(tokens.alive(), 1);
        drop(held);
        assert_eq!(tokens.alive(), 0);
    }
}

/// The caller's tokio runtime is current in the file's own methods; the jobs are known by the line that called `io`.
#[test]
fn jobs_have_the_callers_runtime_and_the_line_of_io() {
    struct Runtime;
    impl Read for Runtime {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            tokio::runtime::Handle::try_current().map(|_| 0).map_err(io::Error::other)
        }
    }
    let runtime = tests::support::tokio_runtime(1);
    let pool = ThreadPool::new(1);
    let (line, mut io) = (line!(), pool.io(Runtime));
    assert_eq!(runtime.block_on(Tokio::read(&mut io, &mut [0; 1])).unwrap(), 0);
    assert!(finish(Tokio::read(&mut io, &mut [0; 1])).is_err());
    let sites = pool.metrics().by_site().to_vec();
    assert_eq!(sites.len(), 1);
    assert_eq!((sites[0].site().line(), sites[0].completed()), (line, 2));
}
