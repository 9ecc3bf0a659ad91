//! Closures and results that take a large part of a worker's 2 MiB of stack.
//!
//! Unoptimised code copies a value each time that it is moved. A closure of this size overflowed a worker's stack where `spawn_blocking`
//! copes with it. An overflow ends the process, so each scene is played in a child.

use std::hint::black_box;

use offload_runtime::{Error, Executor, ExecutorExt, Inline, ThreadPool};
use tests::support::{finish, panic_message, silence, tokio_runtime};

use crate::child;

const SIZE: usize = if cfg!(debug_assertions) { 512 << 10 } else { 1 << 20 };

/// Plays the test's scene in a child, in a thread with a large stack: the submitter's own is not at issue.
fn played(test: &str, scene: impl FnOnce() + Send + 'static) {
    if child::is_child() {
        if child::plays(test) {
            std::thread::Builder::new().stack_size(256 << 20).spawn(scene).unwrap().join().unwrap();
        }
        return;
    }
    let output = child::play(&format!("large::{test}"), test, None);
    assert!(output.status.success(), "{}", child::text_of(&output));
    assert!(child::text_of(&output).contains("1 passed"), "{}", child::text_of(&output));
}

/// A large closure, a large result, and both.
fn scene<const SIZE: usize>(executor: &impl Executor) {
    let large = black_box([7_u8; SIZE]);
    assert_eq!(
        finish(executor.submit(move || large.iter().map(|byte| usize::from(*byte)).sum::<usize>())).unwrap(),
        7 * SIZE
    );
    let made = finish(executor.submit(|| black_box([1_u8; SIZE]))).unwrap();
    assert!(made.iter().all(|byte| *byte == 1));
    let both = finish(executor.submit(move || large)).unwrap();
    assert!(both.iter().all(|byte| *byte == 7));
}

#[test]
fn large_closures_and_results_fit_a_workers_stack() {
    played("large_closures_and_results_fit_a_workers_stack", || {
        scene::<SIZE>(&ThreadPool::new(1));
        scene::<SIZE>(&ThreadPool::new(1).limited(1));
        scene::<SIZE>(&ThreadPool::new(1).limited(1).limited(1));
        scene::<SIZE>(tokio_runtime(1).handle());
        scene::<SIZE>(&Inline);
    });
}

/// The values of the outer job are on the worker's stack, too.
#[test]
fn large_nested_jobs_fit_a_workers_stack() {
    played("large_nested_jobs_fit_a_workers_stack", || {
        let view = ThreadPool::new(1).limited(1);
        let of_job = view.clone();
        let outer = view.submit(move || scene::<{ SIZE / 4 }>(&of_job));
        finish(outer).unwrap();
    });
}

/// However a large job ends but by a value.
#[expect(clippy::large_stack_arrays, reason = "what is large on the stack is what the test is about")]
#[test]
fn large_jobs_are_cancelled_refused_and_panic() {
    played("large_jobs_are_cancelled_refused_and_panic", || {
        silence();
        let pool = ThreadPool::new(1);
        let large = black_box([7_u8; SIZE]);
        let panics = pool.submit(move || -> [u8; SIZE] {
            assert!(black_box(large)[0] == 0, "on purpose");
            large
        });
        let Err(Error::Panicked(panic)) = finish(panics) else { panic!("it panics") };
        assert!(panic.message().is_some_and(|message| message.contains("on purpose")));
        let cancelled = pool.submit(move || large);
        cancelled.cancel();
        drop(finish(cancelled));
        drop(pool.submit(move || large));
        pool.submit(move || large).detach();
        finish(pool.shutdown());
        assert!(matches!(finish(pool.submit(move || large)), Err(Error::ShutDown)));
        assert!(panic_message(|| panic!("on purpose")).contains("on purpose"));
    });
}
