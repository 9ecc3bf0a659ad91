//! C11: the tracing span, and the tokio handle if there is one, are those of the caller.

use offload_runtime::{Executor, ExecutorExt, Inline, ThreadPool};
use tests::support::{finish, rayon_pool, tokio_runtime};
use tokio::runtime::{Handle, Id};

fn runtime_of_a_job(executor: &(dyn Executor + 'static)) -> Option<Id> {
    finish(executor.submit(|| Handle::try_current().ok().map(|handle| handle.id()))).unwrap()
}

fn ours() -> [Box<dyn Executor>; 4] {
    let pool = ThreadPool::new(1);
    [Box::new(pool.clone()), Box::new(pool.limited(1)), Box::new(Inline), Box::new(rayon_pool(1))]
}

#[test]
fn c11_a_job_sees_the_tokio_runtime_of_its_submitter() {
    let [first, second] = [(); 2].map(|()| tokio_runtime(1));
    for executor in ours() {
        for runtime in [&first, &second, &first] {
            let entered = runtime.enter();
            assert_eq!(runtime_of_a_job(&*executor), Some(runtime.handle().id()));
            drop(entered);
            assert_eq!(runtime_of_a_job(&*executor), None, "nothing is left on the thread");
        }
    }
}

#[test]
fn c11_a_job_on_tokios_pool_sees_its_submitters_runtime_too() {
    let [first, second] = [(); 2].map(|()| tokio_runtime(1));
    let _entered = first.enter();
    assert_eq!(runtime_of_a_job(second.handle()), Some(first.handle().id()));
}

/// The context is that of `submit`, not that of the poll.
#[test]
fn c11_the_context_is_taken_at_submission() {
    let runtime = tokio_runtime(1);
    let pool = ThreadPool::new(1);
    let entered = runtime.enter();
    let job = pool.submit(|| Handle::try_current().is_ok());
    drop(entered);
    assert!(finish(job).unwrap());
}

#[test]
fn c11_a_nested_job_sees_the_runtime_of_the_job_that_submitted_it() {
    let runtime = tokio_runtime(1);
    let pool = ThreadPool::new(1);
    let of_job = pool.clone();
    let entered = runtime.enter();
    let job = pool.submit(move || {
        let inner = of_job.submit(|| Handle::try_current().ok().map(|handle| handle.id()));
        let inner = finish(inner).unwrap();
        (inner, Handle::try_current().ok().map(|handle| handle.id()))
    });
    drop(entered);
    let id = Some(runtime.handle().id());
    assert_eq!(finish(job).unwrap(), (id, id));
}

/// A job may use the runtime for what needs one: spawning, timers.
#[test]
fn c11_a_job_spawns_on_the_runtime_of_its_submitter() {
    let runtime = tokio_runtime(1);
    let pool = ThreadPool::new(1);
    let value = runtime.block_on(async {
        let job = pool.submit(|| tokio::spawn(async { 7 }));
        job.await.unwrap().await.unwrap()
    });
    assert_eq!(value, 7);
}

/// A panic leaves the context as it was, too.
#[test]
fn c11_a_panic_leaves_no_context_behind() {
    tests::support::silence();
    let runtime = tokio_runtime(1);
    let pool = ThreadPool::new(1);
    let entered = runtime.enter();
    assert!(finish(pool.submit(|| panic!("on purpose"))).is_err());
    drop(entered);
    assert_eq!(runtime_of_a_job(&pool), None);
}
