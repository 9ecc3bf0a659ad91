//! Without the option, the field is `executor`.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Users {
    pool: ThreadPool,
}

impl Users {
    #[blocking]
    fn find(&self) -> u32 {
        1
    }
}

fn main() {}
