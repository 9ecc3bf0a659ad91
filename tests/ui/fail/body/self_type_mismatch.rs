//! Inside the body, `self` has the type that was declared.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn find(&self) -> Self {
        self
    }
}

fn main() {}
