//! Where a method runs: every form of `executor = ...`.

use crate::run;
use futures::StreamExt as _;
use offload_runtime::{Executor, ExecutorExt, Inline, Job, ThreadPool, blocking};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

/// Counts the jobs it passes on.
#[derive(Clone)]
struct Counting {
    pool: ThreadPool,
    jobs: Arc<AtomicUsize>,
}

impl Counting {
    fn new() -> Self {
        Self { pool: ThreadPool::new(1), jobs: Arc::default() }
    }

    fn count(&self) -> usize {
        self.jobs.load(Ordering::SeqCst)
    }
}

impl Executor for Counting {
    fn execute(&self, job: Job) {
        self.jobs.fetch_add(1, Ordering::SeqCst);
        self.pool.execute(job);
    }
}

static POOL: LazyLock<Counting> = LazyLock::new(Counting::new);
static INLINE: Inline = Inline;

#[derive(Clone)]
struct Pools {
    io: Counting,
    shared: Arc<dyn Executor>,
}

#[derive(Clone)]
struct Service {
    executor: Counting,
    __private: Counting,
    r#type: Counting,
    pools: Pools,
    by_key: Arc<Mutex<HashMap<String, Counting>>>,
}

impl Service {
    fn pool_for(&self, key: &str) -> Counting {
        self.by_key.lock().unwrap()[key].clone()
    }

    #[blocking]
    fn bare(&self) -> u32 {
        1
    }

    #[blocking()]
    fn empty(&self) -> u32 {
        1
    }

    #[blocking(executor = __private)]
    fn private(&self) -> u32 {
        1
    }

    #[blocking(executor = r#type,)]
    fn raw(&self) -> u32 {
        1
    }

    #[blocking(executor = self.pools.io)]
    fn path(&self) -> u32 {
        1
    }

    #[blocking(executor = self.pools.shared)]
    fn object(&self) -> u32 {
        1
    }

    #[blocking(executor = *POOL)]
    fn global(&self) -> u32 {
        1
    }

    #[blocking(executor = POOL)]
    fn global_by_name(&self) -> u32 {
        1
    }

    #[blocking(executor = pool)]
    fn given_by_name(&self, pool: Counting, pools: u32) -> u32 {
        pools
    }

    #[blocking(executor = self.pools.io)]
    fn beside_its_field(&self, io: Vec<u8>, pools: &str) -> usize {
        io.len() + pools.len()
    }

    #[blocking(executor = &*POOL)]
    fn global_reference(&self) -> u32 {
        1
    }

    #[blocking(executor = self.pool_for(key))]
    fn by_key(&self, key: &str, n: u32) -> u32 {
        n + u32::try_from(key.len()).unwrap()
    }

    #[blocking(executor = self.by_key.lock().unwrap()[key])]
    fn under_a_lock(&self, key: &str) -> u32 {
        1
    }

    #[blocking(executor = self.pool_for(&format!("{part}{rest:}")))]
    fn by_format(&self, part: &str, rest: u8, brace: &str) -> u32 {
        u32::try_from(brace.len()).unwrap()
    }

    #[blocking(executor = if fast { &self.pools.io } else { &self.executor })]
    fn chosen(&self, fast: bool) -> u32 {
        u32::from(fast)
    }

    #[blocking(executor = HashMap::<u32, Counting>::from([(1, self.executor.clone())])[&1], sync = generic_sync)]
    fn generic(&self) -> u32 {
        1
    }

    #[blocking(executor = pool.clone())]
    fn given(&self, pool: Counting) -> usize {
        pool.count()
    }

    #[blocking(executor = pools[0])]
    fn given_many(&self, pools: Vec<Counting>, mut n: usize) -> usize {
        n += pools[0].count();
        n
    }

    #[blocking(executor = self.pools.io)]
    fn by_value(self) -> u32 {
        1
    }

    #[blocking(executor = self.known_pool(key)?)]
    fn fallible(&self, key: &str) -> std::io::Result<u32> {
        Ok(1)
    }

    fn known_pool(&self, key: &str) -> std::io::Result<Counting> {
        self.by_key.lock().unwrap().get(key).cloned().ok_or_else(|| std::io::ErrorKind::NotFound.into())
    }

    #[blocking(executor = self.executor.clone().limited(1))]
    fn limited(self: Arc<Self>) -> u32 {
        1
    }
}

#[derive(Clone)]
struct Tuple(u8, Counting);

impl Tuple {
    #[blocking(executor = 1)]
    fn indexed(&self) -> u8 {
        self.0
    }
}

#[blocking(executor = INLINE)]
fn named_path() -> u32 {
    1
}

#[blocking(executor = &*self::POOL)]
fn reference_path(n: &str) -> usize {
    n.len()
}

#[test]
fn each_form_finds_its_executor() {
    let [usual, private, raw, io, shared, keyed, numbered] = std::array::from_fn(|_| Counting::new());
    let service = Service {
        executor: usual.clone(),
        __private: private.clone(),
        r#type: raw.clone(),
        pools: Pools { io: io.clone(), shared: Arc::new(shared.clone()) },
        by_key: Arc::new(Mutex::new(HashMap::from([
            ("key".to_owned(), keyed.clone()),
            ("key1".to_owned(), numbered.clone()),
        ]))),
    };
    run(async {
        assert_eq!(service.bare().await + service.empty().await, 2);
        assert_eq!(usual.count(), 2, "`#[blocking]` and `#[blocking()]` are the same");
        assert_eq!((service.private().await, private.count()), (1, 1));
        assert_eq!((service.raw().await, raw.count()), (1, 1));
        assert_eq!((service.path().await, io.count()), (1, 1));
        assert_eq!((service.object().await, shared.count()), (1, 1));
        assert_eq!((service.by_key("key", 1).await, keyed.count()), (4, 1));
        assert_eq!((service.under_a_lock("key").await, keyed.count()), (1, 2));
        assert_eq!((service.by_format("key", 1, "{").await, numbered.count()), (1, 1));
        assert_eq!((service.fallible("key").await.unwrap(), keyed.count()), (1, 3));
        assert!(service.fallible("no key").await.is_err(), "`?` returns from the async function");
        assert_eq!((service.chosen(true).await, io.count()), (1, 2));
        assert_eq!((service.chosen(false).await, usual.count()), (0, 3));
        assert_eq!((service.generic().await, usual.count()), (1, 4));
        assert_eq!(service.given(raw.clone()).await, 2);
        assert_eq!(service.given_many(vec![raw.clone()], 1).await, 4);
        assert_eq!((service.clone().by_value().await, io.count()), (1, 3));
        assert_eq!((Arc::new(service.clone()).limited().await, usual.count()), (1, 5));
        assert_eq!(service.generic_sync(), 1);
        assert_eq!((Tuple(1, raw.clone()).indexed().await, raw.count()), (1, 4));
        assert_eq!(service.global().await + service.global_reference().await, 2);
        assert_eq!(service.global_by_name().await, 1);
        assert_eq!((service.given_by_name(raw.clone(), 1).await, raw.count()), (1, 5));
        assert_eq!((service.beside_its_field(vec![1], "x").await, io.count()), (2, 4));
        assert_eq!(named_path().await, 1);
        assert_eq!(reference_path("four").await, 4);
        assert_eq!(POOL.count(), 4);
    });
}

mod named {
    use super::{Counting, Executor, Inline, Job, LazyLock};

    pub(super) static POOL: LazyLock<Counting> = LazyLock::new(Counting::new);

    #[allow(non_upper_case_globals, reason = "a field would be written like this")]
    pub(super) static pool: LazyLock<Counting> = LazyLock::new(Counting::new);

    /// A unit struct that is an executor, and not `Clone`.
    pub(super) struct Io;

    impl Io {
        pub(super) const SAME: Self = Self;
    }

    impl Executor for Io {
        fn execute(&self, job: Job) {
            POOL.execute(job);
        }
    }

    /// Variants that are executors.
    pub(super) enum Kind {
        Here,
        There,
    }

    impl Executor for Kind {
        fn execute(&self, job: Job) {
            match self {
                Self::Here => Inline.execute(job),
                Self::There => POOL.execute(job),
            }
        }
    }

    /// A value for each type.
    pub(super) struct Of<T>(std::marker::PhantomData<T>);

    impl<T> Of<T> {
        pub(super) const IO: Io = Io;
    }
}

#[allow(non_snake_case, reason = "a field that is written like a type")]
#[derive(Clone)]
struct Capitals {
    Io: Counting,
}

impl Capitals {
    const HERE: Inline = Inline;

    #[blocking(executor = Inline)]
    fn unit_struct(&self) -> bool {
        crate::on_worker()
    }

    #[blocking(executor = self.Io)]
    fn field(&self) -> bool {
        crate::on_worker()
    }

    #[blocking(executor = named::Io)]
    fn unit_struct_by_path(&self) -> bool {
        crate::on_worker()
    }

    #[blocking(executor = named::Io, stream)]
    fn streamed(&self) -> std::ops::Range<u8> {
        0..3
    }

    #[blocking(executor = named::pool)]
    fn static_by_path(&self) -> bool {
        crate::on_worker()
    }

    #[blocking(executor = Self::HERE)]
    fn constant(&self) -> bool {
        crate::on_worker()
    }

    #[blocking(executor = named::Io::SAME)]
    fn constant_by_path(&self) -> bool {
        crate::on_worker()
    }

    #[blocking(executor = named::Of::<u8>::IO)]
    fn constant_of_a_generic_type(&self) -> bool {
        crate::on_worker()
    }

    #[blocking(executor = named::Kind::Here)]
    fn variant(&self) -> bool {
        crate::on_worker()
    }

    #[blocking(executor = named::Kind::There)]
    fn other_variant(&self) -> bool {
        crate::on_worker()
    }

    #[blocking(executor = E::default())]
    fn of_a_type_parameter<E: Executor + Default>(&self) -> bool {
        crate::on_worker()
    }

    #[blocking(executor = r#Inline)]
    fn raw(self) -> bool {
        crate::on_worker()
    }
}

#[test]
fn a_name_in_capitals_is_a_value_and_no_field() {
    let io = Counting::new();
    let capitals = Capitals { Io: io.clone() };
    let before = named::POOL.count();
    run(async {
        assert!(!capitals.unit_struct().await && !capitals.constant().await && !capitals.variant().await);
        assert!(!capitals.of_a_type_parameter::<Inline>().await && !capitals.clone().raw().await);
        assert!(capitals.field().await);
        assert_eq!(io.count(), 1, "the field is reached by `self`");
        assert!(capitals.unit_struct_by_path().await && capitals.constant_by_path().await);
        assert!(capitals.constant_of_a_generic_type().await && capitals.other_variant().await);
        assert_eq!(named::POOL.count() - before, 4);
        assert!(capitals.static_by_path().await);
        assert_eq!(named::pool.count(), 1);
        assert_eq!(capitals.streamed().collect::<Vec<_>>().await, [0, 1, 2]);
    });
}

/// Needs an executor that is `?Sized`.
struct Borrowing {
    executor: Box<dyn Executor>,
}

impl Borrowing {
    #[blocking]
    fn call(&self) -> u32 {
        1
    }

    /// An argument that has the name of the field; were the field taken for it, it would be cloned.
    #[blocking(executor = self.executor)]
    fn beside_its_field(&self, executor: Vec<u8>) -> usize {
        executor.len()
    }
}

#[test]
fn an_executor_may_be_a_trait_object() {
    let borrowing = Borrowing { executor: Box::new(Counting::new()) };
    assert_eq!(run(borrowing.call()), 1);
    assert_eq!(run(borrowing.beside_its_field(vec![1])), 1);
}
