//! A `Box<dyn Error>` is not `Send`.

use offload_runtime::{ThreadPool, blocking};
use std::error::Error;

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn find(&self) -> Result<u32, Box<dyn Error>> {
        Ok("1".parse()?)
    }
}

fn main() {}
