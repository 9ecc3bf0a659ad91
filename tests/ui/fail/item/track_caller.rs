//! There is no caller on a worker.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    #[track_caller]
    fn find(&self) -> u32 {
        1
    }
}

fn main() {}
