//! Nor can optional ones.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn fill(&self, buffer: Option<&mut Vec<u8>>) {
        let _ = buffer;
    }
}

fn main() {}
