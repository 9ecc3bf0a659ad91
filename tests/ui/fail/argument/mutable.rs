//! `&mut` arguments cannot cross.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn fill(&self, buffer: &mut Vec<u8>) {
        buffer.clear();
    }
}

fn main() {}
