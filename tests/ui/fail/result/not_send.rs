//! The result must be `Send`.

use offload_runtime::{ThreadPool, blocking};
use std::rc::Rc;

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn shared(&self) -> Rc<u32> {
        Rc::new(1)
    }
}

fn main() {}
