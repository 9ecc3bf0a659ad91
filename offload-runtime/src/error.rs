//! Why a job has no result: [`Error`], and the panic it may carry.

use std::any::Any;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};

use crate::site::Site;

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
    /// The operating system refused the thread, or the child process, that would have run the job. Trying again later may succeed.
    Spawn(io::Error),
    /// The process that ran the call ended before it had replied.
    ///
    /// `status` says how, for example `signal: 11 (SIGSEGV)`. The call may have had effects, so it is not run again unless its executor was told
    /// to: repeat it only if that is harmless. A call that ends its process each time is a fault in its body or in its input.
    Died {
        /// The exit status of the process, or the reason why the executor killed it.
        status: String,
    },
    /// The call took or waited longer than its executor allows, and was given up.
    ///
    /// It may have had effects. Repeat it only if that is harmless, or give the executor a longer limit.
    TimedOut,
    /// The worker has no function of this name: it runs another build, or does not link the crate that defines the function.
    ///
    /// Repeating the call does not help. Deploy the workers first, or give the function a stable `name`.
    UnknownFunction(String),
    /// An argument or a result could not be encoded or decoded, or is larger than the executor allows. The text says which, and why.
    ///
    /// Repeating the call does not help. If a result is named, the body has run.
    Codec(String),
    /// The executor cannot take calls at the moment, or has lost the call. The text says why, and what to change.
    ///
    /// In this process and its children the call has not run. Repeat it later if the reason is one that passes, such as workers that die at their
    /// start. On other machines it may have run, or may run yet: a connection can break after the call was sent. The text then says what is not
    /// known. Repeat such a call only if that is harmless, or under an id that makes it the same call.
    Unavailable(String),
    /// The state that the job was to work on could not be opened. The next job tries again.
    State(Arc<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Panics where a refusal has no place in what the caller gets, with the name of the method.
    #[cold]
    #[track_caller]
    pub(crate) fn panic_in(&self, site: &Site) -> ! {
        match std::error::Error::source(self) {
            Some(source) => panic!("`{site}` was refused: {self}: {source}"),
            None => panic!("`{site}` was refused: {self}"),
        }
    }

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
            Self::Died { status } => Self::Died { status: status.clone() },
            Self::TimedOut => Self::TimedOut,
            Self::UnknownFunction(name) => Self::UnknownFunction(name.clone()),
            Self::Codec(why) => Self::Codec(why.clone()),
            Self::Unavailable(why) => Self::Unavailable(why.clone()),
            Self::State(error) => Self::State(Arc::clone(error)),
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
            Self::Spawn(_) => f.write_str("no thread or process could be started for the job"),
            Self::Died { status } => write!(f, "the process that ran the call died: {status}"),
            Self::TimedOut => f.write_str("the call exceeded its time limit"),
            Self::UnknownFunction(name) => write!(f, "the worker has no function `{name}`"),
            Self::Codec(why) => write!(f, "the call could not be encoded or decoded: {why}"),
            Self::Unavailable(why) => write!(f, "the executor is unavailable: {why}"),
            Self::State(_) => f.write_str("the state of the job could not be opened"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Spawn(error) => Some(error),
            Self::State(error) => Some(&**error),
            _ => None,
        }
    }
}

/// Keeps the [`Error`] as the inner error, so that [`io::Error::get_ref`] and `downcast` find it.
///
/// [`Error::QueueFull`] becomes [`io::ErrorKind::ResourceBusy`], [`Error::TimedOut`] [`io::ErrorKind::TimedOut`], [`Error::Spawn`] keeps its
/// kind, everything else is [`io::ErrorKind::Other`]. Never `Interrupted` or `WouldBlock`, which callers of `std::io` answer by retrying: where the system said one of
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
            Error::TimedOut => io::ErrorKind::TimedOut,
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
/// A payload of a type of one's own, and a panic that goes on where its result is awaited:
/// ```
/// use offload_runtime::{Error, ExecutorExt, Inline};
/// use std::panic::{catch_unwind, panic_any};
///
/// struct OutOf(&'static str);
///
/// # std::panic::set_hook(Box::new(|_| {}));
/// let panic = |job: fn()| match Inline.submit(job).wait() {
///     Err(Error::Panicked(panic)) => panic,
///     other => unreachable!("{other:?}"),
/// };
/// let payload = panic(|| panic_any(OutOf("cheese"))).into_payload();
/// assert_eq!(payload.downcast::<OutOf>().unwrap().0, "cheese");
/// let here = catch_unwind(|| panic(|| panic!("out of wine")).resume()).unwrap_err();
/// assert_eq!(here.downcast_ref(), Some(&"out of wine"));
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

    /// Resumes the panic here, with the same payload.
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
    fn an_error_is_four_words_and_crosses_threads() {
        fn assert_error<T: std::error::Error + Send + Sync + 'static>() {}
        assert_error::<Error>();
        assert_eq!(size_of::<Error>(), 4 * size_of::<usize>());
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
        let texts = [
            Error::Died { status: "signal: 9".into() },
            Error::TimedOut,
            Error::UnknownFunction("f".into()),
            Error::Codec("too large".into()),
            Error::Unavailable("no `init`".into()),
            Error::State(Arc::new(io::Error::other("no database"))),
        ];
        for error in texts {
            assert_eq!(format!("{:?}", error.duplicate()), format!("{error:?}"));
        }
    }

    #[test]
    fn an_error_names_its_source() {
        use std::error::Error as _;
        let state = Error::State(Arc::new(io::Error::other("no database")));
        assert_eq!(state.source().unwrap().to_string(), "no database");
        assert!(Error::TimedOut.source().is_none());
        assert_eq!(io::Error::from(Error::TimedOut).kind(), io::ErrorKind::TimedOut);
        assert_eq!(Error::Died { status: "x".into() }.to_string(), "the process that ran the call died: x");
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
        assert_eq!(&*Box::<str>::from(refused), "no thread or process could be started for the job: limit reached");
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
