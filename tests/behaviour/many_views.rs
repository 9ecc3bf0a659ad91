//! What the end of a view costs does not depend on how many others there are.

use std::time::{Duration, Instant};

use offload_runtime::ThreadPool;

/// Makes `n` views, and ends them in the order of their making. Returns what each took to end.
fn end_of_each(pool: &ThreadPool, n: u32) -> Duration {
    let views: Vec<_> = (0..n).map(|_| pool.clone().limited(1)).collect();
    let begun = Instant::now();
    drop(views);
    begun.elapsed() / n
}

/// A list of all views was searched for each that ended, so that 10,000 took seconds to end. On a busy machine one round says little, so one
/// of ten has to show it; a search shows in all. So many views that the fastest search takes longer than what is allowed.
#[test]
fn the_end_of_a_view_costs_the_same_beside_many_others() {
    let pool = ThreadPool::new(1);
    let mut rounds = (0..10).map(|_| (end_of_each(&pool, 100), end_of_each(&pool, 40_000)));
    let is_same = rounds.any(|(few, many)| many < 8 * few + Duration::from_micros(20));
    assert!(is_same, "beside forty thousand others, the end of a view took more than eight times as long");
}
