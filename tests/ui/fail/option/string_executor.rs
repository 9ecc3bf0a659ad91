//! A string is no executor.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(executor = "io")]
    fn find(&self) -> u32 {
        1
    }
}

fn main() {}
