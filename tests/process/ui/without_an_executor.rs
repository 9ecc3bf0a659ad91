//! The default executor has threads.

use offload_runtime::blocking;
use offload_runtime::process::ProcessPool;

struct Service {
    workers: ProcessPool,
}

impl Service {
    fn nothing() {}
}

#[blocking(remote)]
fn add(a: u32) -> u32 {
    a + 1
}

impl Service {
}

fn main() {}
