//! Names that users choose and generated code could have chosen too.

use crate::run;
use offload_runtime::{ThreadPool, blocking};

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
