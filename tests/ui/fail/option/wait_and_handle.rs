//! A call that submits by itself cannot wait.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(wait, handle)]
    fn find(&self, key: &str) -> usize {
        key.len()
    }
}

fn main() {}
