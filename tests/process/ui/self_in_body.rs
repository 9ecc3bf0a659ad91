//! The body runs in another process, where there is no `self`.

use offload_runtime::blocking;
use offload_runtime::process::ProcessPool;

struct Service {
    workers: ProcessPool,
    factor: u32,
}

impl Service {
    #[blocking(remote, executor = workers)]
    fn scale(&self, edge: u32) -> u32 {
        edge * self.factor
    }
}

fn main() {}
