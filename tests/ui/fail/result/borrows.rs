//! A result that borrows from an argument.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn first(&self, text: &str) -> &str {
        text
    }
}

fn main() {}
