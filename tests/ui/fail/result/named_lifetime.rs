//! A result with a named lifetime.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn words<'a>(&self, text: &'a str) -> std::str::Split<'a, char> {
        text.split(' ')
    }
}

fn main() {}
