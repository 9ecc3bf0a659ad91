//! What a view costs does not depend on how many others there are.

use std::time::{Duration, Instant};

use offload_runtime::{ExecutorExt, ThreadPool};
use tests::support::finish;

/// The shortest of some rounds of making, using and ending a hundred views.
fn shortest(pool: &ThreadPool) -> Duration {
    let round = |_| {
        let begun = Instant::now();
        for _ in 0..100 {
            let view = pool.clone().limited(1);
            drop(view.submit(|| ()));
            drop(view);
        }
        begun.elapsed()
    };
    (0..30).map(round).min().unwrap()
}

/// A global list of views was searched for each that ended: 335 microseconds beside 10,000 others.
#[test]
fn ending_a_view_beside_ten_thousand_others_costs_what_it_costs_alone() {
    let pool = ThreadPool::new(1);
    finish(pool.submit(|| ())).unwrap();
    let alone = shortest(&pool);
    let others: Vec<_> = (0..10_000).map(|_| pool.clone().limited(1)).collect();
    let beside = shortest(&pool);
    assert!(
        beside < 8 * alone + Duration::from_millis(2),
        "{alone:?} alone, {beside:?} beside {} others",
        others.len()
    );
}
