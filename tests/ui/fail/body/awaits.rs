//! A body that awaits is told where to await.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn find(&self) -> u32 {
        let n = self.other().await;
        n + 1
    }

    async fn other(&self) -> u32 {
        1
    }
}

fn main() {}
