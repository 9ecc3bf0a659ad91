//! `#[out]` is one argument of a stream, of one type.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn no_stream(&self, #[out] out: &mut Yielder<u8>) {
        let _ = out.send(1);
    }

    #[blocking(stream)]
    fn two(&self, #[out] first: &mut Yielder<u8>, #[out] second: &mut Yielder<u8>) {
        let _ = (first.send(1), second.send(2));
    }

    #[blocking(stream)]
    fn other_type(&self, #[out] out: &mut Vec<u8>, #[out] _other: Yielder<u8>) {
        out.push(1);
    }

    #[blocking(stream)]
    fn by_value(&self, #[out] out: Yielder<u8>) {
        drop(out);
    }

    #[blocking(stream)]
    fn both(&self, #[out] out: &mut Yielder<u8>) -> impl Iterator<Item = u8> + use<> {
        let _ = out.send(1);
        0..3
    }
}

fn main() {}
