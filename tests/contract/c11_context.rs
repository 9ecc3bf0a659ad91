//! C11: the tracing span, and the tokio handle if there is one, are those of the caller.
//!
//! These tests are about tokio's handle. Tests of tracing's span need subscribers, and are in the package `observe`, with names that begin with `c11_`:
//! `spans/nesting.rs`, `filtered.rs` (the job's span is filtered out) and `otel.rs` (one trace across the threads).

use std::iter;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use offload_runtime::{Executor, ExecutorExt, Inline, Limited, StatefulPool, ThreadPool, blocking};
use tests::support::{Occupied, finish, rayon_pool, tokio_runtime};
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

/// By whichever way a job comes to the pool.
#[test]
fn c11_a_pool_that_declines_the_runtime_has_no_job_that_sees_one() {
    fn sees() -> bool {
        Handle::try_current().is_ok()
    }

    #[blocking(executor = pool)]
    fn of_method(pool: &ThreadPool) -> bool {
        sees()
    }

    #[blocking(executor = pool, wait)]
    fn of_method_that_waits(pool: &ThreadPool) -> bool {
        sees()
    }

    #[blocking(executor = pool, wait)]
    fn of_state_that_waits(pool: &StatefulPool<()>, #[state] _: &mut ()) -> bool {
        sees()
    }

    let runtime = tokio_runtime(1);
    let _entered = runtime.enter();
    for enters in [true, false] {
        let pool = ThreadPool::builder().max_threads(1).queue_capacity(100).enter_runtime(enters).build();
        let view = Limited::builder(pool.clone()).queue_capacity(100).build();
        let dynamic: Arc<dyn Executor> = Arc::new(view.clone());
        let states = StatefulPool::builder().max_threads(1).queue_capacity(100).enter_runtime(enters);
        // It opens its state in a job, or before one.
        let states = states.open_now(move || if sees() == enters { Ok(()) } else { Err("open") }).unwrap();
        let seen = [
            ("submit", finish(pool.submit(sees)).unwrap()),
            ("try_submit", finish(pool.try_submit(sees).unwrap()).unwrap()),
            ("reserve", finish(finish(pool.reserve()).unwrap().submit(sees)).unwrap()),
            ("a view", finish(view.submit(sees)).unwrap()),
            ("a view's try_submit", finish(view.try_submit(sees).unwrap()).unwrap()),
            ("a view's reserve", finish(finish(view.reserve()).unwrap().submit(sees)).unwrap()),
            ("dyn", finish(dynamic.submit(sees)).unwrap()),
            ("a stream", finish(pool.stream(|| iter::once_with(sees)).next()).unwrap()),
            ("a body", finish(pool.generate(|out| assert!(out.send(sees()).is_ok())).next()).unwrap()),
            ("a state", finish(states.submit_with(|()| sees())).unwrap()),
            ("a state's reserve", finish(finish(states.reserve()).unwrap().submit_with(|()| sees())).unwrap()),
            ("a method", finish(of_method(&pool))),
            ("a method that waits", finish(of_method_that_waits(&pool))),
            ("a method with a state", finish(of_state_that_waits(&states))),
        ];
        for (of, sees) in seen {
            assert_eq!(sees, enters, "{of}");
        }
        let mut stream = pool.stream(|| iter::repeat_with(sees)).buffer(1);
        for turn in 0..9 {
            assert_eq!(finish(stream.next()), Some(enters), "turn {turn} of an iterator");
        }
    }
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

/// As under `spawn_blocking`: for a library with an async interface only, timers and all.
#[test]
fn c11_a_job_blocks_on_the_runtime_of_its_submitter() {
    fn wait() -> u32 {
        Handle::current().block_on(async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            tokio::spawn(async { 7 }).await.unwrap()
        })
    }
    let runtime = tokio_runtime(1);
    let pool = ThreadPool::new(1);
    let executors: [Box<dyn Executor>; 3] =
        [Box::new(pool.clone()), Box::new(pool.limited(1)), Box::new(rayon_pool(1))];
    for executor in executors {
        assert_eq!(runtime.block_on(async { executor.submit(wait).await }).unwrap(), 7);
    }
}

/// The first poll is what submits a job of an `async fn`; the runtime is the one that polls.
#[test]
fn c11_a_method_sees_the_runtime_that_awaits_it() {
    #[derive(Clone)]
    struct Service {
        executor: ThreadPool,
    }

    impl Service {
        #[blocking]
        fn runtime(&self) -> Option<Id> {
            Handle::try_current().ok().map(|handle| handle.id())
        }
    }

    let [first, second] = [(); 2].map(|()| tokio_runtime(1));
    let service = Service { executor: ThreadPool::new(1) };
    let future = {
        let _entered = first.enter();
        service.runtime()
    };
    assert_eq!(second.block_on(future), Some(second.handle().id()));
    assert_eq!(finish(service.runtime()), None);
}

/// What it then asks of the runtime fails as it does anywhere; the job does not.
#[test]
fn c11_a_job_may_outlive_the_runtime_of_its_submitter() {
    let runtime = tokio_runtime(1);
    let pool = ThreadPool::new(1);
    let occupied = Occupied::new(&pool, 1);
    let entered = runtime.enter();
    let job = pool.submit(|| (tokio::spawn(std::future::pending::<()>()), Handle::current().id()));
    drop(entered);
    let id = runtime.handle().id();
    drop(runtime);
    occupied.release();
    let (spawned, seen) = finish(job).unwrap();
    assert_eq!(seen, id);
    assert!(finish(spawned).unwrap_err().is_cancelled());
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
