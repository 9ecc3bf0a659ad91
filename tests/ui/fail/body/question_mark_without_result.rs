//! `?` needs a result that takes it, as in a plain method.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn find(&self) -> usize {
        std::fs::read("x")?.len()
    }
}

fn main() {}
