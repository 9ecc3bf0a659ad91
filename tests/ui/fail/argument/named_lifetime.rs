//! A named lifetime inside another type.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn join<'a>(&self, parts: std::slice::Iter<'a, String>) -> usize {
        parts.count()
    }
}

fn main() {}
