//! A stream keeps its executor.

use offload_runtime::{Executor, Job, blocking};

struct Unshared;

impl Executor for Unshared {
    fn execute(&self, job: Job) {
        job.run();
    }
}

#[derive(Clone)]
struct Service {
    executors: std::sync::Arc<(Unshared,)>,
}

impl Service {
    #[blocking(stream, executor = self.executors.0)]
    fn numbers(&self) -> std::ops::Range<u8> {
        0..3
    }
}

fn main() {}
