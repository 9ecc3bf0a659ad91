//! A `const fn` cannot be sent anywhere.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    const fn find(&self) -> u32 {
        1
    }
}

fn main() {}
