//! Generics of the method and of its impl, `where`, associated types and `Self`.

use crate::run;
use offload_runtime::{ThreadPool, blocking};
use std::fmt::Debug;
use std::marker::PhantomData;

trait Key: Clone + Send + Sync + 'static {
    type Stored: From<Self> + Debug + Send + 'static;
    const NAME: &'static str;
}

impl Key for u32 {
    type Stored = u64;
    const NAME: &'static str = "u32";
}

#[derive(Clone)]
struct Store<K: Key, const WIDTH: usize = 2> {
    executor: ThreadPool,
    keys: Vec<K>,
    marker: PhantomData<fn() -> K>,
}

impl<K: Key, const WIDTH: usize> Store<K, WIDTH> {
    const LIMIT: usize = 10;

    fn helper(n: usize) -> usize {
        n * WIDTH
    }

    #[blocking]
    fn constants(&self) -> (usize, usize, &'static str) {
        (Self::LIMIT, Self::helper(2), K::NAME)
    }

    #[blocking]
    fn stored(&self, key: &K) -> Vec<K::Stored> {
        let mut stored: Vec<<K as Key>::Stored> = self.keys.iter().cloned().map(Into::into).collect();
        stored.push(key.clone().into());
        stored
    }

    #[blocking]
    fn convert<T, const N: usize>(&self, values: [T; N], more: &[T]) -> Vec<String>
    where
        T: Debug + Clone + Send + Sync + 'static,
        Self: Sized,
    {
        values.iter().chain(more).map(|value| format!("{value:?}")).collect()
    }

    #[blocking]
    fn only_named<T: Default + Send + 'static>(&self) -> T {
        T::default()
    }

    #[blocking]
    fn of_self(self) -> Option<Self> {
        (self.keys.len() < Self::LIMIT).then_some(self)
    }

    #[blocking]
    fn create(executor: ThreadPool) -> Self {
        Self { executor, keys: Vec::new(), marker: PhantomData }
    }

    #[blocking]
    fn hidden(&self) -> impl Debug + Send + use<K, WIDTH>
    where
        K: Debug,
    {
        self.keys.clone()
    }

    #[blocking]
    fn fallible_hidden(&self, fail: bool) -> Result<impl Debug + Send, offload_runtime::Error>
    where
        K: Debug,
    {
        if fail {
            return Err(offload_runtime::Error::Lost);
        }
        Ok(self.keys.clone())
    }

    #[blocking(handle)]
    fn shown(&self, text: &str) -> impl std::fmt::Display + Send {
        text.to_owned()
    }

    #[blocking]
    fn shown_later(&self, text: &str) -> Option<impl std::fmt::Display + Send> {
        Some(text.to_owned())
    }

    #[blocking(sync = find_sync)]
    fn find<Q: PartialEq<K> + Send + 'static>(&self, wanted: Q, from: impl Into<usize> + Send + 'static) -> Option<K> {
        self.keys.iter().skip(from.into()).find(|key| wanted == **key).cloned()
    }
}

fn store() -> Store<u32> {
    Store { executor: ThreadPool::new(1), keys: vec![1, 2, 3], marker: PhantomData }
}

#[test]
fn self_types_and_constants_mean_what_they_mean() {
    assert_eq!(run(store().constants()), (10, 4, "u32"));
    assert_eq!(run(store().of_self()).unwrap().keys, [1, 2, 3]);
    assert!(run(Store::<u32>::create(ThreadPool::new(1))).keys.is_empty());
}

#[test]
fn associated_types_cross() {
    assert_eq!(run(store().stored(&4)), [1_u64, 2, 3, 4]);
}

#[test]
fn a_method_has_its_own_generics() {
    assert_eq!(run(store().convert(["a", "b"], &["c"])), [r#""a""#, r#""b""#, r#""c""#]);
    assert_eq!(run(store().only_named::<String>()), "");
}

#[test]
fn an_impl_trait_result_is_one() {
    assert_eq!(format!("{:?}", run(store().hidden())), "[1, 2, 3]");
    assert_eq!(format!("{:?}", run(store().fallible_hidden(false)).unwrap()), "[1, 2, 3]");
    assert!(run(store().fallible_hidden(true)).is_err());
}

#[test]
fn an_impl_trait_result_holds_no_borrow_of_an_argument() {
    fn is_static<T: 'static>(value: T) -> T {
        value
    }
    let handle = {
        let (store, text) = (store(), "text".to_owned());
        is_static(store.shown(&text))
    };
    assert_eq!(run(handle).unwrap().to_string(), "text");
    let shown = {
        let (store, text) = (store(), "text".to_owned());
        run(store.shown_later(&text)).unwrap()
    };
    assert_eq!(is_static(shown).to_string(), "text");
}

#[test]
fn generics_reach_the_twin() {
    assert_eq!(run(store().find(2, 0_usize)), Some(2));
    assert_eq!(store().find_sync(2, 2_usize), None);
}
