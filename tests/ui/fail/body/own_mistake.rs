//! A mistake in the body is reported once, where it is.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn find(&self, name: &str) -> usize {
        nmae.len()
    }
}

fn main() {}
