//! A stream is submitted when it is polled, and no poll of it waits for room.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(stream, wait)]
    fn below(&self, n: u32) -> impl Iterator<Item = u32> + use<> {
        0..n
    }
}

fn main() {}
