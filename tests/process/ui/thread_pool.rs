//! An executor of threads takes no bytes.

use offload_runtime::blocking;
use offload_runtime::process::ProcessPool;
use offload_runtime::ThreadPool;

struct Service {
    workers: ProcessPool,
    threads: ThreadPool,
}

impl Service {
    #[blocking(remote, executor = threads)]
    fn add(&self, a: u32) -> u32 {
        a + 1
    }
}

fn main() {}
