//! In the impl of a trait, `Self::find_sync` could be an inherent method.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

trait Find {
    async fn find(&self) -> u32;
    fn find_sync(&self) -> u32;
}

impl Service {
    fn find_sync(&self) -> u32 {
        2
    }
}

impl Find for Service {
    #[blocking(sync = find_sync)]
    fn find(&self) -> u32 {
        1
    }
}

fn main() {}
