//! The same option twice.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(executor = io, executor = cpu)]
    fn find(&self) -> u32 {
        1
    }
}

fn main() {}
