//! What is not an executor has no room to wait for: the error is that of a method that does not wait.

use offload_runtime::blocking;

#[derive(Clone)]
struct Service {
    executor: String,
}

impl Service {
    #[blocking(wait)]
    fn find(&self, key: &str) -> usize {
        key.len()
    }
}

fn main() {}
