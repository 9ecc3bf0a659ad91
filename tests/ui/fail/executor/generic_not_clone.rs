//! An executor of any type, cloned before `self` moves.

use offload_runtime::{Executor, blocking};

struct Service<E> {
    executor: E,
    n: u32,
}

impl<E: Executor + 'static> Service<E> {
    #[blocking]
    fn count(self) -> u32 {
        self.n
    }
}

fn main() {}
