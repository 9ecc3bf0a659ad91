//! A future that holds something else is the caller's affair, and said so.

use offload_runtime::{ThreadPool, blocking};
use std::cell::Cell;

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn find(&self, key: &Cell<u32>) -> u32 {
        key.get()
    }
}

fn assert_send<T: Send>(_: T) {}

fn main() {
    let service = Service { executor: ThreadPool::new(1) };
    assert_send(service.find(&Cell::new(1)));
}
