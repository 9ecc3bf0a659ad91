//! `Self` must be `Send`.

use offload_runtime::{ThreadPool, blocking};
use std::rc::Rc;

#[derive(Clone)]
struct Users {
    executor: ThreadPool,
    names: Rc<Vec<String>>,
}

impl Users {
    #[blocking]
    fn count(&self) -> usize {
        self.names.len()
    }
}

fn main() {}
