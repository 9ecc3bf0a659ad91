//! A string is no name.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(sync = "find_sync")]
    fn find(&self) -> u32 {
        1
    }
}

fn main() {}
