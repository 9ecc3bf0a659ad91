//! A comma left out: the options are read as if it were there, so that one error stands for each.

use offload_runtime::{JobHandle, ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    io: ThreadPool,
}

impl Service {
    #[blocking(executor = io handle)]
    fn count(&self) -> usize {
        1
    }

    #[blocking(handle executor = self.pool(1) sync = twin)]
    fn other(&self) -> usize {
        1
    }

    fn pool(&self, _: u8) -> &ThreadPool {
        &self.io
    }
}

fn calls(service: &Service) -> (JobHandle<usize>, JobHandle<usize>, usize) {
    (service.count(), service.other(), service.twin())
}

fn main() {}
