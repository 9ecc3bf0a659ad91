//! A trait object that borrows.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn call(&self, f: Box<dyn Fn() -> u32 + Send + '_>) -> u32 {
        f()
    }
}

fn main() {}
