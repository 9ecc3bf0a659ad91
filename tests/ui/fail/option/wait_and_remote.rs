//! A remote executor has no line.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(remote, wait)]
    fn find(&self, key: &str) -> usize {
        key.len()
    }
}

fn main() {}
