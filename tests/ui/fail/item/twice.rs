//! The attribute stands there twice.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    #[blocking]
    fn find(&self) -> u32 {
        1
    }
}

fn main() {}
