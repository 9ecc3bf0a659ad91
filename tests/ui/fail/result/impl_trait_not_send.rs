//! An `impl Trait` result must be `Send` as well.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn numbers(&self) -> impl Iterator<Item = u32> {
        let one = std::rc::Rc::new(1);
        (0..3).map(move |n| n + *one)
    }
}

fn main() {}
