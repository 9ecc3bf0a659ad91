//! How streams end before their time: dropped, panicked, refused, shut down, in each phase.

use std::io;
use std::sync::Arc;
use std::task::Poll;

use futures::{StreamExt, TryStreamExt};
use offload_runtime::{Error, Executor, ExecutorExt, ThreadPool, Yielder, is_cancelled};
use tests::support::{
    Gate, ON_PURPOSE, Occupied, PATIENCE, Tokens, eventually, finish, panic_message, panic_of, silence, within,
};

use super::{Watched, begin, idle, poll};

fn pool() -> ThreadPool {
    ThreadPool::builder().max_threads(1).thread_name("worker").build()
}

/// C2: the closure of a stream that is queued is dropped with the stream.
#[test]
fn dropped_while_its_first_slice_is_queued() {
    let (pool, tokens) = (pool(), Tokens::new());
    let occupied = Occupied::new(&pool, 1);
    let token = tokens.token();
    let mut stream = pool.stream(move || {
        drop(token);
        0..1
    });
    assert!(poll(&mut stream).is_pending());
    drop(stream);
    assert_eq!((tokens.alive(), pool.metrics().cancelled_before_start()), (0, 1));
    occupied.release();
}

#[test]
fn dropped_while_it_waits_for_room() {
    let (pool, watched) = (pool(), Watched::default());
    let of_stream = watched.clone();
    let mut stream = pool.stream(move || of_stream.endless(None));
    begin(&pool, &mut stream);
    idle(&pool);
    drop(stream);
    assert_eq!(watched.wait_until_dropped(), "worker-0");
}

#[test]
fn dropped_while_it_is_queued_again() {
    let (pool, watched) = (pool(), Watched::default());
    let of_stream = watched.clone();
    let mut stream = pool.stream(move || of_stream.endless(None)).buffer(1);
    begin(&pool, &mut stream);
    idle(&pool);
    let occupied = Occupied::new(&pool, 1);
    assert_eq!(poll(&mut stream), Poll::Ready(Some(0)));
    assert_eq!(pool.metrics().queued(), 1, "it is queued again");
    drop(stream);
    assert_eq!((watched.made(), watched.dropped_on().len()), (1, 0), "not on this thread");
    occupied.release();
    assert_eq!(watched.wait_until_dropped(), "worker-0");
}

/// The job learns of it at once; the iterator goes when it comes back with its item.
#[test]
fn dropped_while_its_iterator_runs() {
    let (pool, watched, gate) = (pool(), Watched::default(), Gate::closed());
    let (of_stream, of_iterator) = (watched.clone(), gate.clone());
    let mut stream = pool.stream(move || of_stream.endless(Some(of_iterator)));
    begin(&pool, &mut stream);
    gate.wait_for(1);
    drop(stream);
    assert!(pool.running_jobs().iter().all(offload_runtime::RunningJob::is_cancelled));
    assert!(watched.dropped_on().is_empty());
    gate.open();
    assert_eq!(watched.wait_until_dropped(), "worker-0");
    assert_eq!(watched.made(), 2);
}

#[test]
fn items_that_were_not_taken_go_with_the_stream() {
    let (pool, tokens) = (pool(), Tokens::new());
    let of_stream = tokens.clone();
    let mut stream = pool.stream(move || std::iter::repeat_with(move || of_stream.token())).buffer(8);
    begin(&pool, &mut stream);
    idle(&pool);
    drop(finish(stream.next()));
    // Seven of the first turn; or, where its time was over before, all of the next.
    eventually("the buffer is full", || matches!(tokens.alive(), 7 | 8));
    drop(stream);
    tokens.wait_until_none();
}

/// C4: the items before it come first, then the panic with its payload, then the end.
#[test]
fn a_panic_is_resumed_in_the_consumer_after_the_items_before_it() {
    silence();
    let pool = pool();
    let iterator = pool.stream(|| (0..5).map(|n| if n < 4 { n } else { std::panic::panic_any(7_u8) }));
    let body = pool.generate(|out: &mut Yielder<i32>| {
        for n in 0..3 {
            out.send(n).unwrap();
        }
        if out.send(3).is_ok() {
            std::panic::panic_any(7_u8);
        }
    });
    for mut stream in [iterator, body] {
        for n in 0..4 {
            assert_eq!(finish(stream.next()), Some(n));
        }
        assert_eq!(*panic_of(|| finish(stream.next())).downcast::<u8>().unwrap(), 7);
        assert_eq!(finish(stream.next()), None);
    }
    let mut closure = pool.stream(|| -> std::ops::Range<u8> { panic!("{ON_PURPOSE}") });
    assert_eq!(panic_message(|| finish(closure.next())), ON_PURPOSE);
    assert_eq!(finish(pool.submit(|| 1)).unwrap(), 1, "the worker lives on");
    assert_eq!(pool.metrics().panicked(), 3);
}

#[test]
fn a_panic_becomes_an_item_where_that_is_asked_for() {
    silence();
    let stream = pool().stream(|| (0..2).map(|n| if n < 1 { Ok(n) } else { panic!("{ON_PURPOSE}") }));
    let stream = stream.panicked(|panic| Err(panic.message().unwrap_or_default().to_owned()));
    assert_eq!(finish(stream.collect::<Vec<_>>()), [Ok(0), Err(ON_PURPOSE.to_owned())]);
}

/// C5: an item that is a `Result` holds the refusal. Otherwise the poll panics, and names the line that made the stream.
#[test]
fn a_refusal_is_an_item_or_a_panic_with_the_streams_place() {
    let closed = pool();
    closed.close();
    let items: Vec<Result<u8, Error>> = finish(closed.try_stream(|| Ok([Ok(1)].into_iter())).collect());
    assert!(matches!(items.as_slice(), [Err(Error::ShutDown)]), "{items:?}");
    let sent = closed.generate(|_: &mut Yielder<u8>| Ok::<(), io::Error>(()));
    assert!(matches!(finish(sent.try_next_error()), Error::ShutDown));
    let line = line!() + 1;
    let mut plain = closed.stream(|| 0..1);
    let message = panic_message(|| finish(plain.next()));
    assert!(message.contains(&format!("ends.rs:{line}:")) && message.contains("shut down"), "{message}");
    assert_eq!(finish(plain.next()), None);

    let full = ThreadPool::builder().max_threads(1).queue_capacity(0).build();
    let occupied = Occupied::new(&full, 1);
    let refused = full.stream(|| 0..1).refused(|error| {
        assert!(matches!(error, Error::QueueFull));
        -1
    });
    assert_eq!(finish(refused.collect::<Vec<_>>()), [-1]);
    occupied.release();
}

trait TryNextError {
    async fn try_next_error(self) -> Error;
}

impl<T: Send + 'static> TryNextError for offload_runtime::BlockingStream<io::Result<T>> {
    async fn try_next_error(mut self) -> Error {
        let error = self.try_next().await.map(|_| ()).unwrap_err();
        error.downcast().unwrap()
    }
}

/// A stream that the pool has accepted once is not refused as the queue is full meanwhile. Nor is one on a view of the pool.
#[test]
fn a_full_queue_refuses_no_stream_that_has_begun() {
    fn goes_on(pool: &ThreadPool, executor: &(impl Executor + Clone + 'static)) {
        let mut stream = executor.try_stream(|| Ok::<_, Error>((0..100).map(Ok))).buffer(1);
        begin(pool, &mut stream);
        idle(pool);
        let occupied = Occupied::new(pool, 1);
        let queued = pool.submit(|| ());
        assert!(matches!(finish(pool.submit(|| ())), Err(Error::QueueFull)), "the queue is full");
        assert!(matches!(poll(&mut stream), Poll::Ready(Some(Ok(0)))));
        occupied.release();
        assert_eq!(finish(stream.try_collect::<Vec<_>>()).unwrap(), (1..100).collect::<Vec<_>>());
        finish(queued).unwrap();
    }

    let pool = ThreadPool::builder().max_threads(1).queue_capacity(1).build();
    goes_on(&pool, &pool);
    goes_on(&pool, &pool.limited(1));
    goes_on(&pool, &pool.limited(1).limited(1));
}

/// C9: a stream that waits for room does not keep its pool from ending. What it has comes, then the refusal.
#[test]
fn a_stream_whose_pool_has_ended_is_refused_after_its_items() {
    let (pool, watched) = (pool(), Watched::default());
    let of_stream = watched.clone();
    let mut stream = pool.try_stream(move || Ok::<_, Error>(of_stream.endless(None).map(Ok))).buffer(4);
    begin(&pool, &mut stream);
    idle(&pool);
    let shutdown = pool.shutdown();
    within(PATIENCE, move || finish(shutdown));
    let items: Vec<Result<usize, Error>> = finish(stream.collect());
    // As many as its turn had time for.
    let [Ok(_), made @ .., Err(Error::ShutDown)] = &items[..] else { panic!("{items:?}") };
    assert!(made.len() <= 3 && made.iter().all(Result::is_ok), "{items:?}");
    // No worker is left: on the thread that finds out.
    assert_ne!(watched.wait_until_dropped(), "worker-0");
}

#[test]
fn a_stream_that_is_dropped_after_its_pool_has_ended_drops_its_iterator() {
    let (pool, watched) = (pool(), Watched::default());
    let of_stream = watched.clone();
    let mut stream = pool.stream(move || of_stream.endless(None));
    begin(&pool, &mut stream);
    idle(&pool);
    within(PATIENCE, move || finish(pool.shutdown()));
    drop(stream);
    assert_eq!(watched.dropped_on().len(), 1);
}

/// `shutdown_now` tells a running iterator, and refuses the rest.
#[test]
fn shutdown_now_reaches_a_running_iterator() {
    let (pool, gate) = (pool(), Gate::closed());
    let of_iterator = gate.clone();
    let mut stream = pool.try_stream(move || {
        let mut turns = 0;
        Ok::<_, Error>(std::iter::from_fn(move || {
            turns += 1;
            if turns == 1 {
                of_iterator.pass();
            }
            Some(Ok(is_cancelled()))
        }))
    });
    begin(&pool, &mut stream);
    gate.wait_for(1);
    let shutdown = pool.shutdown_now();
    gate.open();
    within(PATIENCE, move || finish(shutdown));
    let items: Vec<Result<bool, Error>> = finish(stream.collect());
    let (last, others) = items.split_last().unwrap();
    assert!(others.iter().all(|item| matches!(item, Ok(true))) && !others.is_empty());
    assert!(matches!(last, Err(Error::ShutDown)), "{last:?}");
}

/// An executor that drops the job refuses it.
#[test]
fn a_lost_stream_says_so() {
    #[derive(Clone)]
    struct Losing;
    impl Executor for Losing {
        fn execute(&self, job: offload_runtime::Job) {
            drop(job);
        }
    }
    let items: Vec<Result<u8, Error>> = finish(Losing.try_stream(|| Ok(std::iter::empty())).collect());
    assert!(matches!(items.as_slice(), [Err(Error::Lost)]), "{items:?}");
}

/// The waker goes with the stream.
#[test]
fn a_dropped_stream_takes_its_waker_along() {
    let (pool, gate) = (pool(), Gate::closed());
    let of_body = gate.clone();
    let mut stream = pool.generate(move |_: &mut Yielder<u8>| of_body.pass());
    let counting = Arc::new(tests::support::Counting::default());
    let waker = std::task::Waker::from(Arc::clone(&counting));
    assert!(tests::support::poll_once(&mut stream.next(), &waker).is_pending());
    drop(waker);
    gate.wait_for(1);
    assert!(Arc::strong_count(&counting) > 1);
    drop(stream);
    assert_eq!(Arc::strong_count(&counting), 1);
    gate.open();
    eventually("the body ends", || pool.metrics().completed() == 1);
}
