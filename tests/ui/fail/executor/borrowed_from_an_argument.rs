//! An executor cannot be borrowed from an argument that moves.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(executor = &pools[0])]
    fn find(&self, pools: Vec<ThreadPool>) -> usize {
        pools.len()
    }
}

fn main() {}
