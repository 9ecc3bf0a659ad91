//! `&dyn Trait` has no owned form.

use offload_runtime::{ThreadPool, blocking};
use std::fmt::Display;

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn show(&self, value: &dyn Display) -> String {
        value.to_string()
    }
}

fn main() {}
