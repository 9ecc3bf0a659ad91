//! What crosses is encoded.

use offload_runtime::blocking;
use offload_runtime::process::ProcessPool;

struct Rectangle(u32, u32);

struct Service {
    workers: ProcessPool,
}

impl Service {
    #[blocking(remote, executor = workers)]
    fn area(&self, rectangle: Rectangle) -> u32 {
        rectangle.0 * rectangle.1
    }
}

fn main() {}
