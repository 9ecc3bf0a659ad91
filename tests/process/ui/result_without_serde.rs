//! The result is encoded, with its error.

use offload_runtime::blocking;
use offload_runtime::process::ProcessPool;

struct Failed;

impl From<offload_runtime::Error> for Failed {
    fn from(_: offload_runtime::Error) -> Self {
        Self
    }
}

struct Service {
    workers: ProcessPool,
}

impl Service {
    #[blocking(remote, executor = workers)]
    fn read(&self) -> Result<u32, Failed> {
        Err(Failed)
    }
}

fn main() {}
