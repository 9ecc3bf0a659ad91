//! The attribute on the impl block shows it the lifetime of the type.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Users<'a> {
    executor: ThreadPool,
    names: &'a [String],
}

#[blocking]
impl<'a> Users<'a> {
    #[blocking]
    fn count(&self) -> usize {
        self.names.len()
    }

    #[blocking(with(names = self.names.to_owned()))]
    fn owned(&self) -> usize {
        names.len()
    }
}

fn main() {}
