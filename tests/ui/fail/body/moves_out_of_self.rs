//! What `&self` lends cannot be moved out of it, as in a plain method.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn find(&self) -> ThreadPool {
        self.executor
    }
}

fn main() {}
