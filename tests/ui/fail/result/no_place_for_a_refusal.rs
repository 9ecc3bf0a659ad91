//! An error type that is not `From<offload_runtime::Error>` is told at its own place, with the ways out.

use offload_runtime::{ThreadPool, blocking};
use std::num::ParseIntError;

type Parsed<T> = Result<T, ParseIntError>;

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn parse(&self, text: &str) -> Result<u32, ParseIntError> {
        text.parse()
    }

    #[blocking]
    fn alias(&self, text: &str) -> Parsed<u32> {
        text.parse()
    }

    #[blocking(boxed)]
    fn generic<E: Send + 'static>(&self) -> Result<u32, E> {
        Ok(1)
    }
}

fn main() {}
