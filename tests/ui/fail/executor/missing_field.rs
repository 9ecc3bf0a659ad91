//! The error stands at the option, and the compiler lists the fields.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(executor = io)]
    fn find(&self) -> u32 {
        1
    }
}

fn main() {}
