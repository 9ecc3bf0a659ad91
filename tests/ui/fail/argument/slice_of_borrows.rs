//! A borrow inside a slice.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn join(&self, parts: &[&str]) -> String {
        parts.concat()
    }
}

fn main() {}
