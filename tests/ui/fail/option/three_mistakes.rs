//! Three mistakes in one attribute, three errors.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(executor = "io", sync, timeout = 5)]
    fn find(&self) -> u32 {
        1
    }
}

fn main() {}
