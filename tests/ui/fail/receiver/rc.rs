//! An `Rc` cannot cross.

use offload_runtime::{ThreadPool, blocking};
use std::rc::Rc;

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn find(self: Rc<Self>) -> u32 {
        1
    }
}

fn main() {}
