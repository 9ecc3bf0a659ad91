//! The method is async already.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    async fn find(&self) -> u32 {
        std::future::ready(1).await
    }
}

fn main() {}
