//! A name that begins with a capital is a value: a static, a constant or a unit struct. A field is `self.Pool`.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    #[allow(non_snake_case)]
    Pool: ThreadPool,
}

impl Service {
    #[blocking(executor = ThreadPool)]
    fn on_a_type(&self) -> u32 {
        1
    }

    #[blocking(executor = Pool)]
    fn on_a_field(&self) -> u32 {
        1
    }
}

fn main() {}
