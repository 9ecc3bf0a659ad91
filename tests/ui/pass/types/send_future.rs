//! The future is `Send` where what the caller lends is `Sync`, and need not be where it is not.

use offload_runtime::{Inline, blocking};
use std::cell::Cell;
use std::future::Future;

#[derive(Clone)]
struct Shared {
    executor: Inline,
    n: u32,
}

#[derive(Clone)]
struct Local {
    executor: Inline,
    n: Cell<u32>,
}

impl Shared {
    #[blocking]
    fn get(&self, text: &str) -> u32 {
        self.n + u32::try_from(text.len()).unwrap_or(0)
    }
}

impl Local {
    #[blocking]
    fn get(&self) -> u32 {
        self.n.get()
    }
}

fn is_send<F: Future<Output = u32> + Send>(_: F) {}
fn is_future<F: Future<Output = u32>>(_: F) {}

fn main() {
    is_send(Shared { executor: Inline, n: 1 }.get("text"));
    is_future(Local { executor: Inline, n: Cell::new(1) }.get());
}
