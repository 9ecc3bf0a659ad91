//! What `refused` and `panicked` name must make the method's own error.

use offload_runtime::{ThreadPool, blocking};

fn no_error(_: offload_runtime::Error) -> String {
    String::new()
}

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(refused = no_error)]
    fn no_result(&self) -> u32 {
        1
    }

    #[blocking(refused = no_error, panicked = no_error)]
    fn another_argument(&self) -> Result<u32, String> {
        Ok(1)
    }
}

fn main() {}
