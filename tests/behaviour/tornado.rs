//! What Tornado's tests of `run_on_executor` ask, asked here by the same names.

use std::io;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use offload_runtime::{Error, ExecutorExt, Inline, ThreadPool, blocking};
use tests::support::{PATIENCE, finish, silence, within};

/// Bare `#[blocking]` and `#[blocking()]`.
#[derive(Clone)]
struct NoCallingParentheses {
    executor: ThreadPool,
}

impl NoCallingParentheses {
    #[blocking]
    fn bare(&self) -> u32 {
        42
    }

    #[blocking()]
    fn called(&self) -> u32 {
        42
    }
}

#[test]
fn bare_and_called_are_the_same() {
    let object = NoCallingParentheses { executor: ThreadPool::new(1) };
    assert_eq!(finish(object.bare()), 42);
    assert_eq!(finish(object.called()), finish(object.bare()));
}

mod custom {
    use super::{ThreadPool, blocking};

    /// Another field, private to its module.
    #[derive(Clone)]
    pub(super) struct CustomExecutor {
        __executor: ThreadPool,
    }

    impl CustomExecutor {
        pub(super) fn new() -> Self {
            Self { __executor: ThreadPool::builder().thread_name("custom").build() }
        }

        #[blocking(executor = __executor)]
        pub(super) fn thread_name(&self) -> String {
            std::thread::current().name().unwrap_or_default().to_owned()
        }
    }
}

#[test]
fn another_executor_field_a_private_one_included() {
    assert_eq!(finish(custom::CustomExecutor::new().thread_name()), "custom-0");
}

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    fn new(threads: usize) -> Self {
        Self { executor: ThreadPool::new(threads) }
    }

    #[blocking]
    fn double(&self, n: u32) -> u32 {
        2 * n
    }

    #[blocking]
    fn fails(&self) -> io::Result<u32> {
        Err(io::Error::new(io::ErrorKind::NotFound, "the user's own"))
    }

    #[blocking]
    fn panics(&self, payload: Arc<u32>) -> u32 {
        std::panic::panic_any(payload)
    }

    #[blocking]
    fn given_back(&self, argument: Arc<str>) -> Arc<str> {
        argument
    }

    #[blocking(handle)]
    fn start(&self, n: u32) -> u32 {
        2 * n
    }

    #[blocking]
    fn exchange(&self, send: mpsc::Sender<u32>, receive: mpsc::Receiver<u32>) -> u32 {
        send.send(1).unwrap();
        receive.recv_timeout(PATIENCE).unwrap()
    }
}

#[tokio::test]
async fn the_result_awaits_inside_ordinary_async_code() {
    async fn twice(service: &Service, n: u32) -> u32 {
        service.double(service.double(n).await).await
    }
    let service = Service::new(1);
    assert_eq!(twice(&service, 3).await, 12);
    let spawned = tokio::spawn({
        let service = service.clone();
        async move { twice(&service, 5).await }
    });
    assert_eq!(spawned.await.unwrap(), 20);
}

#[test]
fn no_reference_to_self_arguments_or_result_is_left_after_the_await() {
    #[derive(Clone)]
    struct Counted {
        executor: ThreadPool,
        me: Arc<()>,
    }
    impl Counted {
        #[blocking]
        fn take(&self, argument: Arc<()>, _unused: Arc<()>) -> Arc<()> {
            assert!(Arc::strong_count(&self.me) > 1, "a clone of self is here");
            argument
        }
    }
    let object = Counted { executor: ThreadPool::new(1), me: Arc::new(()) };
    let (argument, unused) = (Arc::new(()), Arc::new(()));
    let result = finish(object.take(Arc::clone(&argument), Arc::clone(&unused)));
    let left = [&object.me, &argument, &unused].map(Arc::strong_count);
    assert_eq!(left, [1, 2, 1]);
    drop(result);
    assert_eq!(Arc::strong_count(&argument), 1);
    // The same where the call is given up before and after its first poll.
    drop(object.take(Arc::clone(&argument), Arc::clone(&unused)));
    let left = [&object.me, &argument, &unused].map(Arc::strong_count);
    assert_eq!(left, [1, 1, 1]);
}

/// Each waits for a message of the other: on one thread they would wait for ever.
#[test]
fn two_jobs_that_need_each_others_progress_both_complete_on_two_threads() {
    let values = within(PATIENCE, || {
        let service = Service::new(2);
        let ((to_second, from_first), (to_first, from_second)) = (mpsc::channel(), mpsc::channel());
        finish(futures::future::join(service.exchange(to_second, from_second), service.exchange(to_first, from_first)))
    });
    assert_eq!(values, (1, 1));
}

/// The same code, generic over its executor.
#[derive(Clone)]
struct Logging<E> {
    executor: E,
    log: mpsc::Sender<&'static str>,
}

impl<E: offload_runtime::Executor + Clone + 'static> Logging<E> {
    #[blocking]
    fn step(&self, meet: Option<Arc<std::sync::Barrier>>) {
        self.log.send("begin").unwrap();
        meet.map(|barrier| barrier.wait());
        self.log.send("end").unwrap();
    }
}

#[test]
fn the_inline_executor_runs_serially_and_the_pool_in_parallel_with_the_same_code() {
    let (log, events) = mpsc::channel();
    let inline = Logging { executor: Inline, log: log.clone() };
    finish(futures::future::join(inline.step(None), inline.step(None)));
    assert_eq!(events.try_iter().collect::<Vec<_>>(), ["begin", "end", "begin", "end"]);

    // Two that meet at a barrier: neither ends before both have begun.
    let barrier = Arc::new(std::sync::Barrier::new(2));
    let pool = Logging { executor: ThreadPool::new(2), log };
    finish(futures::future::join(pool.step(Some(Arc::clone(&barrier))), pool.step(Some(barrier))));
    assert_eq!(events.try_iter().collect::<Vec<_>>(), ["begin", "begin", "end", "end"]);
}

#[test]
fn a_users_error_comes_back_unchanged() {
    let error = finish(Service::new(1).fails()).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (io::ErrorKind::NotFound, "the user's own"));
}

#[test]
fn a_panics_payload_comes_back_unchanged() {
    silence();
    let service = Service::new(1);
    let payload = Arc::new(7);
    let given = Arc::clone(&payload);
    let call = std::panic::AssertUnwindSafe(|| finish(service.panics(given)));
    let caught = std::panic::catch_unwind(call).unwrap_err().downcast::<Arc<u32>>().unwrap();
    assert!(Arc::ptr_eq(&caught, &payload), "the very payload");
    assert_eq!(finish(service.double(4)), 8, "and the pool goes on");
}

#[test]
fn a_result_is_the_value_itself_and_no_copy() {
    let argument: Arc<str> = "a".into();
    assert!(Arc::ptr_eq(&finish(Service::new(1).given_back(Arc::clone(&argument))), &argument));
}

#[test]
fn a_shared_executor_outlives_the_struct_that_used_it() {
    let pool = ThreadPool::builder().keep_alive(Duration::MAX).build();
    for n in 0..3 {
        let service = Service { executor: pool.clone() };
        assert_eq!(finish(service.double(n)), 2 * n);
        drop(service);
    }
    assert_eq!(finish(pool.submit(|| 1)).unwrap(), 1);
    // And a struct that goes while its job is under way takes nothing from it.
    let service = Service { executor: pool };
    let job = service.start(21);
    drop(service);
    assert_eq!(finish(job).unwrap(), 42);
}

/// "A bad option is rejected", by the compiler: `tests/ui/fail` has the cases. That it does not go unnoticed at run time is shown by there
/// being none: what is refused at run time is a typed error.
#[test]
fn a_refusal_of_the_executor_comes_back_as_the_methods_own_error() {
    #[derive(Clone)]
    struct Refused {
        executor: ThreadPool,
    }
    impl Refused {
        #[blocking]
        fn ours(&self) -> Result<u32, Error> {
            Ok(1)
        }

        #[blocking]
        fn of_io(&self) -> io::Result<u32> {
            Ok(1)
        }
    }
    let object = Refused { executor: ThreadPool::new(1) };
    object.executor.close();
    assert!(matches!(finish(object.ours()), Err(Error::ShutDown)));
    let error = finish(object.of_io()).unwrap_err();
    assert!(matches!(error.downcast::<Error>(), Ok(Error::ShutDown)));
}
