//! A write to the clone of a `Cell` would be lost.

use offload_runtime::{ThreadPool, blocking};
use std::cell::Cell;

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn count(&self, hits: &Cell<u32>, more: Option<&Cell<u32>>) {
        hits.set(hits.get() + more.map_or(1, Cell::get));
    }

    #[blocking]
    fn generic<T: Clone + Send + 'static>(&self, value: &T) {
        let _ = value;
    }
}

fn main() {}
