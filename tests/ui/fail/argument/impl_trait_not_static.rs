//! `impl Trait` needs its bounds.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn keep(&self, value: impl AsRef<str> + Send) -> usize {
        value.as_ref().len()
    }
}

fn main() {}
