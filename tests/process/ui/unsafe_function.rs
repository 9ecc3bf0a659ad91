//! The worker is another process, that knows of no promise.

use offload_runtime::blocking;
use offload_runtime::process::ProcessPool;

struct Service {
    workers: ProcessPool,
}

impl Service {
    #[blocking(remote, executor = workers)]
    unsafe fn add(&self, a: u32) -> u32 {
        a + 1
    }
}

fn main() {}
