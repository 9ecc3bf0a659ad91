//! `#[must_use]` speaks of what is awaited.

#![deny(unused_must_use)]

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[must_use]
    #[blocking]
    fn count(&self) -> usize {
        1
    }
}

async fn forgets(service: &Service) {
    service.count().await;
}

fn main() {
    drop(forgets(&Service { executor: ThreadPool::new(1) }));
}
