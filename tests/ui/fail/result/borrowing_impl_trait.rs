//! Where the body cannot stay, nothing else is said of an `impl Trait`, here or where it is called.

use offload_runtime::{ThreadPool, blocking};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
    numbers: Vec<u32>,
}

impl Service {
    #[blocking]
    fn all(&self) -> impl AsRef<[u32]> + '_ {
        &self.numbers
    }

    #[blocking]
    fn nested<'a>(&'a self) -> Option<(u32, impl Fn(u32) -> u32 + Send + 'a)> {
        Some((1, |n| n + self.numbers[0]))
    }

    #[blocking(handle)]
    fn handle(&mut self) -> impl Into<u32> + Send {
        self.numbers.remove(0)
    }
}

async fn calls(service: &Service) -> usize {
    let (n, count) = service.nested().await.unwrap();
    service.all().await.as_ref().len() + count(n) as usize
}

async fn calls_mutably(mut service: Service) -> u32 {
    service.handle().await.unwrap().into()
}

fn main() {}
