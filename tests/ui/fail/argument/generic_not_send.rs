//! A type parameter needs its bounds.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn keep<T: 'static>(&self, value: T) {
        drop(value);
    }
}

fn main() {}
