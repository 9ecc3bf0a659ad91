//! What `&T` is cloned into must be `Send`.

use offload_runtime::{ThreadPool, blocking};
use std::rc::Rc;

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn count(&self, names: &Rc<u32>) -> u32 {
        **names
    }
}

fn main() {}
