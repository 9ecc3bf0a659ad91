//! The error of the items has to hold a refusal, or the attribute says what becomes of it.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking(stream)]
    fn pulled(&self) -> impl Iterator<Item = Result<u8, std::num::ParseIntError>> + use<> {
        ["1"].into_iter().map(str::parse)
    }

    #[blocking(stream)]
    fn sent(&self, #[out] out: &mut offload_runtime::Yielder<u8>) -> Result<(), std::fmt::Error> {
        let _ = out.send(1);
        Ok(())
    }

    #[blocking(stream, refused = panic)]
    fn told(&self) -> impl Iterator<Item = Result<u8, std::num::ParseIntError>> + use<> {
        ["1"].into_iter().map(str::parse)
    }
}

fn main() {}
