//! The twin of an associated function without `self` is found through `Self`.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(sync = make_sync)]
    fn make(n: usize) -> usize {
        n
    }
}

fn main() {}
