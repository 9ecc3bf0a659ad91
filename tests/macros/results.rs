//! How an outcome settles: by the type of the result, whatever it is called.

use crate::run;
use offload_runtime::{Error, Executor, Job, ThreadPool, blocking};
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Refuses every job.
#[derive(Clone)]
struct Full;

impl Executor for Full {
    fn execute(&self, job: Job) {
        job.refuse(Error::QueueFull);
    }
}

#[derive(Debug, PartialEq)]
enum AppError {
    Busy,
    NotFound(u32),
}

impl From<Error> for AppError {
    fn from(_: Error) -> Self {
        Self::Busy
    }
}

type AppResult<T> = Result<T, AppError>;

/// An error that knows nothing of executors.
#[derive(Debug, PartialEq)]
struct Plain;

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("plain")
    }
}

#[derive(Clone)]
struct Calls<E> {
    executor: E,
}

impl<E: Executor + Clone + 'static> Calls<E> {
    #[blocking]
    fn unit(&self) {}

    #[blocking]
    fn number(&self) -> u32 {
        1
    }

    #[blocking]
    fn alias(&self, n: u32) -> AppResult<u32> {
        if n > 1 { Err(AppError::NotFound(n)) } else { Ok(n) }
    }

    #[blocking]
    fn io(&self) -> io::Result<u32> {
        Ok(1)
    }

    #[blocking]
    fn own(&self) -> Result<u32, Error> {
        Ok(1)
    }

    #[blocking]
    fn boxed_error(&self) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
        Ok(1)
    }

    #[blocking(refused = panic)]
    fn plain(&self) -> Result<u32, Plain> {
        Err(Plain)
    }

    #[blocking]
    fn generic<T: Send + From<Error> + 'static>(&self) -> Result<u32, T> {
        Ok(1)
    }

    #[blocking(refused = panic)]
    fn generic_without_a_place<T: Send + 'static>(&self) -> Result<u32, T> {
        Ok(1)
    }

    #[blocking]
    fn hidden(&self) -> impl Into<Result<u32, AppError>> + Send + use<E> {
        AppResult::Ok(1)
    }

    #[blocking(boxed)]
    fn boxed(&self) -> AppResult<u32> {
        Ok(1)
    }

    #[blocking]
    fn panics(&self) -> AppResult<u32> {
        std::panic::panic_any(7_u8)
    }

    #[blocking]
    fn coerces(&self, n: u32) -> Result<Box<dyn fmt::Display + Send>, AppError> {
        if n == 0 {
            return Ok(Box::new("zero"));
        }
        let n = self.inner(n)?;
        Ok(Box::new(n))
    }

    fn inner(&self, n: u32) -> AppResult<u32> {
        if n > 1 { Err(AppError::NotFound(n)) } else { Ok(n) }
    }
}

fn accepting() -> Calls<ThreadPool> {
    Calls { executor: ThreadPool::new(1) }
}

fn refusing() -> Calls<Full> {
    Calls { executor: Full }
}

fn message_of(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("it panics");
    payload.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn a_value_is_returned_unchanged() {
    run(async {
        let calls = accepting();
        calls.unit().await;
        assert_eq!(calls.number().await, 1);
        assert_eq!(calls.alias(1).await, Ok(1));
        assert_eq!(calls.alias(2).await, Err(AppError::NotFound(2)));
        assert_eq!(calls.plain().await, Err(Plain));
        assert_eq!(calls.io().await.unwrap(), 1);
        assert_eq!(calls.own().await.unwrap(), 1);
        assert_eq!(calls.generic::<AppError>().await, Ok(1));
        assert_eq!(calls.generic_without_a_place::<Plain>().await, Ok(1));
        assert_eq!(calls.coerces(0).await.unwrap().to_string(), "zero");
        assert_eq!(calls.coerces(1).await.unwrap().to_string(), "1");
        assert!(matches!(calls.coerces(2).await, Err(AppError::NotFound(2))));
    });
}

#[test]
fn a_refusal_becomes_the_methods_own_error() {
    run(async {
        let calls = refusing();
        assert_eq!(calls.alias(1).await, Err(AppError::Busy));
        assert_eq!(calls.boxed().await, Err(AppError::Busy));
        assert_eq!(calls.generic::<AppError>().await, Err(AppError::Busy));
        assert_eq!(calls.io().await.unwrap_err().kind(), io::ErrorKind::ResourceBusy);
        assert!(matches!(calls.own().await, Err(Error::QueueFull)));
        let hidden: AppResult<u32> = calls.hidden().await.into();
        assert_eq!(hidden, Err(AppError::Busy), "what is hidden behind `impl` is known here");
        assert!(calls.boxed_error().await.unwrap_err().is::<Error>());
    });
}

#[test]
fn a_refusal_without_a_place_panics_with_the_methods_name() {
    let calls = refusing();
    for message in [
        message_of(|| assert_eq!(run(calls.number()), 1)),
        message_of(|| assert!(run(calls.plain()).is_ok())),
        message_of(|| assert!(run(calls.generic_without_a_place::<Plain>()).is_ok())),
        message_of(|| run(calls.unit())),
    ] {
        assert!(message.contains("the executor's queue is full"), "{message}");
    }
    let message = message_of(|| run(calls.unit()));
    assert!(message.contains("Calls<") && message.contains("::unit"), "{message}");
}

/// Refuses as a pool does that the system gives no thread.
#[derive(Clone)]
struct NoThread;

impl Executor for NoThread {
    fn execute(&self, job: Job) {
        job.refuse(Error::Spawn(io::Error::other("limit reached")));
    }
}

#[test]
fn a_refusal_tells_its_cause() {
    let message = message_of(|| run(Calls { executor: NoThread }.unit()));
    assert!(
        message.ends_with("was refused: no thread or process could be started for the job: limit reached"),
        "{message}"
    );
}

#[test]
fn a_panic_is_resumed_in_the_caller_with_its_payload() {
    let calls = accepting();
    let payload = catch_unwind(AssertUnwindSafe(|| run(calls.panics()))).unwrap_err();
    assert_eq!(payload.downcast_ref::<u8>(), Some(&7));
    assert_eq!(run(calls.number()), 1, "the worker lives on");
}
