//! What a pool and a view say of streams: their items, their jobs, and that one runs.

use futures::StreamExt;
use offload_runtime::{Error, ExecutorExt, StatefulPool, ThreadPool, Yielder, blocking};
use tests::support::{Gate, assert_balanced, eventually, finish};

#[derive(Clone)]
struct Numbers {
    executor: ThreadPool,
    gate: Gate,
}

impl Numbers {
    #[blocking(stream)]
    fn below(&self, n: usize) -> impl Iterator<Item = usize> + use<> {
        0..n
    }

    #[blocking(stream)]
    fn at_the_gate(&self, #[out] out: &mut Yielder<u8>) -> Result<(), Error> {
        out.send(1)?;
        self.gate.pass();
        out.send(2)?;
        Err(Error::Lost)
    }
}

#[test]
fn items_that_were_awaited_are_counted_for_their_site() {
    let numbers = Numbers { executor: ThreadPool::new(2), gate: Gate::closed() };
    let pool = &numbers.executor;
    finish(pool.submit(|| ())).unwrap();
    assert_eq!(pool.metrics().items(), 0);
    assert!(!pool.metrics().to_string().contains("items"));
    // One item at a time, so that what was handed over is what was taken.
    let mut stream = numbers.below(1_000).buffer(1);
    for taken in 1..=1_000 {
        assert!(finish(stream.next()).is_some());
        assert_eq!(pool.metrics().items(), taken);
    }
    assert_eq!(finish(stream.next()), None);
    let metrics = pool.metrics();
    assert_balanced(&metrics);
    let [closure, below] = metrics.by_site() else { panic!("two sites: {metrics:?}") };
    assert_eq!((closure.items(), below.items(), below.site().name()), (0, 1_000, Some("below")));
    assert!(metrics.to_string().contains("; 1000 items"), "{metrics}");
    // Each turn of the iterator is a job, and all have ended: the stream is at its end.
    assert_eq!((below.submitted(), below.running()), (below.completed(), 0));
}

#[test]
fn a_body_that_sends_is_one_running_job() {
    let numbers = Numbers { executor: ThreadPool::new(2), gate: Gate::closed() };
    let pool = &numbers.executor;
    let mut stream = numbers.at_the_gate();
    assert!(matches!(finish(stream.next()), Some(Ok(1))));
    numbers.gate.wait_for(1);
    let [job] = &pool.running_jobs()[..] else { panic!("one job runs") };
    assert_eq!(job.site().name(), Some("at_the_gate"));
    let metrics = pool.metrics();
    assert_eq!((metrics.submitted(), metrics.running(), metrics.items()), (1, 1, 1));
    numbers.gate.open();
    assert!(matches!(finish(stream.next()), Some(Ok(2))));
    assert!(matches!(finish(stream.next()), Some(Err(Error::Lost))));
    assert!(finish(stream.next()).is_none());
    // The error that ends a stream is an item, too.
    let metrics = pool.metrics();
    assert_eq!((metrics.submitted(), metrics.completed(), metrics.items()), (1, 1, 3));
}

#[test]
fn what_is_made_of_a_refusal_is_not_an_item() {
    let pool = ThreadPool::new(1);
    pool.close();
    let refused = finish(pool.stream(|| (0..3).map(Ok)).refused(Err).collect::<Vec<_>>());
    assert!(matches!(refused.as_slice(), [Err(Error::ShutDown)]));
    let metrics = pool.metrics();
    assert_eq!((metrics.submitted(), metrics.refused(), metrics.items()), (1, 1, 0));
}

#[test]
fn items_of_a_view_are_the_views() {
    let pool = ThreadPool::new(2);
    let view = pool.limited(1);
    assert_eq!(finish(view.stream(|| 0..5).count()), 5);
    assert_eq!((view.metrics().items(), pool.metrics().items()), (5, 0));
}

#[test]
fn items_of_a_state_are_the_pools() {
    let pool = StatefulPool::new(1, || Ok::<_, std::io::Error>(vec![1, 2, 3]));
    let each = |state: &mut Vec<u8>, out: &mut Yielder<u8>| {
        for item in &*state {
            out.send(*item)?;
        }
        Ok::<(), Error>(())
    };
    assert_eq!(finish(pool.generate_with(each).count()), 3);
    assert_eq!(finish(pool.limited(1).generate_with(each).count()), 3);
    assert_eq!(pool.metrics().items(), 3);
}

/// However many turns the iterator has had, nothing is left of it in the books once its stream is gone.
#[test]
fn the_jobs_of_a_stream_that_is_dropped_half_way_end() {
    let pool = ThreadPool::new(1);
    for taken in 0..20 {
        let mut stream = pool.stream(|| 0_u64..).buffer(1 + taken % 3);
        for _ in 0..taken {
            assert!(finish(stream.next()).is_some());
        }
        drop(stream);
    }
    eventually("the jobs end", || pool.metrics().running() + pool.metrics().queued() == 0);
    assert_balanced(&pool.metrics());
}
