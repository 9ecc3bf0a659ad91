//! What the end of a view costs does not depend on how many others there are.

use std::time::{Duration, Instant};

use offload_runtime::ThreadPool;

/// Makes `n` views, and ends them in the order of their making. Returns what each took to end: the mean, in the best of some rounds.
fn end_of_each(pool: &ThreadPool, n: u32) -> Duration {
    let round = |_| {
        let views: Vec<_> = (0..n).map(|_| pool.clone().limited(1)).collect();
        let begun = Instant::now();
        drop(views);
        begun.elapsed() / n
    };
    (0..3).map(round).min().unwrap()
}

/// A list of all views was searched for each that ended, so that 10,000 took seconds to end.
#[test]
fn the_end_of_a_view_costs_the_same_beside_ten_thousand_others() {
    let pool = ThreadPool::new(1);
    let (few, many) = (end_of_each(&pool, 500), end_of_each(&pool, 10_000));
    assert!(many < 8 * few + Duration::from_micros(20), "{few:?} beside few, {many:?} beside many");
}
