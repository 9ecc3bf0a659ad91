//! A boxed future cannot give an `impl Trait`.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(boxed)]
    fn shown(&self) -> impl std::fmt::Display {
        3
    }
}

fn main() {}
