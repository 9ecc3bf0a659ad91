//! A result cannot borrow from what stays in the other process.

use offload_runtime::blocking;
use offload_runtime::process::ProcessPool;

struct Service {
    workers: ProcessPool,
}

impl Service {
    #[blocking(remote, executor = workers)]
    fn first(&self, text: &str) -> &str {
        text
    }
}

fn main() {}
