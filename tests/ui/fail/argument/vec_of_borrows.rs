//! A borrow inside a `Vec`.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn join(&self, parts: Vec<&str>) -> String {
        parts.concat()
    }
}

fn main() {}
