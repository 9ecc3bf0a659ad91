//! The future is `Send`, as all that the caller lends is `Sync`.

use offload_runtime::{Inline, blocking};
use std::future::Future;

#[derive(Clone)]
struct Shared {
    executor: Inline,
    n: u32,
}

impl Shared {
    #[blocking]
    fn get(&self, text: &str) -> u32 {
        self.n + u32::try_from(text.len()).unwrap_or(0)
    }
}

fn is_send<F: Future<Output = u32> + Send>(_: F) {}

fn main() {
    is_send(Shared { executor: Inline, n: 1 }.get("text"));
}
