//! A flag with a value.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(handle = true)]
    fn find(&self) -> u32 {
        1
    }
}

fn main() {}
