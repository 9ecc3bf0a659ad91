//! A body that is being typed gets the errors of a plain method, once, and callers none.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn find(&self, name: &str) -> usize {
        let length = name.
    }

    async fn call(&self) -> usize {
        self.find("name").await + 1
    }
}

fn main() {}
