//! An option that does not exist.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(timeout = 5)]
    fn find(&self) -> u32 {
        1
    }
}

fn main() {}
