//! Two independent mistakes, two errors.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn find(&mut self, parts: &[&str]) -> &str {
        parts[0]
    }
}

fn main() {}
