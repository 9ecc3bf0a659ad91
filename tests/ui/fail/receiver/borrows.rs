//! `Self` must not borrow.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Users<'a> {
    executor: ThreadPool,
    names: &'a [String],
}

impl Users<'_> {
    #[blocking]
    fn count(&self) -> usize {
        self.names.len()
    }
}

fn main() {}
