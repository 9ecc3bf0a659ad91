//! Where a blocking function may stand: impls, traits, modules, functions, `macro_rules!`.

use crate::{Service, on_worker, run};
use async_trait::async_trait;
use offload_runtime::{ThreadPool, blocking};
use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;

trait Async {
    async fn find(&self, word: &str) -> Option<usize>;
    async fn count(self: Arc<Self>) -> usize;
}

impl Async for Service {
    #[blocking]
    fn find(&self, word: &str) -> Option<usize> {
        self.words.iter().position(|known| known == word)
    }

    #[blocking]
    fn count(self: Arc<Self>) -> usize {
        self.words.len()
    }
}

trait Declared {
    fn find_it(&self, word: &str) -> impl Future<Output = Option<usize>> + Send;
}

impl Declared for Service {
    #[blocking]
    fn find_it(&self, word: &str) -> Option<usize> {
        self.words.iter().position(|known| known == word)
    }
}

trait Default: Clone + Send + Sync + 'static {
    fn pool(&self) -> &ThreadPool;
    fn size(&self) -> usize;

    #[blocking(executor = self.pool(), sync = double_sync)]
    fn double(&self, n: usize) -> usize {
        self.size() * n
    }

    #[blocking]
    fn without_self(text: &str) -> usize {
        text.len()
    }
}

impl Default for Service {
    fn pool(&self) -> &ThreadPool {
        &self.executor
    }

    fn size(&self) -> usize {
        self.words.len()
    }
}

async fn through_a_bound<T: Default + Async>(service: &T) -> (usize, Option<usize>) {
    (service.double(2).await, service.find("grace").await)
}

#[test]
fn traits_are_implemented() {
    let service = Service::new();
    run(async {
        assert_eq!(service.find("grace").await, Some(1));
        assert_eq!(Arc::new(service.clone()).count().await, 3);
        assert_eq!(service.find_it("grace").await, Some(1));
        assert_eq!(service.double(2).await + service.double_sync(2), 12);
        assert_eq!(Service::without_self("four").await, 4);
        assert_eq!(through_a_bound(&service).await, (6, Some(1)));
    });
}

#[async_trait]
trait Repo: Send + Sync {
    async fn find_by(&self, word: &str, from: Option<&str>, of: Cow<'_, str>) -> Option<usize>;
    async fn named<'a>(&'a self, word: &'a str, (a, _): (u8, u8)) -> usize;
    async fn generic<T: Clone + Send + Sync + 'static>(&self, value: &T, list: Vec<T>) -> usize
    where
        Self: Sized;
    async fn shared(self: Arc<Self>, n: usize) -> usize;
    async fn defaulted(&self, n: usize) -> usize {
        n
    }
    async fn callback(
        &self,
        f: for<'a> fn(&'a str) -> usize,
        g: Box<dyn for<'a> Fn(&'a str) -> &'a str + Send>,
    ) -> usize;
}

#[async_trait]
impl Repo for Service {
    #[blocking(boxed)]
    fn find_by(&self, word: &str, from: Option<&str>, of: Cow<'_, str>) -> Option<usize> {
        assert!(on_worker());
        self.words.iter().position(|known| known == word).map(|at| at + from.map_or(0, str::len) + of.len())
    }

    #[blocking(boxed)]
    fn named<'a>(&'a self, word: &'a str, (a, _): (u8, u8)) -> usize {
        word.len() + usize::from(a) + self.words.len()
    }

    #[blocking(boxed)]
    fn generic<T: Clone + Send + Sync + 'static>(&self, value: &T, list: Vec<T>) -> usize {
        let _ = value;
        list.len() + self.words.len()
    }

    #[blocking(boxed)]
    fn shared(self: Arc<Self>, n: usize) -> usize {
        self.words.len() + n
    }

    #[blocking(boxed)]
    fn defaulted(&self, n: usize) -> usize {
        self.words.len() + n
    }

    #[blocking(boxed)]
    fn callback(&self, f: for<'a> fn(&'a str) -> usize, g: Box<dyn for<'a> Fn(&'a str) -> &'a str + Send>) -> usize {
        f(g(&self.words[0]))
    }
}

#[test]
fn an_async_trait_is_implemented_and_called_through_dyn() {
    let repo: Arc<dyn Repo> = Arc::new(Service::new());
    run(async {
        assert_eq!(repo.find_by("grace", Some("x"), "y".into()).await, Some(3));
        assert_eq!(repo.named("four", (1, 2)).await, 8);
        assert_eq!(repo.defaulted(1).await, 4);
        assert_eq!(repo.callback(str::len, Box::new(|text| text)).await, 3);
        assert_eq!(Arc::clone(&repo).shared(1).await, 4);
        assert_eq!(Service::new().generic(&1, vec![2]).await, 4);
    });
}

/// A `dyn` trait without async-trait: the attribute declares as well.
trait Plain: Send + Sync {
    #[blocking(boxed)]
    fn look_up(&self, word: &str, from: usize) -> Option<usize>;

    #[blocking(boxed)]
    fn size_of(text: String) -> usize
    where
        Self: Sized,
    {
        text.len()
    }
}

impl Plain for Service {
    #[blocking(boxed)]
    fn look_up(&self, word: &str, from: usize) -> Option<usize> {
        self.words.iter().skip(from).position(|known| known == word)
    }
}

#[test]
fn a_plain_dyn_trait_is_declared_implemented_and_called() {
    let plain: Arc<dyn Plain> = Arc::new(Service::new());
    assert_eq!(run(plain.look_up("grace", 0)), Some(1));
    assert_eq!(run(<Service as Plain>::size_of("four".to_owned())), 4);
}

struct Borrowing<'a> {
    executor: &'a ThreadPool,
}

impl<'p> Borrowing<'p> {
    #[blocking(boxed)]
    fn len(&self, text: &'p str) -> usize {
        text.len()
    }
}

#[test]
fn a_boxed_method_may_name_lifetimes_of_its_impl() {
    let pool = ThreadPool::new(1);
    assert_eq!(run(Borrowing { executor: &pool }.len("four")), 4);
}

mod inner {
    use offload_runtime::blocking;

    #[blocking]
    pub(super) fn free(text: &str, mut n: usize) -> usize {
        n += text.len();
        n
    }
}

#[test]
fn functions_stand_free_and_inside_functions() {
    #[blocking]
    fn local(text: &str) -> usize {
        #[blocking(sync = nested_sync)]
        fn nested(n: usize) -> usize {
            n + 1
        }
        let _ = nested;
        nested_sync(text.len())
    }
    assert_eq!(run(inner::free("four", 1)), 5);
    assert_eq!(run(local("four")), 5);
}

macro_rules! methods {
    ($type:ident { $($vis:vis fn $name:ident(&$self:ident, $arg:ident : $arg_ty:ty) -> $ret:ty $body:block)* }) => {
        impl $type {
            $(
                #[blocking]
                $vis fn $name(&$self, $arg: $arg_ty) -> $ret $body
            )*
        }
    };
}

methods! {
    Service {
        pub(crate) fn from_fragments(&self, text: &str) -> usize { self.words.len() + text.len() }
        fn from_fragments_owned(&self, text: Option<&str>) -> Option<usize> { text.map(|text| text.len() + self.words.len()) }
    }
}

macro_rules! whole {
    ($($method:item)*) => {
        $(
            #[blocking]
            $method
        )*
    };
}

macro_rules! written_here {
    ($type:ident, $name:ident, $field:ident, $n:expr) => {
        impl $type {
            #[blocking(executor = $field, sync = written_here_sync)]
            fn $name(&self, text: &str) -> usize {
                let n = $n;
                self.words.len() + text.len() + n
            }
        }
    };
}

written_here!(Service, written, executor, 1);

macro_rules! lifetimes {
    ($lt:lifetime, $fixed:lifetime) => {
        impl Service {
            #[blocking(sync = lifetime_sync)]
            fn lifetime<$lt>(&$lt self, text: &$lt str, cow: std::borrow::Cow<$lt, str>) -> usize {
                self.words.len() + text.len() + cow.len()
            }

            #[blocking(boxed)]
            fn lifetime_boxed<$lt>(self: &$lt Arc<Self>, text: Option<&$lt str>, more: &str) -> &$fixed str
            where
                Self: $lt,
            {
                let _: (Option<&str>, &str) = (text, more);
                "fixed"
            }
        }
    };
}

lifetimes!('a, 'static);

macro_rules! passed_tokens {
    ($($tokens:tt)*) => {
        impl Service {
            #[blocking(executor = self.executor)]
            $($tokens)*
        }
    };
}

passed_tokens! {
    fn from_tokens(&self, mut n: usize) -> usize { n += 1; self.words.len() + n }
}

whole! {
    fn whole_item(text: &str) -> usize { text.len() }
}

#[test]
fn macro_rules_may_write_the_method() {
    let service = Service::new();
    run(async {
        assert_eq!(service.from_fragments("four").await, 7);
        assert_eq!(service.from_fragments_owned(Some("four")).await, Some(7));
        assert_eq!(service.written("four").await, 8);
        assert_eq!(service.from_tokens(1).await, 5);
        assert_eq!(whole_item("four").await, 4);
        assert_eq!(service.lifetime("four", "x".into()).await, 8);
        assert_eq!(service.lifetime_sync("four", "x".into()), 8);
        assert_eq!(Arc::new(service.clone()).lifetime_boxed(Some("four"), "").await, "fixed");
    });
}
