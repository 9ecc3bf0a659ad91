//! Nor in a string that a macro formats.

use offload_runtime::blocking;
use offload_runtime::process::ProcessPool;

#[derive(Debug)]
struct Service {
    workers: ProcessPool,
}

impl Service {
    #[blocking(remote, executor = workers)]
    fn describe(&self) -> String {
        format!("{self:?}")
    }
}

fn main() {}
