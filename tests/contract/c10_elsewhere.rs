//! C10 on threads that are not a pool's of ours: a job of a view of anyone's executor may block on others of that view.

use std::sync::Arc;

use offload_runtime::{Executor, ExecutorExt, Job, Limited, ThreadPool};
use tests::support::{PATIENCE, finish, rayon_pool, tokio_runtime, within};

/// A job that blocks on a job that blocks on a job, all of one view.
fn deep<E>(view: &Limited<E>, depth: u32) -> u32
where
    E: Executor + 'static,
{
    if depth == 0 {
        return 0;
    }
    let inner = view.clone();
    1 + finish(view.submit(move || deep(&inner, depth - 1))).unwrap()
}

fn ten_deep_in_a_view<E: Executor + 'static>(view: Limited<E>) {
    assert_eq!(within(PATIENCE, move || deep(&view, 10)), 10);
}

#[test]
fn c10_a_view_of_rayon() {
    ten_deep_in_a_view(Arc::new(rayon_pool(1)).limited(1));
    ten_deep_in_a_view(Arc::new(rayon_pool(2)).limited(2));
}

#[test]
fn c10_a_view_of_tokio() {
    let runtime = tokio_runtime(1);
    ten_deep_in_a_view(runtime.handle().clone().limited(1));
}

/// An executor that gives each job a thread of its own, with or without a name.
struct ThreadPerJob(Option<&'static str>);

impl Executor for ThreadPerJob {
    fn execute(&self, job: Job) {
        let builder = std::thread::Builder::new();
        let builder = match self.0 {
            Some(name) => builder.name(name.to_owned()),
            None => builder,
        };
        drop(builder.spawn(|| job.run()).expect("a thread"));
    }
}

/// The thread that stands in for one that waits bears its name.
#[test]
fn c10_a_view_of_an_executor_of_ones_own() {
    for (name, expected) in [(Some("own"), "own"), (None, "offload")] {
        ten_deep_in_a_view(ThreadPerJob(name).limited(1));
        let view = ThreadPerJob(name).limited(1);
        let of_job = view.clone();
        let outer =
            view.submit(move || finish(of_job.submit(|| std::thread::current().name().map(str::to_owned))).unwrap());
        assert_eq!(finish(outer).unwrap().as_deref(), Some(expected));
    }
}

/// Where a job waits for one of another executor, that one's thread runs it, whatever its own is.
#[test]
fn c10_a_job_that_waits_for_another_executor_leaves_its_job_alone() {
    let (pool, other) =
        (ThreadPool::builder().thread_name("one").build(), ThreadPool::builder().thread_name("two").build());
    let of_job = other.clone();
    let outer =
        pool.submit(move || finish(of_job.submit(|| std::thread::current().name().map(str::to_owned))).unwrap());
    assert_eq!(finish(outer).unwrap().as_deref(), Some("two-0"));
}
