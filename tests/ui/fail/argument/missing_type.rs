//! An argument without a type.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn keep(&self, value) -> bool {
        true
    }
}

fn main() {}
