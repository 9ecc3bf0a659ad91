//! A moved `self` must be `Send`.

use offload_runtime::{ThreadPool, blocking};
use std::rc::Rc;

struct Users {
    executor: ThreadPool,
    names: Rc<Vec<String>>,
}

impl Users {
    #[blocking]
    fn count(self) -> usize {
        self.names.len()
    }
}

fn main() {}
