//! An executor that moves with `self` must be `Clone`.

use offload_runtime::{Executor, Job, ThreadPool, blocking};
use std::sync::Arc;

struct Single(ThreadPool);

impl Executor for Single {
    fn execute(&self, job: Job) {
        self.0.execute(job);
    }
}

struct Users {
    executor: Single,
}

impl Users {
    #[blocking]
    fn close(self) {}
}

struct Shared {
    executor: Arc<dyn Executor>,
}

impl Shared {
    #[blocking(executor = *self.executor)]
    fn count(self) -> usize {
        let _ = self;
        1
    }
}

fn main() {}
