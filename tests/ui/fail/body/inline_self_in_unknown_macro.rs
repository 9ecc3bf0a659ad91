//! In a macro that is not known to format, `{self}` stays and is not the worker's.

use offload_runtime::{ThreadPool, blocking};

macro_rules! shout {
    ($text:literal) => {
        format!($text)
    };
}

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn show(&self) -> String {
        shout!("{self:?}")
    }
}

fn main() {}
