//! A method that gives the executor is called.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(executor = self.pool)]
    fn find(&self) -> usize {
        1
    }

    fn pool(&self) -> &ThreadPool {
        &self.executor
    }
}

fn main() {}
