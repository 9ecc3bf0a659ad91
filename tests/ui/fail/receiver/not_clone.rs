//! `&self` needs `Self: Clone`.

use offload_runtime::{ThreadPool, blocking};

struct Users {
    executor: ThreadPool,
    names: Vec<String>,
}

impl Users {
    #[blocking]
    fn count(&self) -> usize {
        self.names.len()
    }
}

fn main() {}
