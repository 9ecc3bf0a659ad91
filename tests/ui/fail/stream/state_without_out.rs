//! An iterator leaves its thread, so it cannot use what the thread owns.

use offload_runtime::{StatefulPool, blocking};

#[derive(Clone)]
struct Service {
    executor: StatefulPool<Vec<u8>>,
}

impl Service {
    #[blocking(stream)]
    fn numbers(&self, #[state] numbers: &mut Vec<u8>) -> impl Iterator<Item = u8> + use<> {
        numbers.clone().into_iter()
    }
}

fn main() {}
