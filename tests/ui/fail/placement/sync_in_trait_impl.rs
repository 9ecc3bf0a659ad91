//! A trait impl has no room for a twin.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

trait Find {
    async fn find(&self) -> u32;
}

impl Find for Service {
    #[blocking(sync = find_sync)]
    fn find(&self) -> u32 {
        1
    }
}

fn main() {}
