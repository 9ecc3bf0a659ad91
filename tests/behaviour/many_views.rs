//! What the end of a view costs does not depend on how many others there are.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use offload_runtime::ThreadPool;

/// For how long this thread has had a core, which is the same on a busy machine. The time of day, where the system does not say.
fn time() -> Duration {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let of_thread = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let on_a_core = of_thread.and_then(|times| times.split_whitespace().next()?.parse().ok());
    on_a_core.map_or_else(|| BEGAN.elapsed(), Duration::from_nanos)
}

/// Makes 40,000 views and ends them, so many at once. Returns how long that takes.
fn come_and_go(pool: &ThreadPool, at_once: usize) -> Duration {
    let begun = time();
    for _ in 0..40_000 / at_once {
        drop((0..at_once).map(|_| pool.clone().limited(1)).collect::<Vec<_>>());
    }
    time().saturating_sub(begun)
}

/// A list of all views was searched for each that ended, so that 10,000 took seconds to end. One round says little, so one of five has to show
/// it; a search shows in all.
#[test]
fn the_end_of_a_view_costs_the_same_beside_many_others() {
    let pool = ThreadPool::new(1);
    let mut rounds = (0..5).map(|_| (come_and_go(&pool, 100), come_and_go(&pool, 40_000)));
    let is_same = rounds.any(|(few, many)| many < 8 * few);
    assert!(is_same, "beside forty thousand others, views took more than eight times as long");
}
