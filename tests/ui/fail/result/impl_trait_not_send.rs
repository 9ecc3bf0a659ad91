//! An `impl Trait` result must be `Send` as well.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn adder(&self) -> impl Fn(u32) -> u32 {
        let one = std::rc::Rc::new(1);
        move |n: u32| n + *one
    }
}

fn main() {}
