//! `&mut self` cannot cross.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn add(&mut self, n: u32) {
        let _ = n;
    }
}

fn main() {}
