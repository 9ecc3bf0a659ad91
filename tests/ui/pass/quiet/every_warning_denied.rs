//! Under `deny(warnings)` and `forbid(unsafe_code)`, an unused method is the only thing the compiler speaks of.

#![deny(warnings, missing_docs, unreachable_pub)]
#![forbid(unsafe_code)]

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
    n: usize,
}

impl Service {
    #[blocking]
    fn count(&self, text: &str, (a, _): (usize, u8), _unused: String, _: u8) -> usize {
        self.n + text.len() + a
    }

    #[blocking(wait)]
    fn waits(&self, text: &str, (a, _): (usize, u8), _unused: String) -> usize {
        self.n + text.len() + a
    }

    #[allow(dead_code)]
    #[blocking(sync = never_called_sync)]
    fn never_called(&self, mut n: usize) -> usize {
        n += self.n;
        n
    }
}

fn main() {
    let service = Service { executor: ThreadPool::new(1), n: 1 };
    drop(service.count("four", (1, 2), String::new(), 3));
    drop(service.waits("four", (1, 2), String::new()));
}
