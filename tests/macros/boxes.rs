//! `boxed` for traits that are not async-trait's.

use crate::{Service, on_worker, run};
use async_trait::async_trait;
use futures::future::BoxFuture;
use offload_runtime::blocking;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

trait Find: Send + Sync {
    fn find(&self, word: &str, more: Vec<u8>) -> BoxFuture<'_, Option<usize>>;
    fn pinned(&self, from: Option<&str>) -> Pin<Box<dyn Future<Output = usize> + Send + '_>>;
    fn named<'a>(&'a self, word: &'a str) -> BoxFuture<'a, usize>;
    fn owned(self: Arc<Self>, word: &str) -> BoxFuture<'static, usize>;
}

impl Find for Service {
    #[blocking(boxed = '_)]
    fn find(&self, word: &str, more: Vec<u8>) -> Option<usize> {
        assert!(on_worker());
        Some(self.words.iter().position(|known| known == word)? + more.len())
    }

    #[blocking(boxed = '_)]
    fn pinned(&self, from: Option<&str>) -> usize {
        self.words.len() + from.map_or(0, str::len)
    }

    #[blocking(boxed = 'a)]
    fn named<'a>(&'a self, word: &'a str) -> usize {
        self.words.len() + word.len()
    }

    #[blocking(boxed = 'static)]
    fn owned(self: Arc<Self>, word: &str) -> usize {
        self.words.len() + word.len()
    }
}

#[test]
fn a_boxed_future_has_the_lifetime_that_the_trait_gives_it() {
    let find: Arc<dyn Find> = Arc::new(Service::new());
    let future = {
        let word = "grace".to_owned();
        find.find(&word, vec![1])
    };
    assert_eq!(run(future), Some(2));
    assert_eq!(run(find.pinned(Some("x"))), 4);
    assert_eq!(run(find.named("four")), 7);
    assert_eq!(run(find.owned("four")), 7);
}

#[async_trait(?Send)]
trait Local {
    async fn count(&self, word: &str) -> usize;
}

#[async_trait(?Send)]
impl Local for Service {
    #[blocking(boxed = ?Send)]
    fn count(&self, word: &str) -> usize {
        self.words.len() + word.len()
    }
}

trait LocalPlain {
    fn count_it(&self) -> Pin<Box<dyn Future<Output = usize> + '_>>;
}

impl LocalPlain for Service {
    #[blocking(boxed = '_ + ?Send)]
    fn count_it(&self) -> usize {
        self.words.len()
    }
}

#[async_trait]
trait Conditional {
    async fn generic<'a, T: Send + 'static>(&'a self, value: T) -> usize;
}

#[async_trait]
impl Conditional for Service {
    #[blocking(boxed)]
    fn generic<#[cfg(any())] 'b, 'a, #[cfg(any())] U, #[cfg(not(any()))] T: Send + 'static>(
        &'a self,
        value: T,
    ) -> usize {
        drop(value);
        self.words.len()
    }
}

#[test]
fn a_boxed_future_need_not_be_send() {
    let service = Service::new();
    assert_eq!(run(Local::count(&service, "four")), 7);
    assert_eq!(run(service.count_it()), 3);
    assert_eq!(run(service.generic(1)), 3);
}
