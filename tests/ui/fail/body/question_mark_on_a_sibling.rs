//! A body that calls another such method has a future: it calls the twin, which `sync = parse_sync` keeps.

use offload_runtime::{Error, ThreadPool, blocking};

#[derive(Clone)]
struct Numbers {
    executor: ThreadPool,
}

impl Numbers {
    #[blocking]
    fn parse(&self, text: &str) -> Result<u8, Error> {
        Ok(u8::try_from(text.len()).unwrap())
    }

    #[blocking]
    fn next(&self, text: &str) -> Result<u8, Error> {
        Ok(self.parse(text)? + 1)
    }
}

fn main() {}
