//! A result with a borrow inside.

use offload_runtime::{ThreadPool, blocking};
use std::borrow::Cow;

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn words(&self, text: &str) -> Vec<Cow<'_, str>> {
        vec![Cow::Borrowed(text)]
    }
}

fn main() {}
