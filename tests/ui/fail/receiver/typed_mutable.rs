//! `self: &mut Self` cannot cross either.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn add(self: &mut Self, n: u32) {
        let _ = n;
    }
}

fn main() {}
