//! A foreign ABI cannot return a future.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    extern "C" fn find(&self) -> u32 {
        1
    }
}

fn main() {}
