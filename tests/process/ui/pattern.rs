//! An argument crosses whole.

use offload_runtime::blocking;
use offload_runtime::process::ProcessPool;

struct Service {
    workers: ProcessPool,
}

impl Service {
    #[blocking(remote, executor = workers)]
    fn add(&self, (a, b): (u32, u32)) -> u32 {
        a + b
    }
}

fn main() {}
