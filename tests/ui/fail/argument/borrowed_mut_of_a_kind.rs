//! What to take instead of `&mut` is said in the types of the method.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn read(&self, buffer: &mut [u8], each: &mut dyn FnMut(&[u8])) -> usize {
        each(buffer);
        buffer.len()
    }
}

fn main() {}
