//! `#[blocking]` and `#[blocking()]` are the same, and a trailing comma is as good as none.

use offload_runtime::{Inline, blocking};

#[derive(Clone)]
struct Service {
    executor: Inline,
}

impl Service {
    #[blocking]
    fn bare(&self) -> u32 {
        1
    }

    #[blocking()]
    fn empty(&self) -> u32 {
        self.bare_sync()
    }

    #[blocking(sync = bare_sync,)]
    fn with_comma(&self) -> u32 {
        1
    }
}

fn main() {
    let service = Service { executor: Inline };
    drop((service.bare(), service.empty(), service.with_comma()));
}
