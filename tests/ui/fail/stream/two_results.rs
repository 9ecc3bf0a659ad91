//! A stream is a result of its own, and stays in this process.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(stream, handle)]
    fn with_a_handle(&self) -> impl Iterator<Item = u8> + use<> {
        0..3
    }

    #[blocking(stream, boxed)]
    fn in_a_box(&self) -> std::ops::Range<u8> {
        0..3
    }

    #[blocking(stream, remote)]
    fn elsewhere(&self) -> std::ops::Range<u8> {
        0..3
    }
}

fn main() {}
