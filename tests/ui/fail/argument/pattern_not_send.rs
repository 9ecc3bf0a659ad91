//! The caret stands on the type, whatever the pattern.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn count(&self, _: *const u32, (a, b): (u32, *const u32)) -> u32 {
        a + *b
    }
}

fn main() {}
