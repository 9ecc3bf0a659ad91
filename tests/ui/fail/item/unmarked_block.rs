//! On a block, the attribute gives options to methods that are marked themselves.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

#[blocking(executor = executor)]
impl Service {
    fn find(&self) -> u32 {
        1
    }
}

fn main() {}
