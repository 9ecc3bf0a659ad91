//! A pool whose threads open nothing.

use offload_runtime::StatefulPool;

fn main() {
    let pool = StatefulPool::new(4, || String::new());
    drop(pool.submit_with(|text| text.len()));
}
