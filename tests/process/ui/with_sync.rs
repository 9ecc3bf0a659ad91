//! A twin would need `self`.

use offload_runtime::blocking;
use offload_runtime::process::ProcessPool;

struct Service {
    workers: ProcessPool,
}

impl Service {
    #[blocking(remote, executor = workers, sync = add_sync)]
    fn add(&self, a: u32) -> u32 {
        a + 1
    }
}

fn main() {}
