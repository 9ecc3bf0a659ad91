//! A type is no value: `E::default()` would be one, and so would an argument `executor: E`.

use offload_runtime::{Executor, blocking};

#[derive(Clone)]
struct Service;

impl Service {
    #[blocking(executor = E)]
    fn call<E: Executor + Default>(&self) -> u32 {
        1
    }
}

fn main() {}
