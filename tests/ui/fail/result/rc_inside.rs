//! An `Rc` held inside the result.

use offload_runtime::{ThreadPool, blocking};
use std::rc::Rc;

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn shared(&self) -> Result<Vec<Rc<u32>>, offload_runtime::Error> {
        Ok(vec![Rc::new(1)])
    }
}

fn main() {}
