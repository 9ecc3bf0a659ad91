//! The default executor when it is set: once, before its first use. Process-wide, hence a test binary with one test.

use std::sync::atomic::{AtomicUsize, Ordering};

use offload_runtime::{
    AlreadySet, Error, Executor, ExecutorExt, Inline, Job, blocking, default_executor, set_default_executor,
};
use tests::support::finish;

static CALLS: AtomicUsize = AtomicUsize::new(0);

struct Counting;

impl Executor for Counting {
    fn execute(&self, job: Job) {
        CALLS.fetch_add(1, Ordering::SeqCst);
        Inline.execute(job);
    }
}

#[blocking]
fn double(n: u32) -> Result<u32, Error> {
    Ok(2 * n)
}

#[test]
fn the_default_executor_can_be_set_and_is_used_exactly_once_per_call() {
    set_default_executor(Counting).unwrap();
    assert_eq!(CALLS.load(Ordering::SeqCst), 0, "setting it uses nothing");
    assert_eq!(finish(default_executor().submit(|| 1)).unwrap(), 1);
    assert_eq!(CALLS.load(Ordering::SeqCst), 1);

    let call = double(21);
    assert_eq!(CALLS.load(Ordering::SeqCst), 1, "a future that is not polled submits nothing");
    assert_eq!(finish(call).unwrap(), 42);
    assert_eq!(CALLS.load(Ordering::SeqCst), 2);

    // A second time is too late, and gives the executor back.
    let AlreadySet(given_back) = set_default_executor(Inline).unwrap_err();
    assert_eq!(given_back, Inline);
    assert_eq!(finish(double(4)).unwrap(), 8);
    assert_eq!(CALLS.load(Ordering::SeqCst), 3, "the first is still in use");
}
