//! A method that never returns.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn serve(&self) -> ! {
        loop {}
    }
}

fn main() {}
