//! A function of its own has no `Self` in its signature.

use offload_runtime::blocking;
use offload_runtime::process::ProcessPool;

struct Service {
    workers: ProcessPool,
}

impl Service {
    #[blocking(remote, executor = workers)]
    fn merge(&self, other: Self) -> u32 {
        drop(other);
        1
    }
}

fn main() {}
