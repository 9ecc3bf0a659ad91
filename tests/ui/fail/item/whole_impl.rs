//! The attribute belongs on each method.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

#[blocking]
impl Service {
    fn find(&self) -> u32 {
        1
    }
}

fn main() {}
