//! A raw pointer is not `Send`.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn keep(&self, value: *const u8) -> bool {
        value.is_null()
    }
}

fn main() {}
