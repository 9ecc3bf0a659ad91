//! A string is no path.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(crate = "offload")]
    fn find(&self) -> u32 {
        1
    }
}

fn main() {}
