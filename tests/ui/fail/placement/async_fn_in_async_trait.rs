//! `async fn` inside `#[async_trait]`, as that attribute has rewritten it when `#[blocking]` sees it: one error.

use offload_runtime::{ThreadPool, blocking};
use std::future::Future;
use std::pin::Pin;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

trait Find {
    fn find<'life0, 'life1, 'async_trait>(&'life0 self, email: &'life1 str) -> Boxed<'async_trait, usize>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait;
}

#[derive(Clone)]
struct Users {
    executor: ThreadPool,
}

impl Find for Users {
    #[blocking(boxed)]
    fn find<'life0, 'life1, 'async_trait>(
        &'life0 self,
        email: &'life1 str,
    ) -> Pin<Box<dyn Future<Output = usize> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move { email.len() })
    }
}

fn main() {}
