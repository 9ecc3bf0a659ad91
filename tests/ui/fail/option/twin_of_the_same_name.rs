//! The twin needs another name.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(sync = find)]
    fn find(&self) -> u32 {
        1
    }
}

fn main() {}
