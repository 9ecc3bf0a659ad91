//! A borrow inside a tuple.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn join(&self, (left, right): (&str, String)) -> String {
        left.to_owned() + &right
    }
}

fn main() {}
