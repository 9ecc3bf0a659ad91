//! A failure to begin and the items have one error type.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(stream)]
    fn numbers(&self) -> std::io::Result<impl Iterator<Item = u8> + use<>> {
        Ok(0..3)
    }
}

fn main() {}
