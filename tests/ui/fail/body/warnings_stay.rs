//! Warnings about the body stand at the user's code.

#![deny(warnings)]

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn find(&self, name: &str, mut count: u32) -> usize {
        let unused = 1;
        std::fs::read("x");
        0
    }
}

fn main() {}
