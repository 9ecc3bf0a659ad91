//! The arguments would be taken before there is room.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(boxed = '_, wait)]
    fn find(&self, key: &str) -> usize {
        key.len()
    }
}

fn main() {}
