//! A single name is an argument before it is a field.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(executor = executor)]
    fn write(&self, executor: Vec<u8>) -> usize {
        executor.len()
    }
}

fn main() {}
