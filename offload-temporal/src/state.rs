//! [`CallState`]: what the server knows of a call, by its id.

use std::sync::Arc;
use std::time::Duration;

use offload_runtime::Error;
use temporalio_client::tonic::{Code, IntoRequest, Status};
use temporalio_common::protos::temporal::api::activity::v1::ActivityExecutionInfo;
use temporalio_common::protos::temporal::api::enums::v1::{ActivityExecutionStatus, PendingActivityState};
use temporalio_common::protos::temporal::api::workflowservice::v1::DescribeActivityExecutionRequest;
use tokio::time::timeout;

use crate::temporal::{Link, Temporal};

/// How long the server may take to answer, all repetitions included.
const LIMIT: Duration = Duration::from_secs(15);

/// What the server knows of a call, as [`Temporal::state`] was told.
///
/// # Examples
/// See [`Temporal::state`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallState {
    /// The server has no call of this id: it was not stored, or it has ended and its namespace has forgotten it.
    Unknown,
    /// It waits for a worker, or for the time of its next attempt.
    Waiting,
    /// A worker has it.
    Running {
        /// Which attempt that is. The first is 1.
        attempt: u32,
        /// The worker, as it calls itself: `PID@HOST` unless set.
        worker: String,
    },
    /// It has a result. Calling again with its id returns that.
    Completed,
    /// It has ended without a result: a panic, a time limit, a lost worker.
    Failed,
    /// It was cancelled or terminated.
    Cancelled,
}

impl Temporal {
    /// Asks the server what the call `id` is doing, in one request.
    ///
    /// Any process may ask, also for a call that another one has made. For calls that bear no [`id`](Self::id) of yours,
    /// [`running_jobs`](Self::running_jobs) has those that were made up.
    ///
    /// # Cancel safety
    /// It can be dropped at any time. Nothing is changed by asking.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the server does not answer within 15 seconds, or has no such namespace.
    ///
    /// # Examples
    /// ```no_run
    /// use offload_temporal::{CallState, Temporal};
    ///
    /// # async fn run(jobs: Temporal) -> Result<(), offload_runtime::Error> {
    /// match jobs.state("order-17").await? {
    ///     CallState::Unknown => println!("nothing was ordered"),
    ///     CallState::Waiting => println!("no worker has it"),
    ///     CallState::Running { attempt, worker } => println!("attempt {attempt} is with {worker}"),
    ///     ended => println!("{ended:?}"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn state(&self, id: impl AsRef<str>) -> Result<CallState, Error> {
        let (link, id) = (Arc::clone(self.link()), id.as_ref().to_owned());
        let namespace = self.options().namespace.clone();
        let asking = self.link().background().spawn(async move {
            let info = match timeout(LIMIT, describe(&link, &namespace, &id, "")).await {
                Ok(info) => info,
                Err(_) => Err(Status::deadline_exceeded(format!("no answer within {LIMIT:?}"))),
            };
            match info {
                Ok(info) => Ok(CallState::of(&info)),
                Err(status) if status.code() == Code::NotFound && !is_of_namespace(&status) => Ok(CallState::Unknown),
                Err(status) => Err(Error::Unavailable(link.said(&namespace, &status))),
            }
        });
        asking.await.unwrap_or_else(|error| Err(Error::Unavailable(error.to_string())))
    }
}

impl CallState {
    fn of(info: &ActivityExecutionInfo) -> Self {
        match (info.status(), info.run_state()) {
            (ActivityExecutionStatus::Completed, _) => Self::Completed,
            (ActivityExecutionStatus::Failed | ActivityExecutionStatus::TimedOut, _) => Self::Failed,
            (ActivityExecutionStatus::Canceled | ActivityExecutionStatus::Terminated, _) => Self::Cancelled,
            (_, PendingActivityState::Unspecified | PendingActivityState::Scheduled | PendingActivityState::Paused) => {
                Self::Waiting
            }
            _ => Self::Running {
                attempt: u32::try_from(info.attempt).unwrap_or_default(),
                worker: info.last_worker_identity.clone(),
            },
        }
    }
}

/// What the server knows of a call. An empty `run_id` stands for the latest run.
pub(crate) async fn describe(
    link: &Link,
    namespace: &str,
    id: &str,
    run_id: &str,
) -> Result<ActivityExecutionInfo, Status> {
    let request = DescribeActivityExecutionRequest {
        namespace: namespace.to_owned(),
        activity_id: id.to_owned(),
        run_id: run_id.to_owned(),
        ..DescribeActivityExecutionRequest::default()
    };
    let described = link.service().describe_activity_execution(request.into_request()).await?;
    Ok(described.into_inner().info.unwrap_or_default())
}

/// Whether it is the namespace that was not found: the details name the type of the error.
fn is_of_namespace(status: &Status) -> bool {
    let name = b"NamespaceNotFoundFailure";
    status.details().windows(name.len()).any(|part| part == name)
}
