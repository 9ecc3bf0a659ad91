//! How a call has ended, in Temporal's words and in ours.
//!
//! A worker of ours says why a function has no result by the *type* of an application failure, which Temporal's page shows:
//!
//! | Type | Meaning |
//! |---|---|
//! | `offload.Panicked` | the body panicked; the message is the panic's |
//! | `offload.UnknownFunction` | the worker's program has no function of this name |
//! | `offload.Codec` | the arguments could not be decoded, or the result not encoded or stored |
//! | `offload.Cancelled` | the body ended itself by `check_cancelled`, and Temporal was not asked to cancel |
//! | `offload.Refused` | the worker's threads did not take the call |
//!
//! All but the last are final: another attempt would end in the same way.

use std::time::Duration;

use offload_runtime::Error;
use offload_runtime::remote::Failure;
use temporalio_common::protos::temporal::api::activity::v1::activity_execution_outcome::Value;
use temporalio_common::protos::temporal::api::enums::v1::TimeoutType;
use temporalio_common::protos::temporal::api::failure::v1::failure::FailureInfo;
use temporalio_common::protos::temporal::api::failure::v1::{ApplicationFailureInfo, Failure as Stored};

use crate::payload;

const PANICKED: &str = "offload.Panicked";
const UNKNOWN_FUNCTION: &str = "offload.UnknownFunction";
const CODEC: &str = "offload.Codec";
const CANCELLED: &str = "offload.Cancelled";
const REFUSED: &str = "offload.Refused";

/// The server cuts longer messages.
const MESSAGE_LIMIT: usize = 4000;

/// What a call is completed or refused with.
#[derive(Debug)]
pub(crate) enum Ending {
    Returned(Vec<u8>),
    Failed(Failure),
    Refused(Error),
}

/// What a worker stores for a function without a result.
pub(crate) fn of_failure(failure: Failure) -> Stored {
    match failure {
        Failure::Panicked(message) => stored(PANICKED, message, true),
        Failure::Cancelled => stored(CANCELLED, Failure::Cancelled.to_string(), true),
        Failure::Codec(why) => stored(CODEC, why, true),
        unknown @ Failure::UnknownFunction(_) => stored(UNKNOWN_FUNCTION, unknown.to_string(), true),
        // `Failure` may grow.
        other => stored(PANICKED, other.to_string(), true),
    }
}

/// What a worker stores for a call that its threads did not take: another attempt may succeed.
pub(crate) fn of_refusal(why: &Error) -> Stored {
    stored(REFUSED, format!("the worker did not run the call: {why}"), false)
}

fn stored(kind: &str, mut message: String, non_retryable: bool) -> Stored {
    if message.len() > MESSAGE_LIMIT {
        let boundary = (0..=MESSAGE_LIMIT).rev().find(|index| message.is_char_boundary(*index)).unwrap_or(0);
        message.truncate(boundary);
        message.push_str("...");
    }
    let info = ApplicationFailureInfo { r#type: kind.to_owned(), non_retryable, ..ApplicationFailureInfo::default() };
    Stored {
        message,
        source: "offload".to_owned(),
        failure_info: Some(FailureInfo::ApplicationFailureInfo(info)),
        ..Stored::default()
    }
}

/// What a call of `function` resolves to that has ended as `value`.
pub(crate) fn ending(value: Value, function: &str, heartbeat: Duration) -> Ending {
    match value {
        Value::Result(payloads) => match payload::to_result(&payloads) {
            Ok(json) => Ending::Returned(json),
            Err(why) => Ending::Refused(Error::Codec(format!("the result: {why}"))),
        },
        Value::Failure(failure) => of_stored(failure, function, heartbeat),
    }
}

fn of_stored(failure: Stored, function: &str, heartbeat: Duration) -> Ending {
    match failure.failure_info {
        // A frame around the reason.
        Some(FailureInfo::ActivityFailureInfo(_)) if failure.cause.is_some() => {
            of_stored(*failure.cause.unwrap_or_default(), function, heartbeat)
        }
        Some(FailureInfo::TimeoutFailureInfo(info)) if info.timeout_type() == TimeoutType::Heartbeat => {
            let status =
                format!("no heartbeat from the worker for {heartbeat:?}: it died, was stopped, or was cut off");
            Ending::Refused(Error::Died { status })
        }
        Some(FailureInfo::TimeoutFailureInfo(_)) => Ending::Refused(Error::TimedOut),
        Some(FailureInfo::CanceledFailureInfo(_) | FailureInfo::TerminatedFailureInfo(_)) => {
            Ending::Refused(Error::Cancelled)
        }
        Some(FailureInfo::ApplicationFailureInfo(info)) => match &*info.r#type {
            PANICKED => Ending::Failed(Failure::Panicked(failure.message)),
            CANCELLED => Ending::Refused(Error::Cancelled),
            CODEC => Ending::Failed(Failure::Codec(failure.message)),
            UNKNOWN_FUNCTION => Ending::Failed(Failure::UnknownFunction(function.to_owned())),
            REFUSED => Ending::Refused(Error::Unavailable(failure.message)),
            // Of a worker that is not ours.
            other => {
                Ending::Refused(Error::Unavailable(format!("the worker failed the call: {other}: {}", failure.message)))
            }
        },
        _ => Ending::Refused(Error::Unavailable(format!("Temporal failed the call: {}", failure.message))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use temporalio_common::protos::temporal::api::failure::v1::{ActivityFailureInfo, TimeoutFailureInfo};

    fn told(stored: Stored) -> Ending {
        ending(Value::Failure(stored), "shop.order", Duration::from_secs(7))
    }

    fn timeout(kind: TimeoutType) -> Stored {
        let info = TimeoutFailureInfo { timeout_type: kind.into(), ..TimeoutFailureInfo::default() };
        Stored { failure_info: Some(FailureInfo::TimeoutFailureInfo(info)), ..Stored::default() }
    }

    #[test]
    fn each_failure_comes_back_as_it_was_stored() {
        for failure in [
            Failure::Panicked("out of cheese".into()),
            Failure::UnknownFunction("shop.order".into()),
            Failure::Codec("the arguments: too few".into()),
        ] {
            match told(of_failure(failure.clone())) {
                Ending::Failed(back) => assert_eq!(back, failure),
                other => panic!("{failure:?} came back as {other:?}"),
            }
        }
        assert!(matches!(told(of_failure(Failure::Cancelled)), Ending::Refused(Error::Cancelled)));
    }

    #[test]
    fn only_a_refusal_of_the_workers_threads_may_have_another_attempt() {
        let is_final = |stored: Stored| match stored.failure_info {
            Some(FailureInfo::ApplicationFailureInfo(info)) => info.non_retryable,
            _ => panic!(),
        };
        assert!(is_final(of_failure(Failure::Panicked(String::new()))));
        assert!(is_final(of_failure(Failure::UnknownFunction(String::new()))));
        assert!(is_final(of_failure(Failure::Codec(String::new()))));
        assert!(is_final(of_failure(Failure::Cancelled)));
        assert!(!is_final(of_refusal(&Error::QueueFull)));
        assert!(
            matches!(told(of_refusal(&Error::QueueFull)), Ending::Refused(Error::Unavailable(why)) if why.contains("full"))
        );
    }

    #[test]
    fn a_timeout_is_told_even_inside_an_activity_failure() {
        assert!(matches!(told(timeout(TimeoutType::ScheduleToStart)), Ending::Refused(Error::TimedOut)));
        let frame = FailureInfo::ActivityFailureInfo(ActivityFailureInfo::default());
        let framed = Stored {
            cause: Some(Box::new(timeout(TimeoutType::StartToClose))),
            failure_info: Some(frame),
            ..Stored::default()
        };
        assert!(matches!(told(framed), Ending::Refused(Error::TimedOut)));
    }

    #[test]
    fn a_worker_without_heartbeat_has_died() {
        let Ending::Refused(Error::Died { status }) = told(timeout(TimeoutType::Heartbeat)) else { panic!() };
        assert!(status.contains("7s"), "{status}");
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let failure = of_failure(Failure::Panicked("ä".repeat(MESSAGE_LIMIT)));
        assert!(failure.message.len() <= MESSAGE_LIMIT + 3 && failure.message.ends_with("ä..."));
    }
}
