//! A pinned `self` cannot cross.

use offload_runtime::{ThreadPool, blocking};
use std::pin::Pin;

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn find(self: Pin<&mut Self>) -> u32 {
        1
    }
}

fn main() {}
