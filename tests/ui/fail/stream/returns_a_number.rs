//! A body that sends can only end the items.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(stream)]
    fn count(&self, #[out] out: &mut Yielder<u8>) -> usize {
        usize::from(out.send(1).is_ok())
    }
}

fn main() {}
