//! A declaration in a trait has nothing to run.

use offload_runtime::blocking;

trait Find {
    #[blocking]
    fn find(&self) -> u32;
}

fn main() {}
