//! Each wrong option is its own error, at its own place.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(handl, boxed = yes, pool = io)]
    fn find(&self) -> u32 {
        1
    }
}

fn main() {}
