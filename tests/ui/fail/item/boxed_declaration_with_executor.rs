//! A declaration chooses no executor.

use offload_runtime::blocking;

trait Find {
    #[blocking(boxed, executor = io)]
    fn find(&self) -> u32;
}

fn main() {}
