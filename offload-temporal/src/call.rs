//! The life of one call, on the caller's side.
//!
//! ```text
//! start ── acknowledged ──▶ wait for the outcome ──▶ complete
//!   │                           │
//!   │ refused, or in doubt      │ the handle is dropped
//!   ▼                           ▼
//! refuse, and cancel        request cancellation
//! ```
//! * All requests of one call bear one id, and a start is refused if that id was used before. So a start that is repeated, because the answer to the
//!   first was lost, cannot make a second execution.
//! * After the acknowledgement the server owns the call. Whatever happens to the connection, the wait goes on until there is an outcome.

use std::sync::Arc;
use std::time::Duration;

use offload_runtime::Error;
use offload_runtime::remote::MeteredCall;
use temporalio_client::tonic::{Code, IntoRequest, Status};
use temporalio_common::protos::temporal::api::activity::v1::activity_execution_outcome::Value;
use temporalio_common::protos::temporal::api::common::v1::{ActivityType, Payloads, RetryPolicy};
use temporalio_common::protos::temporal::api::enums::v1::{
    ActivityIdConflictPolicy, ActivityIdReusePolicy, TaskQueueKind,
};
use temporalio_common::protos::temporal::api::taskqueue::v1::TaskQueue;
use temporalio_common::protos::temporal::api::workflowservice::v1::{
    PollActivityExecutionRequest, RequestCancelActivityExecutionRequest, StartActivityExecutionRequest,
};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use crate::backoff::{Backoff, may_pass};
use crate::outcome::{Ending, ending};
use crate::queue::Queue;
use crate::state::describe as describe_call;
use crate::temporal::{Link, Options};

/// How long the server may take to acknowledge a call, all repetitions included.
const ACKNOWLEDGE: Duration = Duration::from_secs(15);

/// How long a cancellation is repeated if the server does not answer.
const CANCEL: Duration = Duration::from_secs(120);

/// The wait between two attempts at most.
const LONGEST_BACKOFF: Duration = Duration::from_secs(100);

pub(crate) struct Request {
    pub(crate) link: Arc<Link>,
    pub(crate) options: Arc<Options>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) function: String,
    pub(crate) arguments: Payloads,
    /// The call's own, made up, or one that the user gave.
    pub(crate) id: String,
    /// The user gave the id: there may be other callers.
    pub(crate) is_shared: bool,
}

/// An execution that the server knows.
struct Run {
    run_id: String,
    /// This call has started it.
    is_ours: bool,
}

/// Why a start was not acknowledged.
enum NotStarted {
    Refused(Error),
    /// It may be stored, or be on its way.
    InDoubt(Error),
}

/// Makes the call and completes it. `cancelled` is sent to when the handle is dropped or cancelled.
pub(crate) async fn drive(request: Request, mut call: MeteredCall, cancelled: oneshot::Receiver<()>) {
    if call.call().is_cancelled() {
        return;
    }
    let run = match request.start().await {
        Ok(run) => run,
        Err(NotStarted::Refused(why)) => return call.refuse(why),
        Err(NotStarted::InDoubt(why)) => {
            call.refuse(why);
            if !request.is_shared {
                request.cancel("").await;
            }
            return;
        }
    };
    let shown = request.queue.begin(&mut call, &request.id);
    let cancelled = async {
        // An error: the call has ended, and with it the hook that would send.
        if cancelled.await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        value = request.outcome(&run.run_id) => {
            // Before the result can be seen.
            drop(shown);
            match value.map(|value| ending(value, &request.function, request.options.heartbeat)) {
                Ok(Ending::Returned(json)) => call.complete(Ok(json)),
                Ok(Ending::Failed(failure)) => call.complete(Err(failure)),
                Ok(Ending::Refused(why)) | Err(why) => call.refuse(why),
            }
        }
        () = cancelled => {
            shown.cancelled();
            // Other callers may wait for an execution that this one has only attached to.
            if run.is_ours {
                request.cancel(&run.run_id).await;
            }
        }
    }
}

impl Request {
    /// Has the server store the call.
    async fn start(&self) -> Result<Run, NotStarted> {
        let started = match timeout(ACKNOWLEDGE, self.try_start()).await {
            Ok(started) => started,
            Err(_) => Err(Status::deadline_exceeded(format!("no answer within {ACKNOWLEDGE:?}"))),
        };
        match started {
            Ok(run) if run.is_ours => Ok(run),
            // The execution is another call's, which goes on.
            Ok(run) => self.check_function(&run).await.map(|()| run).map_err(NotStarted::Refused),
            Err(status) if may_pass(&status) => {
                let doubt = format!("{}; whether it has stored the call is not known", self.said(&status));
                Err(NotStarted::InDoubt(Error::Unavailable(doubt)))
            }
            Err(status) => Err(NotStarted::Refused(Error::Unavailable(self.said(&status)))),
        }
    }

    async fn try_start(&self) -> Result<Run, Status> {
        let request = self.start_request();
        match self.link.service().start_activity_execution(request.into_request()).await {
            Ok(response) => {
                let response = response.into_inner();
                Ok(Run { run_id: response.run_id, is_ours: response.started || !self.is_shared })
            }
            // An empty run id stands for the latest run, and with this policy there is but one.
            Err(status) if status.code() == Code::AlreadyExists => {
                Ok(Run { run_id: String::new(), is_ours: !self.is_shared })
            }
            Err(status) => Err(status),
        }
    }

    fn start_request(&self) -> StartActivityExecutionRequest {
        let options = &self.options;
        // Set, so that no call can stay for ever: each attempt may wait and run for as long as it is allowed to.
        let overall = (options.schedule_to_start + options.start_to_close + LONGEST_BACKOFF) * options.attempts;
        StartActivityExecutionRequest {
            namespace: options.namespace.clone(),
            identity: self.link.identity().to_owned(),
            request_id: uuid::Uuid::new_v4().to_string(),
            activity_id: self.id.clone(),
            activity_type: Some(ActivityType { name: self.function.clone() }),
            task_queue: Some(TaskQueue {
                name: options.task_queue.clone(),
                kind: TaskQueueKind::Normal.into(),
                ..TaskQueue::default()
            }),
            schedule_to_close_timeout: overall.try_into().ok(),
            schedule_to_start_timeout: options.schedule_to_start.try_into().ok(),
            start_to_close_timeout: options.start_to_close.try_into().ok(),
            heartbeat_timeout: options.heartbeat.try_into().ok(),
            retry_policy: Some(RetryPolicy {
                initial_interval: Duration::from_secs(1).try_into().ok(),
                backoff_coefficient: 2.0,
                maximum_interval: LONGEST_BACKOFF.try_into().ok(),
                maximum_attempts: i32::try_from(options.attempts).unwrap_or(i32::MAX),
                ..RetryPolicy::default()
            }),
            input: Some(self.arguments.clone()),
            id_reuse_policy: ActivityIdReusePolicy::RejectDuplicate.into(),
            id_conflict_policy: ActivityIdConflictPolicy::UseExisting.into(),
            ..StartActivityExecutionRequest::default()
        }
    }

    /// The execution of a shared id may be another function's.
    async fn check_function(&self, run: &Run) -> Result<(), Error> {
        let mut backoff = Backoff::new();
        let info = loop {
            match describe_call(&self.link, &self.options.namespace, &self.id, &run.run_id).await {
                Ok(info) => break info,
                Err(status) if may_pass(&status) => backoff.wait().await,
                Err(status) => return Err(self.lost(&status)),
            }
        };
        let other = info.activity_type.unwrap_or_default().name;
        if other == self.function {
            return Ok(());
        }
        Err(Error::Codec(format!("the id `{}` belongs to a call of `{other}`, not of `{}`", self.id, self.function)))
    }

    /// Waits until the execution has ended.
    async fn outcome(&self, run_id: &str) -> Result<Value, Error> {
        let request = PollActivityExecutionRequest {
            namespace: self.options.namespace.clone(),
            activity_id: self.id.clone(),
            run_id: run_id.to_owned(),
        };
        let mut backoff = Backoff::new();
        loop {
            match self.link.service().poll_activity_execution(request.clone().into_request()).await {
                Ok(response) => match response.into_inner().outcome.and_then(|outcome| outcome.value) {
                    Some(value) => return Ok(value),
                    // The server ends a request after a while.
                    None => backoff = Backoff::new(),
                },
                Err(status) if may_pass(&status) => backoff.wait().await,
                Err(status) => return Err(self.lost(&status)),
            }
        }
    }

    /// Requests cancellation. Any answer will do: the call may have ended, or the request may be the second.
    async fn cancel(&self, run_id: &str) {
        let request = RequestCancelActivityExecutionRequest {
            namespace: self.options.namespace.clone(),
            activity_id: self.id.clone(),
            run_id: run_id.to_owned(),
            identity: self.link.identity().to_owned(),
            request_id: uuid::Uuid::new_v4().to_string(),
            reason: "the caller dropped or cancelled the call".to_owned(),
        };
        let (mut backoff, until) = (Backoff::new(), Instant::now() + CANCEL);
        while Instant::now() < until {
            match self.link.service().request_cancel_activity_execution(request.clone().into_request()).await {
                Err(status) if may_pass(&status) => backoff.wait().await,
                _ => return,
            }
        }
    }

    /// The server has the call, or had it, and does not tell how it ends.
    fn lost(&self, status: &Status) -> Error {
        let said = self.said(status);
        Error::Unavailable(format!(
            "{said}; it has acknowledged the call `{}`, and how that ends is not known",
            self.id
        ))
    }

    fn said(&self, status: &Status) -> String {
        self.link.said(&self.options.namespace, status)
    }
}

/// A status in one line.
pub(crate) fn describe(status: &Status) -> String {
    match status.message() {
        "" => format!("{:?}", status.code()),
        message => message.to_owned(),
    }
}
