//! Names that users choose and generated code could have chosen too.

use crate::{Service, run};
use offload_runtime::{ThreadPool, blocking};
use std::sync::Arc;

#[derive(Clone)]
struct Names {
    executor: ThreadPool,
    job: u32,
    handle: u32,
    site: u32,
    result: u32,
    this: u32,
    __self: u32,
    r#type: u32,
}

impl Names {
    #[blocking]
    fn call(
        &self,
        executor: u32,
        job: u32,
        handle: u32,
        site: &u32,
        result: u32,
        this: u32,
        __self: u32,
        r#type: u32,
        r#fn: &str,
        outcome: u32,
        args: u32,
        detach: u32,
        borrow: u32,
        submit: u32,
        take: u32,
    ) -> u32 {
        let own = self.job + self.handle + self.site + self.result + self.this + self.__self + self.r#type;
        let more = executor + job + handle + site + result + this + __self + r#type + outcome + args;
        let len = u32::try_from(r#fn.len()).unwrap();
        own + more + len + detach + borrow + submit + take
    }

    #[blocking(sync = r#try)]
    fn r#match(&self, r#loop: u32) -> u32 {
        self.r#type + r#loop
    }
}

#[test]
fn no_name_collides() {
    let names =
        Names { executor: ThreadPool::new(1), job: 1, handle: 1, site: 1, result: 1, this: 1, __self: 1, r#type: 1 };
    assert_eq!(run(names.call(1, 1, 1, &1, 1, 1, 1, 1, "1", 1, 1, 1, 1, 1, 1)), 7 + 10 + 1 + 4);
    assert_eq!(run(names.r#match(1)), 2);
    assert_eq!(names.r#try(1), 2);
}

impl Service {
    #[blocking(sync = r#loop)]
    fn raw_lifetime<'r#fn>(&'r#fn self, r#type: &'r#fn str, r#in: Option<&'r#fn str>) -> usize {
        r#type.len() + r#in.map_or(0, str::len) + self.words.len()
    }

    #[blocking(boxed)]
    fn raw_lifetime_boxed<'r#fn>(self: &'r#fn Arc<Self>, r#type: std::borrow::Cow<'r#fn, str>, more: &str) -> usize {
        r#type.len() + more.len() + self.words.len()
    }

    /// `self_` is what `self` is called on the worker, unless there is one already.
    #[blocking]
    fn own_self_(&self, self_: usize) -> usize {
        self_ + self.words.len()
    }

    #[blocking]
    fn local_self_(&self) -> usize {
        let self_ = 10;
        self_ + self.words.len()
    }
}

#[test]
fn raw_names_and_lifetimes_are_names() {
    let service = Service::new();
    assert_eq!(run(service.raw_lifetime("four", Some("x"))), 8);
    assert_eq!(service.r#loop("four", None), 7);
    assert_eq!(run(Arc::new(service).raw_lifetime_boxed("four".into(), "x")), 8);
}

#[test]
fn a_name_of_the_users_is_not_met() {
    assert_eq!(run(Service::new().own_self_(10)), 13);
    assert_eq!(run(Service::new().local_self_()), 13);
}
