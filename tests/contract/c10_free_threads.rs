//! C10: an awaited job runs on a free thread of the pool, if there is one. Otherwise the pool starts a thread.

use offload_runtime::{Executor, ExecutorExt, ThreadPool};
use tests::support::{Occupied, PATIENCE, eventually, finish, within};

/// Jobs of `executor`, some of whose threads are free, await others.
fn await_nested<E: Executor + Clone + 'static>(pool: &ThreadPool, executor: &E) {
    for _ in 0..50 {
        eventually("all are free", || pool.running() == 0);
        let of_job = executor.clone();
        let outer = executor.submit(move || {
            let id = std::thread::current().id();
            let inner = finish(of_job.submit(|| std::thread::current().id())).unwrap();
            assert_ne!(id, inner, "the thread that waits is not free");
        });
        finish(outer).unwrap();
    }
}

#[test]
fn c10_an_awaited_job_takes_a_free_thread_before_another_is_started() {
    within(PATIENCE, || {
        let pool = ThreadPool::builder().max_threads(3).min_threads(3).build();
        Occupied::new(&pool, 3).release();
        await_nested(&pool, &pool);
        await_nested(&pool, &pool.limited(1));
        await_nested(&pool, &pool.limited(1).limited(1));
        assert_eq!(pool.metrics().peak_threads(), 3, "another was started, though two were free");
    });
}
