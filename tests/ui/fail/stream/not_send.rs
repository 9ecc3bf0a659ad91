//! The iterator moves between threads, and keeps nothing of the arguments.

use offload_runtime::{ThreadPool, blocking};
use std::rc::Rc;

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(stream)]
    fn shared(&self) -> impl Iterator<Item = u8> + use<> {
        let numbers = Rc::new([1_u8, 2]);
        (0..2).map(move |at| numbers[at])
    }

    #[blocking(stream)]
    fn words(&self, text: &str) -> impl Iterator<Item = &'static str> + use<'_> {
        text.split(' ')
    }
}

fn main() {}
