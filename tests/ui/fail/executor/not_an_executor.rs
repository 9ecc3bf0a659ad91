//! A field that is no executor.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Users {
    executor: ThreadPool,
    name: String,
}

impl Users {
    #[blocking(executor = name)]
    fn find(&self) -> u32 {
        1
    }
}

fn main() {}
