//! One call at the worker: runs the function, sends heartbeats meanwhile, and has its end stored.
//!
//! The SDK reports an end for ten seconds and drops it if the server does not answer, which would make the call run again or be lost. So ends are
//! reported here, until the server takes or rejects them. The SDK then frees the call's place, by the answer that another process will complete it.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use offload_runtime::remote::{Failure, Format, serve};
use offload_runtime::{Canceller, Error, Executor, JobHandle};
use temporalio_client::tonic::{IntoRequest, Status};
use temporalio_common::protos::coresdk::activity_result::ActivityExecutionResult;
use temporalio_common::protos::coresdk::activity_task::{ActivityCancelReason, Start};
use temporalio_common::protos::coresdk::{ActivityHeartbeat, ActivityTaskCompletion};
use temporalio_common::protos::temporal::api::common::v1::Payloads;
use temporalio_common::protos::temporal::api::failure::v1::Failure as Stored;
use temporalio_common::protos::temporal::api::workflowservice::v1::{
    RespondActivityTaskCanceledRequest, RespondActivityTaskCompletedRequest, RespondActivityTaskFailedRequest,
};
use temporalio_sdk_core::Worker as Core;
use tokio::time::Instant;

use crate::backoff::{Backoff, may_pass};
use crate::temporal::Link;
use crate::{outcome, payload};

/// Between two heartbeats of a call that asks for none.
const HEARTBEAT: Duration = Duration::from_secs(10);

pub(crate) struct Task {
    pub(crate) token: Vec<u8>,
    pub(crate) link: Arc<Link>,
    pub(crate) core: Arc<Core>,
    pub(crate) namespace: String,
    /// What the server stores in one piece.
    pub(crate) limit: usize,
}

/// Cancels a call that runs here.
pub(crate) struct Cancel {
    canceller: Canceller,
    /// Cancellation was requested: only then `Cancelled` is an end that the server accepts.
    is_requested: Arc<AtomicBool>,
}

impl Cancel {
    pub(crate) fn request(&self, reason: ActivityCancelReason) {
        match reason {
            // The operator's doing, and the attempt's result still counts.
            ActivityCancelReason::Paused | ActivityCancelReason::Reset => return,
            // ORDERING: Relaxed: what the canceller does orders it before the body's answer.
            ActivityCancelReason::Cancelled => self.is_requested.store(true, Ordering::Relaxed),
            // The result would come too late. The body should end all the same.
            ActivityCancelReason::NotFound | ActivityCancelReason::TimedOut | ActivityCancelReason::WorkerShutdown => {}
        }
        self.canceller.cancel();
    }
}

/// How a call has ended here.
enum End {
    Completed(Payloads),
    Failed(Box<Stored>),
    Cancelled,
}

impl Task {
    /// Gives the call to `executor`. The future is to be run to its end.
    pub(crate) fn begin(self, executor: &dyn Executor, start: &Start) -> (impl Future<Output = ()> + use<>, Cancel) {
        let every = start.heartbeat_timeout.and_then(|limit| Duration::try_from(limit).ok());
        // Twice per interval in which the SDK sends one.
        let every = every.filter(|limit| !limit.is_zero()).map_or(HEARTBEAT, |limit| limit.mul_f64(0.4));
        let job = match payload::to_arguments(&start.input) {
            Ok(arguments) => serve(executor, &start.activity_type, Format::Json, arguments),
            Err(why) => {
                let failure = Failure::Codec(format!("the arguments: {why}"));
                offload_runtime::ExecutorExt::submit(&offload_runtime::Inline, move || Err(failure))
            }
        };
        let cancel = Cancel { canceller: job.canceller(), is_requested: Arc::default() };
        let is_requested = Arc::clone(&cancel.is_requested);
        (self.run(job, is_requested, every), cancel)
    }

    async fn run(self, job: JobHandle<Result<Vec<u8>, Failure>>, is_requested: Arc<AtomicBool>, every: Duration) {
        let ended = async {
            let result = job.await;
            // ORDERING: Relaxed: see `Cancel::request`.
            let end = self.end(result, || is_requested.load(Ordering::Relaxed));
            self.report(end).await;
        };
        let mut ended = pin!(ended);
        // Not at once: most calls have ended by then.
        let mut ticks = tokio::time::interval_at(Instant::now() + every, every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = &mut ended => break,
                _ = ticks.tick() => {
                    let beat = ActivityHeartbeat { task_token: self.token.clone(), details: Vec::new() };
                    self.core.record_activity_heartbeat(beat);
                }
            }
        }
        let result = Some(ActivityExecutionResult::will_complete_async());
        // It can only fail for a malformed request.
        let _ =
            self.core.complete_activity_task(ActivityTaskCompletion { task_token: self.token.clone(), result }).await;
    }

    fn end(&self, result: Result<Result<Vec<u8>, Failure>, Error>, is_requested: impl Fn() -> bool) -> End {
        let failure = match result.map_err(Failure::of) {
            Ok(Ok(json)) => {
                let payloads = payload::of_result(json);
                match payload::check_size("the result", &payloads, self.limit) {
                    Ok(()) => return End::Completed(payloads),
                    Err(why) => Failure::Codec(why),
                }
            }
            Ok(Err(failure)) | Err(Ok(failure)) => failure,
            Err(Err(refused)) => return End::Failed(Box::new(outcome::of_refusal(&refused))),
        };
        match failure {
            Failure::Cancelled if is_requested() => End::Cancelled,
            failure => End::Failed(Box::new(outcome::of_failure(failure))),
        }
    }

    /// Repeats until the server has stored the end, or does not want it: the call has ended in another way.
    async fn report(&self, end: End) {
        let mut backoff = Backoff::new();
        loop {
            match self.try_report(&end).await {
                Err(status) if may_pass(&status) => backoff.wait().await,
                _ => return,
            }
        }
    }

    async fn try_report(&self, end: &End) -> Result<(), Status> {
        let mut service = self.link.service();
        let (task_token, namespace) = (self.token.clone(), self.namespace.clone());
        let identity = self.link.identity().to_owned();
        match end {
            End::Completed(payloads) => {
                let result = Some(payloads.clone());
                let request = RespondActivityTaskCompletedRequest {
                    task_token,
                    namespace,
                    identity,
                    result,
                    ..Default::default()
                };
                service.respond_activity_task_completed(request.into_request()).await.map(drop)
            }
            End::Failed(failure) => {
                let failure = Some((**failure).clone());
                let request =
                    RespondActivityTaskFailedRequest { task_token, namespace, identity, failure, ..Default::default() };
                service.respond_activity_task_failed(request.into_request()).await.map(drop)
            }
            End::Cancelled => {
                let request =
                    RespondActivityTaskCanceledRequest { task_token, namespace, identity, ..Default::default() };
                service.respond_activity_task_canceled(request.into_request()).await.map(drop)
            }
        }
    }
}
