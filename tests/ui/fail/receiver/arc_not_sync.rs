//! What is in the `Arc` must be `Sync`.

use offload_runtime::{ThreadPool, blocking};
use std::cell::Cell;
use std::sync::Arc;

struct Users {
    executor: ThreadPool,
    names: Cell<u32>,
}

impl Users {
    #[blocking]
    fn count(self: Arc<Self>) -> u32 {
        self.names.get()
    }
}

fn main() {}
