//! A borrow that the spelling does not show is found by the compiler.

use offload_runtime::{ThreadPool, blocking};

struct Words<'a>(&'a [String]);

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn show(&self, words: Words) -> usize {
        words.0.len()
    }
}

fn main() {}
