//! The caller has to know what it decodes.

use offload_runtime::blocking;
use offload_runtime::process::ProcessPool;

struct Service {
    workers: ProcessPool,
}

impl Service {
    #[blocking(remote, executor = workers)]
    fn number(&self) -> impl std::fmt::Display + use<> {
        1
    }
}

fn main() {}
