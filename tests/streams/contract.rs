//! The clauses of the contract that are left: nested use, turns of others, the caller's context, what lingers, the metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use offload_runtime::{Error, ExecutorExt, RunningJob, ThreadPool, Yielder, is_cancelled};
use tests::support::{Gate, PATIENCE, assert_balanced, eventually, finish, tokio_runtime, within};

use super::{Watched, begin, idle};

fn current_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

/// C3: a timeout fires, though each item is ready, and other tasks have their turns.
#[test]
fn items_that_are_ready_do_not_starve_other_tasks() {
    within(PATIENCE, || {
        let (runtime, turns) = (current_thread(), Arc::new(AtomicUsize::new(0)));
        let of_other = Arc::clone(&turns);
        runtime.spawn(async move {
            loop {
                of_other.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
            }
        });
        // A foreign `block_on` gives way to nothing: it ends all the same.
        runtime.block_on(async {
            assert_eq!(pollster::block_on(ThreadPool::new(1).stream(|| 0..10_000).count()), 10_000);
        });
        let before = turns.load(Ordering::SeqCst);
        runtime.block_on(async {
            let mut items = ThreadPool::new(1).stream(|| 0..100_000).buffer(100_000);
            // All are made before the second is taken.
            items.next().await;
            assert_eq!(items.count().await, 99_999);
        });
        let turns = turns.load(Ordering::SeqCst) - before;
        assert!(turns >= 100_000 / 64 - 1, "{turns} turns");
        let endless = ThreadPool::new(1).stream(|| 0_u64..).for_each(|_| async {});
        assert!(runtime.block_on(async { tokio::time::timeout(Duration::from_millis(20), endless).await }).is_err());
    });
}

/// C10: a job consumes streams of its own pool, though that has one thread.
#[test]
fn a_job_consumes_streams_of_its_own_pool() {
    within(PATIENCE, || {
        let pool = ThreadPool::new(1);
        let inner = pool.clone();
        let outer = pool.submit(move || {
            let pulled: u32 = finish(inner.stream(|| 0..1_000).buffer(4).fold(0, |sum, n| async move { sum + n }));
            let sent = inner.generate(|out: &mut Yielder<u32>| (0..1_000).for_each(|n| out.send(n).unwrap()));
            let sent: u32 = finish(sent.buffer(4).fold(0, |sum, n| async move { sum + n }));
            let view = inner.clone().limited(1);
            let of_view: u32 = finish(view.stream(|| 0..1_000).buffer(4).fold(0, |sum, n| async move { sum + n }));
            (pulled, sent, of_view)
        });
        assert_eq!(finish(outer).unwrap(), (499_500, 499_500, 499_500));
    });
}

/// C2: a job that is cancelled cancels the stream that it consumes.
#[test]
fn cancellation_reaches_a_stream_that_a_job_consumes() {
    let (pool, gate) = (ThreadPool::new(2), Gate::closed());
    let (inner, of_iterator) = (pool.clone(), gate.clone());
    let outer = pool.submit(move || {
        let mut stream = inner.stream(move || {
            std::iter::from_fn(move || {
                of_iterator.pass();
                Some(is_cancelled())
            })
        });
        finish(stream.next())
    });
    gate.wait_for(1);
    outer.cancel();
    // The outer job may be about to poll the stream.
    eventually("both are cancelled", || pool.running_jobs().iter().all(RunningJob::is_cancelled));
    gate.open();
    assert_eq!(finish(outer).unwrap(), Some(true));
}

/// C7: at the end nothing is left of the closure, the iterator, the items and the executor.
#[test]
fn when_the_end_is_returned_nothing_is_left() {
    let pool = ThreadPool::new(2);
    for buffer in [1, 64] {
        for _ in 0..100 {
            let token = Arc::new(());
            let (of_iterator, of_body) = (Arc::clone(&token), Arc::clone(&token));
            let pulled = pool.stream(move || (0..10).map(move |_| Arc::clone(&of_iterator))).buffer(buffer);
            assert_eq!(finish(pulled.count()), 10);
            assert_eq!(Arc::strong_count(&token), 2, "the other stream has one");
            let sent = pool.generate(move |out: &mut Yielder<Arc<()>>| {
                (0..10).for_each(|_| out.send(Arc::clone(&of_body)).unwrap());
            });
            assert_eq!(finish(sent.buffer(buffer).count()), 10);
            assert_eq!(Arc::strong_count(&token), 1);
        }
    }
}

/// C11: each slice finds the tokio runtime of its consumer.
#[test]
fn each_slice_finds_the_runtime_of_its_consumer() {
    let (runtime, pool) = (tokio_runtime(1), ThreadPool::new(1));
    let ids = pool.stream(|| std::iter::repeat_with(|| tokio::runtime::Handle::current().id()).take(10)).buffer(1);
    let ids = runtime.block_on(ids.collect::<Vec<_>>());
    assert!(ids.iter().all(|id| *id == runtime.handle().id()));
}

/// Each slice is a job of the stream's site.
#[test]
fn each_slice_is_a_job_of_the_streams_site() {
    let (pool, watched) = (ThreadPool::new(1), Watched::default());
    let of_stream = watched.clone();
    let line = line!() + 1;
    let mut stream = pool.stream(move || of_stream.endless(None)).buffer(2);
    begin(&pool, &mut stream);
    idle(&pool);
    for _ in 0..3 {
        finish(stream.next());
        idle(&pool);
    }
    drop(stream);
    watched.wait_until_dropped();
    idle(&pool);
    let metrics = pool.metrics();
    assert_balanced(&metrics);
    let site = metrics.by_site().iter().find(|site| site.site().line() == line).unwrap();
    // Its jobs are the first slice, those after it, and the one that drops the iterator. `begin` has submitted the other job.
    assert!(site.completed() > 2);
    assert_eq!((site.completed(), site.submitted()), (metrics.completed() - 1, metrics.submitted() - 1));
}

#[test]
fn a_running_slice_is_shown_with_the_streams_place() {
    let (pool, gate) = (ThreadPool::new(1), Gate::closed());
    let of_body = gate.clone();
    let line = line!() + 1;
    let mut stream = pool.generate(move |_: &mut Yielder<u8>| of_body.pass());
    begin(&pool, &mut stream);
    gate.wait_for(1);
    let running = pool.running_jobs();
    assert_eq!((running.len(), running[0].site().line()), (1, line));
    gate.open();
    assert_eq!(finish(stream.next()), None);
}

/// 1,000 streams on few threads, half of them dropped half way: the books balance, and nothing is left.
#[test]
fn many_streams_at_once() {
    let (pool, runtime) = (ThreadPool::new(4), tokio_runtime(2));
    let token = Arc::new(());
    let tasks: Vec<_> = (0..1_000_usize)
        .map(|n| {
            let token = Arc::clone(&token);
            let stream = pool.try_stream(move || {
                Ok::<_, Error>((0..100).map(move |i| {
                    let _ = &token;
                    Ok(i)
                }))
            });
            let most = if n % 2 == 0 { 10 } else { 1_000 };
            runtime.spawn(stream.buffer(1 + n % 7).take(most).count())
        })
        .collect();
    for (n, task) in tasks.into_iter().enumerate() {
        assert_eq!(runtime.block_on(task).unwrap(), if n % 2 == 0 { 10 } else { 100 });
    }
    eventually("all iterators are dropped", || Arc::strong_count(&token) == 1);
    idle(&pool);
    assert_balanced(&pool.metrics());
}
