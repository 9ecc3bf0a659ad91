//! A `JobHandle` is not what an `async fn` gives.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

trait Find {
    async fn find(&self) -> u32;
}

impl Find for Service {
    #[blocking(handle)]
    fn find(&self) -> u32 {
        1
    }
}

fn main() {}
