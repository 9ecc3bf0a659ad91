//! An owned argument must be `Send`.

use offload_runtime::{ThreadPool, blocking};
use std::rc::Rc;

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn count(&self, names: Rc<Vec<String>>) -> usize {
        names.len()
    }
}

fn main() {}
