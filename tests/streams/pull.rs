//! Iterators.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use futures::stream::FusedStream;
use futures::{Stream, StreamExt, TryStreamExt};
use offload_runtime::{Error, Executor, ExecutorExt, Inline, ThreadPool};
use tests::support::{PATIENCE, eventually, finish, panic_message, rayon_pool, tokio_runtime, within};

use super::{Watched, begin, idle, poll};

fn in_order<E: Executor + Clone + 'static>(executor: &E) {
    for buffer in [1, 2, 3, 5, 64] {
        for count in [0_usize, 1, 2, 3, 64, 65, 500] {
            let items = executor.stream(move || 0..count).buffer(buffer);
            assert_eq!(finish(items.collect::<Vec<_>>()), (0..count).collect::<Vec<_>>(), "buffer {buffer}");
        }
    }
}

#[test]
fn all_items_come_in_order_on_every_executor() {
    in_order(&ThreadPool::new(1));
    in_order(&ThreadPool::new(3));
    in_order(&ThreadPool::new(2).limited(1));
    in_order(&Inline);
    in_order(tokio_runtime(2).handle());
    in_order(&Arc::new(rayon_pool(2)));
    in_order(&offload_runtime::default_executor());
}

#[test]
fn nothing_is_submitted_before_the_first_poll() {
    let pool = ThreadPool::new(1);
    let token = Arc::new(());
    let of_stream = Arc::clone(&token);
    let stream = pool.stream(move || {
        drop(of_stream);
        0..3
    });
    assert_eq!((pool.metrics().submitted(), Arc::strong_count(&token)), (0, 2));
    drop(stream);
    assert_eq!((pool.metrics().submitted(), Arc::strong_count(&token)), (0, 1));
}

/// What is made is never more than the buffer beyond what the consumer has asked for.
#[test]
fn the_iterator_is_never_further_ahead_than_its_buffer() {
    for buffer in [1, 2, 3, 7, 64] {
        let (pool, asked) = (ThreadPool::new(1), Arc::new(AtomicUsize::new(0)));
        let of_iterator = Arc::clone(&asked);
        let mut stream = pool
            .stream(move || {
                (0_usize..).inspect(move |made| {
                    let asked = of_iterator.load(Ordering::SeqCst);
                    assert!(
                        *made < asked + buffer,
                        "item {made} is made though {asked} were asked for, buffer {buffer}"
                    );
                })
            })
            .buffer(buffer);
        for n in 0..20 * buffer {
            asked.fetch_add(1, Ordering::SeqCst);
            assert_eq!(finish(stream.next()), Some(n));
        }
    }
}

/// With nothing taken it makes as many items as fit, and leaves its thread. It comes back when half of the buffer is free.
#[test]
fn a_full_buffer_gives_the_thread_back() {
    let filled = || {
        let (pool, watched) = (ThreadPool::new(1), Watched::default());
        let of_stream = watched.clone();
        let mut stream = pool.stream(move || of_stream.endless(None)).buffer(8);
        begin(&pool, &mut stream);
        idle(&pool);
        (watched.made() == 8).then_some((pool, watched, stream))
    };
    // A thread that is kept from running for longer than a slice gives it back before.
    let (pool, watched, mut stream) = (0..100).find_map(|_| filled()).expect("a slice is longer than eight items");
    let slices = || pool.metrics().completed() - 1;
    assert_eq!((watched.made(), slices()), (8, 1));
    for n in 0..3 {
        assert_eq!(poll(&mut stream), Poll::Ready(Some(n)));
    }
    idle(&pool);
    assert_eq!((watched.made(), slices()), (8, 1), "three of eight are free");
    assert_eq!(poll(&mut stream), Poll::Ready(Some(3)));
    eventually("it is submitted again", || slices() == 2);
    assert_eq!(watched.made(), 12);
}

/// 1,000 streams that wait for their consumers hold no thread: as many other jobs run meanwhile.
#[test]
fn streams_that_wait_for_room_hold_no_thread() {
    let pool = ThreadPool::new(4);
    let mut streams: Vec<_> = (0..1_000_usize).map(|n| pool.stream(move || n..).buffer(4)).collect();
    for stream in &mut streams {
        let _ = poll(stream);
    }
    idle(&pool);
    for n in 0..1_000 {
        assert_eq!(finish(pool.submit(move || n)).unwrap(), n);
    }
    assert!(pool.metrics().peak_threads() <= 4);
    for (n, stream) in streams.iter_mut().enumerate() {
        // The first poll may have taken one.
        let first = finish(stream.next()).unwrap();
        assert!(first <= n + 1);
        for item in first + 1..n + 20 {
            assert_eq!(finish(stream.next()), Some(item));
        }
    }
}

/// A stream whose consumer keeps up leaves its thread after a while, though it has room.
#[test]
fn a_fast_consumer_does_not_hold_the_thread() {
    let pool = ThreadPool::new(1);
    let mut stream = pool.stream(|| 0_u64..);
    within(PATIENCE, move || {
        finish(stream.next());
        let other = pool.submit(|| ());
        while !other.is_finished() {
            finish(stream.next());
        }
    });
}

/// An item is there for the consumer before the next one is asked for.
#[test]
fn an_item_does_not_wait_for_the_next_one() {
    let (send, receive) = std::sync::mpsc::channel();
    let mut stream = ThreadPool::new(1).stream(move || receive.into_iter());
    for n in 0..100 {
        send.send(n).unwrap();
        assert_eq!(finish(stream.next()), Some(n));
    }
    drop(send);
    assert_eq!(finish(stream.next()), None);
}

#[test]
fn after_the_end_every_poll_is_the_end() {
    /// Has an item again after its end.
    struct Unfused(u32);
    impl Iterator for Unfused {
        type Item = u32;
        fn next(&mut self) -> Option<u32> {
            self.0 += 1;
            (self.0 != 3).then_some(self.0)
        }
    }
    let mut stream = ThreadPool::new(1).stream(|| Unfused(0));
    assert!(!stream.is_terminated());
    assert_eq!(finish(stream.by_ref().collect::<Vec<_>>()), [1, 2]);
    assert!(stream.is_terminated());
    for _ in 0..3 {
        assert_eq!(poll(&mut stream), Poll::Ready(None));
    }
}

#[test]
fn the_size_hint_promises_what_is_there() {
    let pool = ThreadPool::new(1);
    let mut stream = pool.stream(|| 0..10).buffer(4);
    assert_eq!(stream.size_hint(), (0, None), "nothing is known of it");
    begin(&pool, &mut stream);
    idle(&pool);
    assert_eq!(stream.size_hint(), (4, Some(10)));
    assert_eq!(poll(&mut stream), Poll::Ready(Some(0)));
    assert_eq!(stream.size_hint(), (3, Some(9)));
    assert_eq!(finish(stream.by_ref().count()), 9);
    assert_eq!(stream.size_hint(), (0, Some(0)));
    let mut unbounded = pool.stream(|| std::iter::repeat(1)).buffer(2);
    begin(&pool, &mut unbounded);
    idle(&pool);
    assert_eq!(unbounded.size_hint().0, 2);
}

#[test]
fn a_failure_to_begin_is_the_only_item() {
    let pool = ThreadPool::new(1);
    let failed = pool.try_stream(|| Err::<std::iter::Empty<_>, _>(std::io::Error::other("no such file")));
    let items: Vec<Result<u8, std::io::Error>> = finish(failed.collect());
    assert_eq!(items.len(), 1);
    assert_eq!(items[0].as_ref().unwrap_err().to_string(), "no such file");
    let begun = pool.try_stream(|| Ok::<_, Error>((0..3).map(Ok)));
    assert_eq!(finish(begun.try_collect::<Vec<_>>()).unwrap(), [0, 1, 2]);
}

#[test]
fn a_buffer_of_none_panics_and_names_the_method() {
    let pool = ThreadPool::new(1);
    let message = panic_message(|| pool.stream(|| 0..1).buffer(0));
    assert!(message.contains("`BlockingStream::buffer`"), "{message}");
    let mut begun = pool.stream(|| 0..1);
    begin(&pool, &mut begun);
    let message = panic_message(|| begun.buffer(1));
    assert!(message.contains("`BlockingStream::buffer`"), "{message}");
}

/// The iterator runs on the pool's threads, every time.
#[test]
fn the_iterator_runs_on_the_worker() {
    let pool = ThreadPool::builder().max_threads(1).thread_name("worker").build();
    let names = || std::iter::repeat_with(|| thread::current().name().unwrap_or("?").to_owned()).take(20);
    let names = finish(pool.stream(names).buffer(3).collect::<Vec<_>>());
    assert!(names.iter().all(|name| name == "worker-0"), "{names:?}");
}

#[test]
fn a_stream_can_be_sent_and_spawned() {
    let runtime = tokio_runtime(2);
    let sum = runtime.spawn(ThreadPool::new(2).stream(|| 0..1_000_u64).fold(0, |sum, n| async move { sum + n }));
    assert_eq!(runtime.block_on(sum).unwrap(), 499_500);
    let timed = async {
        let stream = ThreadPool::new(1).stream(|| 0..u64::MAX);
        let all = stream.for_each(|_| async {});
        tokio::time::timeout(Duration::from_millis(20), all).await
    };
    assert!(runtime.block_on(timed).is_err(), "items that are ready starve the timeout");
}
