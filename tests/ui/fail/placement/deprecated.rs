//! A deprecated method is reported where it is called, once.

#![deny(deprecated)]

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[deprecated = "count the words"]
    #[blocking(sync = count_sync)]
    fn count(&self) -> usize {
        1
    }
}

fn main() {
    drop(Service { executor: ThreadPool::new(1) }.count());
}
