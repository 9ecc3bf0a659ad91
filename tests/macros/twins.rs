//! The synchronous twin: one body, found where it is, whatever else has its name.

use crate::{on_worker, run};
use offload_runtime::{Error, ThreadPool, blocking};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A trait that declares both forms, as is common.
trait Find {
    async fn find(&self, word: &str) -> usize;
    fn find_sync(&self, word: &str) -> usize;
}

/// Another one with a method of the same name.
trait FindElsewhere {
    fn find_sync(&self, word: &str) -> usize;
}

#[derive(Clone)]
struct Users {
    executor: ThreadPool,
}

impl Users {
    /// In the way: an inherent method is found before that of a trait.
    fn find_sync(&self, _: &str) -> usize {
        100
    }
}

impl Find for Users {
    #[blocking(sync = Find::find_sync)]
    fn find(&self, word: &str) -> usize {
        word.len() + usize::from(on_worker()) * 10
    }
}

impl FindElsewhere for Users {
    fn find_sync(&self, _: &str) -> usize {
        200
    }
}

trait Count<T> {
    async fn count(self, values: Vec<T>) -> usize;
    fn count_sync(self, values: Vec<T>) -> usize;
}

impl<T: Send + 'static> Count<T> for Users {
    #[blocking(sync = Count<T>::count_sync)]
    fn count(self, values: Vec<T>) -> usize {
        values.len()
    }
}

#[test]
fn a_twin_in_the_impl_of_a_trait_is_that_of_the_trait() {
    let users = Users { executor: ThreadPool::new(1) };
    assert_eq!(run(users.find("four")), 14);
    assert_eq!(Find::find_sync(&users, "four"), 4);
    assert_eq!((users.find_sync(""), FindElsewhere::find_sync(&users, "")), (100, 200));
    assert_eq!(run(users.clone().count(vec![1, 2])), 2);
    assert_eq!(Count::count_sync(users, vec![1, 2]), 2);
}

#[blocking(sync = next_sync)]
fn next() -> usize {
    static COUNTER: AtomicUsize = AtomicUsize::new(0);
    COUNTER.fetch_add(1, Ordering::SeqCst)
}

impl Users {
    #[blocking(sync = Self::next_id_sync)]
    fn next_id() -> usize {
        static COUNTER: AtomicUsize = AtomicUsize::new(0);
        COUNTER.fetch_add(1, Ordering::SeqCst)
    }

    #[blocking(sync = conditional_sync)]
    fn conditional(&self, #[cfg(any())] gone: NoSuchType, #[cfg(not(any()))] kept: usize, last: &str) -> usize {
        static COUNTER: AtomicUsize = AtomicUsize::new(0);
        COUNTER.fetch_add(kept, Ordering::SeqCst) + last.len()
    }
}

#[test]
fn there_is_one_body_and_so_one_static() {
    assert_eq!([run(next()), next_sync(), run(next())], [0, 1, 2]);
    assert_eq!([run(Users::next_id()), Users::next_id_sync(), run(Users::next_id())], [0, 1, 2]);
    let users = Users { executor: ThreadPool::new(1) };
    assert_eq!(
        [run(users.conditional(1, "")), users.conditional_sync(1, ""), run(users.conditional(1, "x"))],
        [0, 1, 3]
    );
}

struct Wrapped<T>(T);

impl Users {
    #[blocking(sync = patterns_sync)]
    fn patterns(&self, Wrapped(mut n): Wrapped<usize>, (a, _): (usize, String), [x, y]: [usize; 2]) -> usize {
        n += 3;
        let _ = self;
        n + a + x + y
    }

    #[blocking(sync = generic_sync)]
    fn generic<#[cfg(any())] U, #[cfg(not(any()))] T: ToString + Send + 'static>(&self, value: T) -> String {
        value.to_string()
    }
}

#[test]
fn patterns_and_conditional_generics_reach_the_twin() {
    let service = Users { executor: ThreadPool::new(1) };
    let text = || (20, String::new());
    assert_eq!(run(service.patterns(Wrapped(100), text(), [1, 2])), 126);
    assert_eq!(service.patterns_sync(Wrapped(100), text(), [1, 2]), 126);
    assert_eq!(run(service.generic(1)) + &service.generic_sync(2), "12");
}

/// What a store does at once, and async: the two differ in their arguments and results.
trait Store {
    fn get_sync(&self, key: &str) -> Option<usize>;
    fn get(&self, key: String) -> impl Future<Output = Result<usize, Error>> + Send;
}

impl Store for Users {
    fn get_sync(&self, key: &str) -> Option<usize> {
        (!key.is_empty()).then_some(key.len())
    }

    #[blocking]
    fn get(&self, key: String) -> Result<usize, Error> {
        self.get_sync(&key).ok_or(Error::Lost)
    }
}

#[test]
fn a_twin_with_another_signature_is_written_by_hand_and_called() {
    let users = Users { executor: ThreadPool::new(1) };
    assert_eq!(users.get_sync("key"), Some(3));
    assert_eq!(run(users.get("key".to_owned())).unwrap(), 3);
    assert!(matches!(run(users.get(String::new())), Err(Error::Lost)));
}
