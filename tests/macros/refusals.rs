//! What becomes of a refusal and of a panic where the method says it.

use crate::run;
use offload_runtime::{Error, Executor, Inline, Job, Panic, blocking};
use std::num::ParseIntError;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Refuses every job, or runs it at once.
#[derive(Clone)]
struct Switch {
    refuses: bool,
}

impl Executor for Switch {
    fn execute(&self, job: Job) {
        if self.refuses { job.refuse(Error::QueueFull) } else { Inline.execute(job) }
    }
}

#[derive(Debug, PartialEq)]
enum Failure {
    Busy,
    Panicked(String),
}

impl Failure {
    fn from_refusal(refusal: Error) -> Self {
        assert!(matches!(refusal, Error::QueueFull));
        Self::Busy
    }
}

fn from_panic(panic: Panic) -> Failure {
    Failure::Panicked(panic.message().unwrap_or_default().to_owned())
}

#[derive(Clone)]
struct Calls {
    executor: Switch,
}

impl Calls {
    #[blocking(refused = Failure::from_refusal)]
    fn converted(&self) -> Result<u32, Failure> {
        Ok(1)
    }

    #[blocking(refused = |_| Failure::Busy, panicked = from_panic)]
    fn both(&self, fails: bool) -> Result<u32, Failure> {
        assert!(!fails, "out of cheese");
        Ok(1)
    }

    #[blocking(boxed, panicked = from_panic, refused = panic)]
    fn boxed(&self, fails: bool) -> Result<u32, Failure> {
        assert!(!fails, "out of cheese");
        Ok(1)
    }

    #[blocking(panicked = |panic| panic.to_string())]
    fn text(&self, fails: bool) -> Result<u32, String> {
        assert!(!fails, "out of cheese");
        Ok(1)
    }

    #[blocking]
    fn boxed_text(&self) -> Result<u32, Box<str>> {
        Ok(1)
    }

    #[blocking(refused = panic)]
    fn foreign(&self, text: &str) -> Result<u32, ParseIntError> {
        text.parse()
    }

    #[blocking(refused = panic)]
    fn has_a_place_but_panics(&self) -> Result<u32, Error> {
        Ok(1)
    }
}

fn calls(refuses: bool) -> Calls {
    Calls { executor: Switch { refuses } }
}

fn message_of(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("it panics");
    payload.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn a_refusal_is_what_the_method_makes_of_it() {
    let refusing = calls(true);
    assert_eq!(run(refusing.converted()), Err(Failure::Busy));
    assert_eq!(run(refusing.both(false)), Err(Failure::Busy));
    assert_eq!(run(refusing.text(false)), Err("the executor's queue is full".to_owned()));
    assert_eq!(run(refusing.boxed_text()), Err("the executor's queue is full".into()));
    for message in [
        message_of(|| drop(run(refusing.boxed(false)))),
        message_of(|| drop(run(refusing.foreign("1")))),
        message_of(|| drop(run(refusing.has_a_place_but_panics()))),
    ] {
        assert!(message.contains("Calls::") && message.ends_with("the executor's queue is full"), "{message}");
    }
}

#[test]
fn a_panic_is_what_the_method_makes_of_it() {
    let calls = calls(false);
    assert_eq!(run(calls.both(true)), Err(Failure::Panicked("out of cheese".to_owned())));
    assert_eq!(run(calls.boxed(true)), Err(Failure::Panicked("out of cheese".to_owned())));
    assert_eq!(run(calls.text(true)), Err("the job panicked: out of cheese".to_owned()));
}

#[test]
fn a_value_is_not_touched() {
    let calls = calls(false);
    assert_eq!(run(calls.converted()), Ok(1));
    assert_eq!(run(calls.both(false)), Ok(1));
    assert_eq!(run(calls.boxed(false)), Ok(1));
    assert_eq!(run(calls.text(false)), Ok(1));
    assert_eq!(run(calls.boxed_text()), Ok(1));
    assert_eq!(run(calls.foreign("2")), Ok(2));
    assert!(run(calls.foreign("x")).is_err());
    assert!(matches!(run(calls.has_a_place_but_panics()), Ok(1)));
}
