//! The usual field is no executor.

use offload_runtime::blocking;

#[derive(Clone)]
struct Users {
    executor: String,
}

impl Users {
    #[blocking]
    fn find(&self) -> u32 {
        1
    }
}

fn main() {}
