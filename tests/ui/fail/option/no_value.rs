//! An option without its value.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(executor)]
    fn find(&self) -> u32 {
        1
    }
}

fn main() {}
