//! What the end of a view costs does not depend on how many others there are.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use offload_runtime::ThreadPool;

/// For how long this thread has had a core, or, where the system does not say, how late it is: the first is the same on a busy machine.
fn time() -> Duration {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let of_thread = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let on_a_core = of_thread.and_then(|times| times.split_whitespace().next()?.parse().ok());
    on_a_core.map_or_else(|| BEGAN.elapsed(), Duration::from_nanos)
}

/// Makes `n` views, and ends them in the order of their making. Returns what each took to end.
fn end_of_each(pool: &ThreadPool, n: u32) -> Duration {
    let views: Vec<_> = (0..n).map(|_| pool.clone().limited(1)).collect();
    let begun = time();
    drop(views);
    time().saturating_sub(begun) / n
}

/// A list of all views was searched for each that ended, so that 10,000 took seconds to end. So many views that the fastest search takes longer
/// than what is allowed. One round says little, so one of five has to show it; a search shows in all.
#[test]
fn the_end_of_a_view_costs_the_same_beside_many_others() {
    let pool = ThreadPool::new(1);
    let few = (0..20).map(|_| end_of_each(&pool, 100)).min().unwrap_or_default();
    let is_same = (0..5).any(|_| end_of_each(&pool, 40_000) < 8 * few + Duration::from_micros(20));
    assert!(is_same, "beside forty thousand others, the end of a view took more than eight times as long as {few:?}");
}
