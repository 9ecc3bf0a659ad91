//! What an error says, and what becomes of it in other error types.

use std::error::Error as _;
use std::io;

use offload_runtime::{Error, ExecutorExt, Inline};
use tests::support::finish;

fn panicked() -> Error {
    finish(Inline.submit(|| -> () { std::panic::resume_unwind(Box::new("no more")) })).unwrap_err()
}

#[test]
fn an_error_says_what_happened() {
    let texts = [
        (Error::ShutDown, "the executor is shut down"),
        (Error::QueueFull, "the executor's queue is full"),
        (Error::Cancelled, "the job was cancelled"),
        (Error::Lost, "the executor dropped the job without running it"),
        (Error::Spawn(io::Error::other("no more")), "no thread or process could be started for the job"),
        (panicked(), "the job panicked: no more"),
    ];
    for (error, text) in texts {
        assert_eq!(error.to_string(), text);
    }
    let spawn = Error::Spawn(io::Error::other("no more"));
    assert_eq!(spawn.source().unwrap().to_string(), "no more");
    assert!(Error::Lost.source().is_none());
}

#[test]
fn an_error_goes_through_io_error_and_comes_back() {
    fn through_io() -> io::Result<()> {
        Err(Error::QueueFull)?;
        Ok(())
    }
    let error = through_io().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ResourceBusy);
    assert!(matches!(error.downcast::<Error>(), Ok(Error::QueueFull)));
    let panic = io::Error::from(panicked());
    assert!(matches!(panic.downcast::<Error>(), Ok(Error::Panicked(panic)) if panic.message() == Some("no more")));
}

#[test]
fn an_error_goes_where_errors_go() {
    fn boxed() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        finish(Inline.submit(|| -> () { std::panic::resume_unwind(Box::new("no more")) }))?;
        Ok(())
    }
    assert_eq!(boxed().unwrap_err().to_string(), "the job panicked: no more");
}
