//! No prelude, and every name that generated code could reach for means something else.

#![no_implicit_prelude]
#![deny(warnings)]
#![forbid(unsafe_code)]
#![allow(dead_code, unused_macros, reason = "the names are there to be in the way")]

mod core {}
mod std {}
mod alloc {}
mod offload_runtime {}
mod __private {}
mod fallback {}

struct Result;
struct Option;
struct Box;
struct String;
struct Arc;
struct Cow;
struct Pin;
struct Error;
struct Self_;
struct JobHandle;
struct Lender;
struct Argument;
struct Receiver;
trait Send {}
trait Sync {}
trait Sized {}
trait Clone {
    fn clone(&self) -> u8 {
        0
    }
}
trait ToOwned {
    fn to_owned(&self) -> u8 {
        0
    }
}
trait Future {}
trait Executor {}
trait Settle {
    fn settle(self)
    where
        Self: ::core::marker::Sized,
    {
    }
    fn detach(self)
    where
        Self: ::core::marker::Sized,
    {
    }
    fn send(self)
    where
        Self: ::core::marker::Sized,
    {
    }
    fn cloned(self)
    where
        Self: ::core::marker::Sized,
    {
    }
}
impl<T> Settle for T {}
impl<T> Clone for T {}
impl<T> ToOwned for T {}
fn drop() {}
fn submit() {}
fn outcome() {}
fn borrow() {}
fn take() {}
macro_rules! site {
    () => {};
}
macro_rules! compile_error {
    () => {};
}
const NONE: u8 = 0;

#[derive(::std::clone::Clone)]
struct Service {
    executor: ::offload_runtime::ThreadPool,
    n: usize,
}

trait Called: ::core::marker::Send + ::core::marker::Sync {
    #[::offload_runtime::blocking(boxed)]
    fn called(&self, text: &str) -> usize;
}

impl Called for Service {
    #[::offload_runtime::blocking(boxed)]
    fn called(&self, text: &str) -> usize {
        self.n + text.len()
    }
}

impl Service {
    #[::offload_runtime::blocking]
    fn borrowed(&self, text: &str, more: ::std::option::Option<&str>, cow: ::std::borrow::Cow<'_, str>) -> usize {
        self.n + text.len() + more.map_or(0, str::len) + cow.len()
    }

    #[::offload_runtime::blocking(sync = twin)]
    fn owned(self, n: usize) -> ::std::result::Result<usize, ::offload_runtime::Error> {
        ::std::result::Result::Ok(self.n + n)
    }

    #[::offload_runtime::blocking(
        with(n = self.n),
        refused = ::std::convert::From::from,
        panicked = |_| ::offload_runtime::Error::Lost
    )]
    fn captured(
        &self,
        #[into] key: ::std::string::String,
        #[as_ref] text: &str,
    ) -> ::std::result::Result<usize, ::offload_runtime::Error> {
        ::std::result::Result::Ok(n + key.len() + text.len())
    }

    #[::offload_runtime::blocking(boxed = '_, refused = panic)]
    fn elided(&self, text: &str, #[into] key: ::std::string::String) -> usize {
        self.n + text.len() + key.len()
    }

    #[::offload_runtime::blocking(sync = Self::made_sync)]
    fn made((left, right): (usize, usize)) -> impl ::std::fmt::Display + ::core::marker::Send {
        left + right
    }

    #[::offload_runtime::blocking(handle)]
    fn arc(self: ::std::sync::Arc<Self>, n: usize) -> usize {
        self.n + n
    }

    #[::offload_runtime::blocking]
    fn reference_to_arc(self: &::std::sync::Arc<Self>, n: usize) -> usize {
        self.n + n
    }

    #[::offload_runtime::blocking(executor = pool)]
    fn lent(&self, pool: &::offload_runtime::StatefulPool<usize>, #[state] state: &mut usize, n: usize) -> usize {
        *state += self.n + n;
        *state
    }

    #[::offload_runtime::blocking]
    fn own_types(&self, _: Option, _: Cow, result: Result) -> Result {
        let _ = self.n;
        result
    }
}

#[::offload_runtime::blocking]
fn free(text: &str) -> usize {
    text.len()
}

#[test]
fn no_name_is_in_the_way() {
    use ::std::{assert_eq, convert::Into as _};
    let service = Service { executor: ::offload_runtime::ThreadPool::new(1), n: 1 };
    let clone = || ::std::clone::Clone::clone(&service);
    ::pollster::block_on(async {
        assert_eq!(service.borrowed("four", ::std::option::Option::Some("x"), "y".into()).await, 7);
        assert_eq!(clone().owned(1).await.ok(), ::std::option::Option::Some(2));
        assert_eq!(::std::sync::Arc::new(clone()).arc(1).await.ok(), ::std::option::Option::Some(2));
        assert_eq!(::std::sync::Arc::new(clone()).reference_to_arc(1).await, 2);
        assert_eq!(service.called("four").await, 5);
        assert_eq!(service.captured("k", "four").await.ok(), ::std::option::Option::Some(6));
        assert_eq!(service.elided("four", "k").await, 6);
        assert_eq!(::std::string::ToString::to_string(&Service::made((1, 2)).await), "3");
        assert_eq!(::std::string::ToString::to_string(&Service::made_sync((1, 2))), "3");
        let pool = ::offload_runtime::StatefulPool::new(1, || ::std::io::Result::Ok(1));
        assert_eq!(service.lent(&pool, 2).await, 4);
        let _ = service.own_types(Option, Cow, Result).await;
        assert_eq!(free("four").await, 4);
    });
}
