//! The signature is emitted despite the error.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(executor = "io")]
    fn find(&self, name: &str) -> usize {
        name.len()
    }

    async fn call(&self) -> usize {
        self.find("name").await + 1
    }
}

fn main() {}
