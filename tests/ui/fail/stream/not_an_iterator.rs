//! What the compiler says of a type that is no iterator.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(stream)]
    fn list(&self) -> Vec<u8> {
        vec![1]
    }
}

fn main() {}
