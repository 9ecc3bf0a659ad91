//! The body becomes a function of its own.

use offload_runtime::blocking;
use offload_runtime::process::ProcessPool;

struct Service {
    workers: ProcessPool,
}

impl Service {
    #[blocking(remote, executor = workers)]
    fn scale(&self, edge: u32) -> u32 {
        Self::FACTOR * edge
    }

    const FACTOR: u32 = 2;
}

fn main() {}
