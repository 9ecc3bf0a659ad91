//! A type parameter: the message asks for `Clone`, and the compiler advises no private trait.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn parameter<T: Send + 'static>(&self, key: &T) {
        let _ = key;
    }

    #[blocking]
    fn unnamed(&self, key: &impl ToString) -> String {
        key.to_string()
    }

    #[blocking]
    fn optional<T: Send + 'static>(&self, key: Option<&T>) {
        let _ = key;
    }
}

fn main() {}
