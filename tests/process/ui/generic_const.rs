//! A number is a generic, too.

use offload_runtime::blocking;
use offload_runtime::process::ProcessPool;

struct Service {
    workers: ProcessPool,
}

impl Service {
    #[blocking(remote, executor = workers)]
    fn sum<const N: usize>(&self, values: [u32; N]) -> u32 {
        values.iter().sum()
    }
}

fn main() {}
