//! Only the usual forms of `self` are known.

use offload_runtime::{ThreadPool, blocking};
use std::sync::Arc;

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn find(self: Box<Arc<Self>>) -> u32 {
        1
    }
}

fn main() {}
