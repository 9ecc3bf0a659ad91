//! A remote function exists once.

use offload_runtime::blocking;
use offload_runtime::process::ProcessPool;

struct Service {
    workers: ProcessPool,
}

impl Service {
    #[blocking(remote, executor = workers)]
    fn show<T: ToString>(&self, value: T) -> String {
        value.to_string()
    }
}

fn main() {}
