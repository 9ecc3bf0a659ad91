//! Jobs so short that their callers may be woken together; and now and then, one behind them that does not end before its callers are.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use offload_runtime::{ExecutorExt, ThreadPool};
use tests::support::finish;

#[test]
#[cfg_attr(debug_assertions, ignore = "no job is as short in a debug build; `ci/soak.sh` runs it")]
fn the_caller_of_a_short_job_is_woken_though_the_next_is_long() {
    // Where one producer is alone, only the pool can ensure it.
    for (threads, producers) in [(1, 2), (2, 1), (4, 1), (4, 3)] {
        let pool = ThreadPool::builder().max_threads(threads).build();
        // One site: the long ones are expected to be short.
        let submit = |wait: Option<mpsc::Receiver<()>>| {
            pool.submit(move || wait.is_none_or(|wait| wait.recv_timeout(Duration::from_secs(20)).is_ok()))
        };
        thread::scope(|scope| {
            for _ in 0..producers {
                scope.spawn(|| {
                    for batch in 0..2_000 {
                        let (woken, wait) = mpsc::channel();
                        let jobs: Vec<_> = (0..64).map(|_| submit(None)).collect();
                        let long = (batch % 100 == 99).then(|| submit(Some(wait)));
                        // The last one first: by then it has not ended, mostly.
                        assert!(jobs.into_iter().rev().all(|job| finish(job).unwrap()));
                        let _: Result<(), _> = woken.send(());
                        assert!(long.is_none_or(|long| finish(long).unwrap()), "a caller was not woken");
                    }
                });
            }
        });
    }
}
