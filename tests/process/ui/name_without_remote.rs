//! A name is for what is found by it.

use offload_runtime::blocking;
use offload_runtime::process::ProcessPool;

struct Service {
    workers: ProcessPool,
}

impl Service {
    #[blocking(executor = workers, name = "service.add")]
    fn add(&self, a: u32) -> u32 {
        a + 1
    }
}

fn main() {}
