//! Bodies that send.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use futures::{StreamExt, TryStreamExt};
use offload_runtime::{Error, ExecutorExt, Inline, Stopped, ThreadPool, Yielder, is_cancelled};
use tests::support::{Gate, PATIENCE, eventually, finish, within};

use super::{begin, idle, poll};

#[test]
fn all_that_is_sent_comes_in_order() {
    for buffer in [1, 2, 3, 64] {
        let stream = ThreadPool::new(1).generate(|out: &mut Yielder<u32>| {
            for n in 0..500 {
                if out.send(n).is_err() {
                    return;
                }
            }
        });
        assert_eq!(finish(stream.buffer(buffer).collect::<Vec<_>>()), (0..500).collect::<Vec<_>>());
    }
}

#[test]
fn an_error_is_the_last_item() {
    for sent in [0, 1, 64, 200] {
        let stream = ThreadPool::new(1).generate(move |out: &mut Yielder<usize>| {
            for n in 0..sent {
                out.send(n)?;
            }
            Err::<(), _>(io::Error::other("the disk is gone"))
        });
        let items: Vec<io::Result<usize>> = finish(stream.collect());
        let (last, others) = items.split_last().unwrap();
        assert_eq!(
            others.iter().map(|item| *item.as_ref().unwrap()).collect::<Vec<_>>(),
            (0..sent).collect::<Vec<_>>()
        );
        assert_eq!(last.as_ref().unwrap_err().to_string(), "the disk is gone");
    }
}

/// The body is never further ahead than the buffer, and waits on its thread.
#[test]
fn a_sender_waits_while_the_buffer_is_full() {
    let (pool, sent) = (ThreadPool::new(1), Arc::new(AtomicUsize::new(0)));
    let of_body = Arc::clone(&sent);
    let mut stream = pool
        .generate(move |out: &mut Yielder<usize>| {
            while out.send(of_body.load(Ordering::SeqCst)).is_ok() {
                of_body.fetch_add(1, Ordering::SeqCst);
            }
        })
        .buffer(4);
    begin(&pool, &mut stream);
    eventually("the buffer is full", || sent.load(Ordering::SeqCst) == 4);
    for n in 0..100 {
        assert_eq!(finish(stream.next()), Some(n));
        assert!(sent.load(Ordering::SeqCst) <= n + 1 + 4);
    }
    assert_eq!(pool.metrics().running(), 1, "a sender keeps its thread");
    drop(stream);
    idle(&pool);
}

/// A sender that waits is told that its consumer has left, and so is one that comes later.
#[test]
fn send_fails_after_the_stream_was_dropped() {
    let pool = ThreadPool::new(1);
    let (tell, told) = mpsc::channel();
    let mut stream = pool.generate(move |out: &mut Yielder<usize>| {
        let mut results = Vec::new();
        for n in 0..4 {
            results.push(out.send(n));
        }
        assert!(is_cancelled());
        tell.send(results).unwrap();
    });
    stream = stream.buffer(1);
    begin(&pool, &mut stream);
    eventually("the body runs", || pool.metrics().running() == 1);
    drop(stream);
    let results = told.recv_timeout(PATIENCE).unwrap();
    // The first may be sent before the stream is dropped; no other has room.
    assert!(results[1..].iter().all(Result::is_err), "{results:?}");
    assert_eq!(finish(pool.submit(|| 1)).unwrap(), 1);
}

/// A body that takes no notice goes on to its end, and what it returns is dropped there.
#[test]
fn a_body_that_ignores_stopped_runs_to_its_end() {
    let pool = ThreadPool::new(1);
    let (gate, token) = (Gate::closed(), Arc::new(()));
    let (of_body, item) = (gate.clone(), Arc::clone(&token));
    let mut stream = pool.generate(move |out: &mut Yielder<Arc<()>>| {
        of_body.pass();
        for _ in 0..1_000 {
            let _ = out.send(Arc::clone(&item));
        }
        Err::<(), _>(Error::TimedOut)
    });
    begin(&pool, &mut stream);
    gate.wait_for(1);
    drop(stream);
    gate.open();
    idle(&pool);
    assert_eq!((pool.metrics().completed(), Arc::strong_count(&token)), (2, 1));
}

/// `shutdown_now` ends a sender whose consumer never comes; the consumer is told that items are missing.
#[test]
fn a_sender_that_waits_is_interrupted_by_its_cancellation() {
    let pool = ThreadPool::new(1);
    let mut stream = pool
        .generate(|out: &mut Yielder<Option<u32>>| {
            for n in 0..10 {
                if out.send(Some(n)).is_err() {
                    return;
                }
            }
        })
        .buffer(2)
        .refused(|error| {
            assert!(matches!(error, Error::Cancelled), "{error:?}");
            None
        });
    begin(&pool, &mut stream);
    eventually("the body runs", || pool.metrics().running() == 1);
    // Two items are there, and the third waits, or will.
    let shutdown = pool.shutdown_now();
    within(PATIENCE, move || finish(shutdown));
    let items: Vec<_> = finish(stream.collect());
    assert_eq!(items.last(), Some(&None), "{items:?}");
    assert!(items.len() <= 3, "{items:?}");
}

/// On `Inline` the sender and the consumer are one thread: the buffer grows.
#[test]
fn a_sender_on_the_consumers_thread_does_not_wait() {
    within(PATIENCE, || {
        let stream = Inline.generate(|out: &mut Yielder<u32>| (0..1_000).for_each(|n| out.send(n).unwrap()));
        assert_eq!(finish(stream.buffer(2).count()), 1_000);
    });
}

#[test]
fn what_is_stopped_converts() {
    fn stopped() -> Stopped {
        let (tell, told) = mpsc::channel();
        let pool = ThreadPool::new(1);
        let mut stream = pool.generate(move |out: &mut Yielder<()>| {
            while out.send(()).is_ok() {}
            tell.send(out.send(()).unwrap_err()).unwrap();
        });
        begin(&pool, &mut stream);
        eventually("the body runs", || pool.metrics().running() == 1);
        drop(stream);
        told.recv_timeout(PATIENCE).unwrap()
    }
    let stopped = stopped();
    let error = io::Error::from(stopped);
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    assert_eq!(error.downcast::<Stopped>().unwrap(), stopped);
    assert!(matches!(Error::from(stopped), Error::Cancelled));
    assert_eq!(stopped.to_string(), "the stream was dropped");
}

/// Items arrive while the body runs on.
#[test]
fn an_item_does_not_wait_for_the_next_one() {
    let (answer, question) = mpsc::channel();
    let stream = ThreadPool::new(1).generate(move |out: &mut Yielder<u32>| {
        for n in 0..100 {
            out.send(n)?;
            assert_eq!(question.recv_timeout(PATIENCE), Ok(n));
        }
        Ok::<(), Error>(())
    });
    let echoed = stream.try_for_each(|n| {
        answer.send(n).unwrap();
        async { Ok(()) }
    });
    finish(echoed).unwrap();
}

#[test]
fn a_body_sees_the_end_of_a_queued_stream() {
    let pool = ThreadPool::new(1);
    let mut stream = pool.generate(|_: &mut Yielder<u8>| ());
    begin(&pool, &mut stream);
    assert_eq!(finish(stream.next()), None);
    assert!(poll(&mut stream).is_ready());
}
