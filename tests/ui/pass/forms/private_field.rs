//! The executor may be private to the module of its struct.

use offload_runtime::Inline;

mod service {
    use offload_runtime::{Inline, blocking};

    #[derive(Clone)]
    pub struct Service {
        hidden: Inline,
    }

    impl Service {
        pub fn new(hidden: Inline) -> Self {
            Self { hidden }
        }

        #[blocking(executor = hidden)]
        pub fn call(&self) -> u32 {
            1
        }
    }
}

fn main() {
    drop(service::Service::new(Inline).call());
}
