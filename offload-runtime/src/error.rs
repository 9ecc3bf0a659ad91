//! Why a job has no result: [`Error`], and the panic it may carry.

use std::any::Any;
use std::fmt;
use std::io;
use std::sync::Mutex;

/// Why a job has no result.
///
/// It is what [`JobHandle`](crate::JobHandle) resolves to, and what a `#[blocking]` method converts into its own
/// error type where that type is `From<offload_runtime::Error>`.
///
/// # Examples
/// ```
/// use offload_runtime::{Error, ExecutorExt, ThreadPool};
///
/// let pool = ThreadPool::new(1);
/// pool.close();
/// let refused = pollster::block_on(pool.submit(|| 1));
/// assert!(matches!(refused, Err(Error::ShutDown)));
/// ```
///
/// Into a type of your own, so that `?` and `#[blocking]` work with it:
/// ```
/// #[derive(Debug)]
/// enum AppError { Busy, Io(std::io::Error) }
///
/// impl From<offload_runtime::Error> for AppError {
///     fn from(error: offload_runtime::Error) -> Self {
///         match error {
///             offload_runtime::Error::QueueFull => AppError::Busy,
///             other => AppError::Io(other.into()),
///         }
///     }
/// }
/// assert!(matches!(AppError::from(offload_runtime::Error::QueueFull), AppError::Busy));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The executor takes no more jobs: it was closed or shut down.
    ShutDown,
    /// The executor's queue is at its capacity. Nothing waited; trying again later may succeed.
    QueueFull,
    /// The job was cancelled before it began, or ended itself by [`check_cancelled`](crate::check_cancelled).
    Cancelled,
    /// The executor dropped the job without running it.
    Lost,
    /// The job panicked. The payload is inside.
    Panicked(Panic),
    /// The operating system refused the thread that would have run the job, and no other thread was there.
    Spawn(io::Error),
}

impl Error {
    /// The same reason again, for another job. A panic belongs to one job and is passed on as [`Error::Lost`].
    pub(crate) fn duplicate(&self) -> Self {
        match self {
            Self::ShutDown => Self::ShutDown,
            Self::QueueFull => Self::QueueFull,
            Self::Cancelled => Self::Cancelled,
            Self::Lost | Self::Panicked(_) => Self::Lost,
            Self::Spawn(error) => Self::Spawn(match error.raw_os_error() {
                Some(code) => io::Error::from_raw_os_error(code),
                None => io::Error::new(error.kind(), error.to_string()),
            }),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShutDown => f.write_str("the executor is shut down"),
            Self::QueueFull => f.write_str("the executor's queue is full"),
            Self::Cancelled => f.write_str("the job was cancelled"),
            Self::Lost => f.write_str("the executor dropped the job without running it"),
            Self::Panicked(panic) => panic.fmt(f),
            Self::Spawn(_) => f.write_str("no thread could be started for the job"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Spawn(error) => Some(error),
            _ => None,
        }
    }
}

/// Keeps the [`Error`] as the inner error, so that [`io::Error::get_ref`] and `downcast` find it.
///
/// [`Error::QueueFull`] becomes [`io::ErrorKind::ResourceBusy`], [`Error::Spawn`] keeps its kind, everything else is
/// [`io::ErrorKind::Other`]. Never `Interrupted` or `WouldBlock`, which callers of `std::io` answer by retrying: where the system said one of
/// those as it refused a thread, it is `ResourceBusy`, too.
///
/// # Examples
/// ```
/// use offload_runtime::Error;
///
/// let error = std::io::Error::from(Error::QueueFull);
/// assert_eq!(error.kind(), std::io::ErrorKind::ResourceBusy);
/// assert!(matches!(error.downcast::<Error>(), Ok(Error::QueueFull)));
/// ```
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::QueueFull => io::ErrorKind::ResourceBusy,
            Error::Spawn(source) => match source.kind() {
                // What Linux says if there are too many threads.
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => io::ErrorKind::ResourceBusy,
                kind => kind,
            },
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// The error as text, with its cause, for a `Result<_, String>`.
///
/// # Examples
/// ```
/// use offload_runtime::Error;
///
/// assert_eq!(String::from(Error::QueueFull), "the executor's queue is full");
/// ```
impl From<Error> for String {
    fn from(error: Error) -> Self {
        match std::error::Error::source(&error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        }
    }
}

/// The error as text, with its cause, for a `Result<_, Box<str>>`.
///
/// # Examples
/// ```
/// use offload_runtime::Error;
///
/// assert_eq!(&*Box::<str>::from(Error::ShutDown), "the executor is shut down");
/// ```
impl From<Error> for Box<str> {
    fn from(error: Error) -> Self {
        String::from(error).into()
    }
}

/// A job's panic: its payload, as `std::panic::catch_unwind` gave it.
///
/// # Examples
/// ```
/// use offload_runtime::{Error, ExecutorExt, Inline};
///
/// # std::panic::set_hook(Box::new(|_| {}));
/// let handle = Inline.submit(|| -> u32 { panic!("out of cheese") });
/// match pollster::block_on(handle) {
///     Err(Error::Panicked(panic)) => assert_eq!(panic.message(), Some("out of cheese")),
///     other => unreachable!("{other:?}"),
/// }
/// ```
pub struct Panic(Box<Caught>);

struct Caught {
    message: Option<Box<str>>,
    // A payload is `Send` only; the lock, never contended, makes `Error` `Sync` as error types must be.
    payload: Mutex<Box<dyn Any + Send>>,
}

impl Panic {
    pub(crate) fn new(payload: Box<dyn Any + Send>) -> Self {
        let message = (payload.downcast_ref::<&str>().copied())
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .map(Box::from);
        Self(Box::new(Caught { message, payload: Mutex::new(payload) }))
    }

    /// The panic's message, if it was one of text as `panic!` makes them.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// The payload, unchanged.
    #[must_use]
    pub fn into_payload(self) -> Box<dyn Any + Send> {
        self.0.payload.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Goes on panicking here, with the same payload.
    ///
    /// # Panics
    /// Always: that is what it does. The panic hook is not called a second time.
    pub fn resume(self) -> ! {
        std::panic::resume_unwind(self.into_payload())
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message() {
            Some(message) => write!(f, "the job panicked: {message}"),
            None => f.write_str("the job panicked"),
        }
    }
}

impl fmt::Debug for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Panic").field("message", &self.0.message).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_two_words_and_crosses_threads() {
        fn assert_error<T: std::error::Error + Send + Sync + 'static>() {}
        assert_error::<Error>();
        assert_eq!(size_of::<Error>(), 2 * size_of::<usize>());
    }

    #[test]
    fn a_duplicate_keeps_the_reason() {
        let first = Error::Spawn(io::Error::from_raw_os_error(11));
        let Error::Spawn(second) = first.duplicate() else { panic!() };
        assert_eq!(second.raw_os_error(), Some(11));
        let text = Error::Spawn(io::Error::other("no room"));
        let Error::Spawn(second) = text.duplicate() else { panic!() };
        assert_eq!((second.kind(), second.to_string()), (io::ErrorKind::Other, "no room".into()));
        assert!(matches!(Error::QueueFull.duplicate(), Error::QueueFull));
        assert!(matches!(Error::ShutDown.duplicate(), Error::ShutDown));
        assert!(matches!(Error::Cancelled.duplicate(), Error::Cancelled));
    }

    #[test]
    fn an_io_error_keeps_the_reason() {
        let kind = |error: Error| io::Error::from(error).kind();
        assert_eq!(kind(Error::QueueFull), io::ErrorKind::ResourceBusy);
        assert_eq!(kind(Error::Spawn(io::ErrorKind::OutOfMemory.into())), io::ErrorKind::OutOfMemory);
        for retried in [io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted] {
            assert_eq!(kind(Error::Spawn(retried.into())), io::ErrorKind::ResourceBusy);
        }
        assert_eq!(kind(Error::ShutDown), io::ErrorKind::Other);
        assert_eq!(kind(Error::Cancelled), io::ErrorKind::Other);
    }

    #[test]
    fn an_error_as_text_tells_its_cause() {
        assert_eq!(String::from(Error::ShutDown), "the executor is shut down");
        let refused = Error::Spawn(io::Error::other("limit reached"));
        assert_eq!(&*Box::<str>::from(refused), "no thread could be started for the job: limit reached");
    }

    #[test]
    fn a_panic_keeps_its_payload_and_knows_its_message() {
        let panic = Panic::new(Box::new(String::from("text")));
        assert_eq!(panic.message(), Some("text"));
        assert_eq!(panic.to_string(), "the job panicked: text");
        let panic = Panic::new(Box::new(7_u8));
        assert_eq!(panic.message(), None);
        assert_eq!(*panic.into_payload().downcast::<u8>().unwrap(), 7);
    }
}
