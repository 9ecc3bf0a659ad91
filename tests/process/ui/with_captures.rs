//! What is captured stays.

use offload_runtime::blocking;
use offload_runtime::process::ProcessPool;

struct Service {
    workers: ProcessPool,
    factor: u32,
}

impl Service {
    #[blocking(remote, executor = workers, with(factor = self.factor))]
    fn scale(&self, edge: u32) -> u32 {
        edge * factor
    }
}

fn main() {}
