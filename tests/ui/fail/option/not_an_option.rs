//! Something else where an option belongs.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking("io")]
    fn find(&self) -> u32 {
        1
    }
}

fn main() {}
