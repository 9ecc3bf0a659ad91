//! A guard of a lock cannot be handed over.

use offload_runtime::{ThreadPool, blocking};
use std::sync::{Mutex, MutexGuard};

static COUNT: Mutex<u32> = Mutex::new(0);

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn lock(&self) -> MutexGuard<'static, u32> {
        COUNT.lock().unwrap()
    }
}

fn main() {}
