//! A type that borrows by a parameter of its own, as tauri's `State` does.

use offload_runtime::{ThreadPool, blocking};

struct State<'r, T>(&'r T);

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn read(&self, state: State<'_, u32>) -> u32 {
        *state.0
    }
}

fn main() {}
