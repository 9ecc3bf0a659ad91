//! The result says what the items are.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(stream)]
    fn nothing(&self) {}

    #[blocking(stream)]
    fn text(&self) -> impl ToString {
        "text"
    }

    #[blocking(stream)]
    fn unnamed(&self) -> impl Iterator + use<> {
        0..3
    }

    #[blocking(stream)]
    fn tuple(&self) -> (u8, u8) {
        (1, 2)
    }

    #[blocking(stream)]
    fn hidden(&self) -> std::iter::Take<impl Iterator<Item = u8>> {
        (0..3).take(2)
    }
}

trait Declared {
    #[blocking(stream)]
    fn numbers(&self) -> impl Iterator<Item = u8>;
}

fn main() {}
