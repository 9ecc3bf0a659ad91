//! An executor that moves with `self` must be `Clone`.

use offload_runtime::{Executor, Job, ThreadPool, blocking};

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

fn main() {}
