//! Two different results.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(handle, boxed)]
    fn find(&self) -> u32 {
        1
    }
}

fn main() {}
