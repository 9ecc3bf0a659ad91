//! `ManualExecutor`: jobs run when the test says so, on its own thread.

use std::sync::{Arc, Mutex};
use std::thread;

use futures::{FutureExt as _, StreamExt as _};
use offload_runtime::{Error, ExecutorExt, ManualExecutor, Yielder, blocking, is_cancelled};
use tests::support::{PATIENCE, Tokens, finish, silence, within};

/// A cache of one price.
#[derive(Clone, Default)]
struct Prices {
    executor: ManualExecutor,
    /// The source's price, which rises with each reading.
    price: Arc<Mutex<u32>>,
    cached: Arc<Mutex<u32>>,
}

impl Prices {
    #[blocking]
    fn load(&self) -> u32 {
        let mut price = self.price.lock().unwrap();
        *price += 1;
        *price
    }

    /// As it should be.
    async fn refresh(&self) {
        let price = self.load().await;
        let mut cached = self.cached.lock().unwrap();
        *cached = price.max(*cached);
    }

    /// With the race.
    async fn refresh_badly(&self) {
        let price = self.load().await;
        *self.cached.lock().unwrap() = price;
    }
}

/// Two callers refresh the cache of `prices`, and their jobs run in `order`. Returns what is cached.
fn cached_after(order: [usize; 2], refresh: impl AsyncFn(Prices)) -> u32 {
    let prices = Prices::default();
    finish(async {
        futures::join!(refresh(prices.clone()), refresh(prices.clone()), async {
            assert_eq!(prices.executor.pending(), 2);
            for place in order {
                assert!(prices.executor.step_at(place));
            }
        });
    });
    *prices.cached.lock().unwrap()
}

#[test]
fn a_race_of_two_callers_is_tested_in_both_orders() {
    for order in [[0, 0], [1, 0]] {
        assert_eq!(cached_after(order, async |prices: Prices| prices.refresh().await), 2);
    }
    assert_eq!(
        cached_after([0, 0], async |prices: Prices| prices.refresh_badly().await),
        2,
        "one order hides the race"
    );
    assert_eq!(cached_after([1, 0], async |prices: Prices| prices.refresh_badly().await), 1, "the other shows it");
}

#[test]
fn jobs_run_in_order_on_the_thread_that_steps() {
    let executor = ManualExecutor::new();
    let handles: Vec<_> = (0..3).map(|i| executor.submit(move || (i, thread::current().id()))).collect();
    assert_eq!(executor.pending(), 3);
    assert_eq!(executor.run_all(), 3);
    assert!(!executor.step());
    for (i, handle) in handles.into_iter().enumerate() {
        assert_eq!(finish(handle).unwrap(), (i, thread::current().id()));
    }
}

#[test]
fn a_job_that_is_given_up_or_cancelled_no_longer_waits() {
    let (executor, tokens) = (ManualExecutor::new(), Tokens::default());
    let submit = |i| {
        let token = tokens.token();
        executor.submit(move || (i, drop(token)).0)
    };
    let [first, second, third] = [submit(1), submit(2), submit(3)];
    drop(first);
    second.cancel();
    assert_eq!((executor.pending(), tokens.alive()), (1, 1), "what they captured is gone at once");
    assert!(executor.step_at(0), "the third is the first of those that wait");
    assert!(!executor.step_at(0));
    assert_eq!(finish(third).unwrap(), 3);
    assert!(matches!(finish(second), Err(Error::Cancelled)));
}

/// Comes back to the executor as it is dropped.
struct Looks(ManualExecutor);

impl Drop for Looks {
    fn drop(&mut self) {
        assert_eq!(self.0.pending(), 1);
    }
}

/// It would lock the executor twice if jobs ran under its lock.
#[test]
fn a_job_may_submit_look_and_step() {
    let executor = ManualExecutor::new();
    let inner = executor.clone();
    let outer = executor.submit(move || {
        let handle = inner.submit(is_cancelled);
        assert_eq!(inner.pending(), 1);
        assert!(inner.step());
        finish(handle).unwrap()
    });
    assert!(executor.step());
    assert!(!finish(outer).unwrap());
    // One that is cancelled as another is dropped: its destructor comes back.
    let (inner, again) = (executor.clone(), executor.submit(|| ()));
    let looks = Looks(inner);
    drop(executor.submit(move || drop(looks)));
    assert_eq!(executor.run_all(), 1);
    finish(again).unwrap();
}

#[test]
fn refusals_are_for_the_next_submissions_in_order() {
    let executor = ManualExecutor::new();
    let before = executor.submit(|| 1);
    executor.refuse_next(Error::QueueFull);
    executor.refuse_next(Error::ShutDown);
    assert!(matches!(finish(executor.submit(|| ())), Err(Error::QueueFull)));
    assert!(matches!(finish(executor.submit(|| ())), Err(Error::ShutDown)));
    let after = executor.submit(|| 2);
    assert_eq!(executor.run_all(), 2);
    assert_eq!(finish(before).unwrap() + finish(after).unwrap(), 3);
}

#[test]
fn a_panic_is_the_handles_and_dropping_the_executor_loses_what_waits() {
    silence();
    let executor = ManualExecutor::new();
    let panics = executor.submit(|| -> u8 { panic!("{}", tests::support::ON_PURPOSE) });
    let waits = executor.submit(|| 1);
    assert!(executor.step());
    assert!(matches!(finish(panics), Err(Error::Panicked(_))));
    drop(executor);
    assert!(matches!(finish(waits), Err(Error::Lost)));
}

/// The thread that steps is the one that consumes: a body that waited for room would wait for itself.
#[test]
fn a_body_that_sends_more_than_the_buffer_holds_ends_with_its_step() {
    let numbers = within(PATIENCE, || {
        let executor = ManualExecutor::new();
        let mut numbers = executor
            .generate(|out: &mut Yielder<u32>| {
                for n in 0..1_000 {
                    out.send(n).expect("the stream is there");
                }
            })
            .buffer(2);
        let first = numbers.next().now_or_never();
        assert!(first.is_none() && executor.step());
        finish(numbers.collect::<Vec<_>>())
    });
    assert_eq!(numbers, (0..1_000).collect::<Vec<_>>());
}
