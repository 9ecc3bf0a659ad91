//! How jobs end, beyond what the counts of `books.rs` tell: errors, abandoned work, the last panics.

use std::io;

use offload_runtime::{Error, ExecutorExt, Limited, ThreadPool, blocking, check_cancelled};
use tests::support::{Gate, ON_PURPOSE, assert_balanced, finish, silence};

#[derive(Debug, PartialEq)]
struct Refused;

impl From<Error> for Refused {
    fn from(_: Error) -> Self {
        Self
    }
}

type Aliased = Result<u8, Refused>;

/// Its output is boxed.
type Large = Result<[u8; 5000], Refused>;

#[derive(Clone)]
struct Methods {
    executor: ThreadPool,
    view: Limited<ThreadPool>,
}

impl Methods {
    #[blocking]
    fn plain(&self, ok: bool) -> Result<(), String> {
        if ok { Ok(()) } else { Err("as asked".into()) }
    }

    #[blocking]
    fn aliased(&self, ok: bool) -> Aliased {
        if ok { Ok(1) } else { Err(Refused) }
    }

    #[blocking]
    fn large(&self, ok: bool) -> Large {
        if ok { Ok([1; 5000]) } else { Err(Refused) }
    }

    #[blocking(handle)]
    fn by_handle(&self, ok: bool) -> io::Result<()> {
        if ok { Ok(()) } else { Err(io::Error::other("as asked")) }
    }

    #[blocking(executor = view)]
    fn in_a_view(&self, ok: bool) -> Aliased {
        if ok { Ok(1) } else { Err(Refused) }
    }

    #[blocking]
    fn generic<T: Clone + Sync + Send + 'static>(&self, value: T) -> T {
        value
    }

    #[blocking]
    fn option(&self) -> Option<u8> {
        None
    }
}

fn methods() -> Methods {
    let executor = ThreadPool::new(1);
    Methods { view: executor.clone().limited(1), executor }
}

#[test]
fn an_err_of_a_method_counts_as_failed() {
    let methods = methods();
    for ok in [true, false] {
        drop(finish(methods.plain(ok)));
        drop(finish(methods.aliased(ok)));
        drop(finish(methods.large(ok)));
        drop(finish(methods.by_handle(ok)));
        drop(finish(methods.in_a_view(ok)));
    }
    let metrics = methods.executor.metrics();
    assert_balanced(&metrics);
    for name in ["plain", "aliased", "large", "by_handle"] {
        let site = metrics.by_site().iter().find(|site| site.site().name() == Some(name)).unwrap();
        assert_eq!((site.completed(), site.failed()), (2, 1), "{name}");
    }
    assert_eq!(metrics.failed(), 4);
    assert!(metrics.to_string().contains("4 of them failed"), "{metrics}");
    let view = methods.view.metrics();
    assert_eq!((view.completed(), view.failed()), (2, 1));
}

/// The type decides. A closure's type is not known where it is submitted.
#[test]
fn what_is_not_known_to_be_an_error_is_not_failed() {
    let methods = methods();
    assert_eq!(finish(methods.option()), None);
    assert_eq!(finish(methods.generic(Err::<(), ()>(()))), Err(()));
    assert_eq!(finish(methods.executor.submit(|| Err::<(), u8>(1))).unwrap(), Err(1));
    let metrics = methods.executor.metrics();
    assert_eq!((metrics.completed(), metrics.failed()), (3, 0));
}

#[test]
fn a_job_that_ends_after_its_caller_had_left_is_abandoned() {
    silence();
    let pool = ThreadPool::new(1);
    for end in [|| (), || panic!("{ON_PURPOSE}"), check_cancelled as fn()] {
        let gate = Gate::closed();
        let of_job = gate.clone();
        let handle = pool.submit(move || {
            of_job.pass();
            end();
        });
        gate.wait_for(1);
        drop(handle);
        gate.open();
        // Behind it in the queue of one thread.
        finish(pool.submit(|| ())).unwrap();
    }
    let metrics = pool.metrics();
    assert_balanced(&metrics);
    assert_eq!((metrics.abandoned(), metrics.abandoned_run().count()), (3, 3));
    assert_eq!((metrics.completed(), metrics.panicked(), metrics.cancelled_after_start()), (4, 1, 1));
    assert!(metrics.to_string().contains("3 abandoned"), "{metrics}");
}

#[test]
fn a_detached_or_awaited_or_never_begun_job_is_not_abandoned() {
    let pool = ThreadPool::new(1);
    let gate = Gate::closed();
    let of_job = gate.clone();
    pool.submit(move || of_job.pass()).detach();
    gate.wait_for(1);
    drop(pool.submit(|| unreachable!("dropped while it waits")));
    let cancelled = pool.submit(|| ());
    gate.open();
    finish(cancelled).unwrap();
    let gate = Gate::closed();
    let of_job = gate.clone();
    let handle = pool.submit(move || of_job.pass());
    gate.wait_for(1);
    handle.cancel();
    gate.open();
    finish(handle).unwrap();
    let metrics = pool.metrics();
    assert_balanced(&metrics);
    assert_eq!((metrics.abandoned(), metrics.completed(), metrics.cancelled_before_start()), (0, 3, 1));
}

#[test]
fn the_last_panics_are_kept_with_their_messages() {
    silence();
    let pool = ThreadPool::builder().max_threads(1).thread_name("panics").build();
    assert!(pool.metrics().recent_panics().is_empty());
    for i in 0..40 {
        assert!(finish(pool.submit(move || panic!("{ON_PURPOSE} {i}"))).is_err());
    }
    assert!(finish(pool.submit(|| std::panic::panic_any(7))).is_err());
    let metrics = pool.metrics();
    let kept = metrics.recent_panics();
    assert_eq!((metrics.panicked(), kept.len()), (41, 32));
    assert_eq!((kept[0].message(), kept[1].message()), (None, Some(&*format!("{ON_PURPOSE} 39"))));
    assert!(kept[0].site().file().ends_with("ends.rs"));
    assert_eq!(kept[1].thread_name(), Some("panics-0"));
    assert!(kept[0].age() <= kept[31].age() && kept[0].at() >= kept[31].at());
}
