//! A `Self` with a `RefCell` inside would be cloned, and a write to the clone lost.

use offload_runtime::{ThreadPool, blocking};
use std::cell::RefCell;

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
    names: RefCell<Vec<String>>,
}

impl Service {
    #[blocking]
    fn push(&self, name: &str) {
        self.names.borrow_mut().push(name.to_owned());
    }
}

fn main() {}
