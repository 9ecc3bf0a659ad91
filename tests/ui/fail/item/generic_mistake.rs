//! A mistake in the signature is reported once, by the compiler.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn find(&self, key: &Missing) -> u32 {
        1
    }
}

fn main() {}
