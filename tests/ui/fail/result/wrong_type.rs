//! A body of another type than the result.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn name(&self) -> String {
        "name"
    }
}

fn main() {}
