//! So is an `impl Trait`.

use offload_runtime::blocking;
use offload_runtime::process::ProcessPool;

struct Service {
    workers: ProcessPool,
}

impl Service {
    #[blocking(remote, executor = workers)]
    fn show(&self, value: impl ToString + Send + 'static) -> String {
        value.to_string()
    }
}

fn main() {}
