//! A server that answers as Temporal does while nothing goes wrong, and keeps nothing. For many calls: they cost it little.

use std::collections::HashMap;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use prost::Message;
use temporalio_common::protos::temporal::api::activity::v1::ActivityExecutionOutcome;
use temporalio_common::protos::temporal::api::activity::v1::activity_execution_outcome::Value;
use temporalio_common::protos::temporal::api::common::v1::Payloads;
use temporalio_common::protos::temporal::api::namespace::v1::NamespaceInfo;
use temporalio_common::protos::temporal::api::workflowservice::v1::{
    DescribeNamespaceResponse, PollActivityExecutionRequest, PollActivityExecutionResponse,
    PollActivityTaskQueueResponse, RespondActivityTaskCompletedRequest, StartActivityExecutionRequest,
    StartActivityExecutionResponse,
};
use tokio::sync::{mpsc, oneshot};

use crate::support::tls::listen;

/// How long a request for a task or a result waits.
const LONG_POLL: Duration = Duration::from_secs(20);

/// One task queue, and the calls that have not ended.
struct Calls {
    waiting: mpsc::UnboundedSender<PollActivityTaskQueueResponse>,
    taken: tokio::sync::Mutex<mpsc::UnboundedReceiver<PollActivityTaskQueueResponse>>,
    ends: Mutex<HashMap<String, oneshot::Sender<Payloads>>>,
    results: Mutex<HashMap<String, oneshot::Receiver<Payloads>>>,
}

/// Listens until the process ends.
pub(crate) fn start() -> SocketAddr {
    let (waiting, taken) = mpsc::unbounded_channel();
    let (ends, results) = Default::default();
    let calls = Arc::new(Calls { waiting, taken: taken.into(), ends, results });
    listen(async move |client| {
        let Ok(mut client) = h2::server::handshake(client).await else { return };
        while let Some(Ok((request, mut respond))) = client.accept().await {
            let calls = Arc::clone(&calls);
            tokio::task::spawn_local(async move {
                let (head, mut body) = request.into_parts();
                let mut frame = Vec::new();
                while let Some(Ok(part)) = body.data().await {
                    let _ = body.flow_control().release_capacity(part.len());
                    frame.extend_from_slice(&part);
                }
                let answer = calls.answer(head.uri.path(), &content(&frame)).await;
                // A zero: it is not compressed. Then the length.
                let length = u32::try_from(answer.len()).unwrap().to_be_bytes();
                let frame = [&[0][..], &length, &answer].concat();
                let response = http::Response::builder().header("content-type", "application/grpc");
                // An error: the client has left.
                let Ok(mut stream) = respond.send_response(response.body(()).unwrap(), false) else { return };
                let mut trailers = http::HeaderMap::new();
                trailers.insert("grpc-status", http::HeaderValue::from_static("0"));
                let _ = stream.send_data(frame.into(), false).and_then(|()| stream.send_trailers(trailers));
            });
        }
    })
}

/// What a frame of gRPC has, compressed or not.
fn content(frame: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    match frame {
        [0, _, _, _, _, rest @ ..] => content.extend_from_slice(rest),
        [_, _, _, _, _, rest @ ..] => drop(flate2::read::GzDecoder::new(rest).read_to_end(&mut content).unwrap()),
        _ => (),
    }
    content
}

impl Calls {
    /// Of other requests than these the answer is empty, which says nothing.
    async fn answer(&self, path: &str, content: &[u8]) -> Vec<u8> {
        match path.rsplit('/').next().unwrap() {
            "DescribeNamespace" => {
                let namespace_info = Some(NamespaceInfo { name: "default".into(), ..Default::default() });
                DescribeNamespaceResponse { namespace_info, ..Default::default() }.encode_to_vec()
            }
            "StartActivityExecution" => self.begin(StartActivityExecutionRequest::decode(content).unwrap()),
            "PollActivityTaskQueue" => {
                let task = async { self.taken.lock().await.recv().await };
                tokio::time::timeout(LONG_POLL, task).await.ok().flatten().unwrap_or_default().encode_to_vec()
            }
            "RespondActivityTaskCompleted" => {
                let end = RespondActivityTaskCompletedRequest::decode(content).unwrap();
                let call = self.ends.lock().unwrap().remove(str::from_utf8(&end.task_token).unwrap());
                let _ = call.unwrap().send(end.result.unwrap());
                Vec::new()
            }
            "PollActivityExecution" => {
                let id = PollActivityExecutionRequest::decode(content).unwrap().activity_id;
                let result = self.results.lock().unwrap().remove(&id).unwrap();
                let value = Some(Value::Result(result.await.unwrap()));
                let outcome = ActivityExecutionOutcome { value, ..Default::default() };
                PollActivityExecutionResponse { outcome: Some(outcome), ..Default::default() }.encode_to_vec()
            }
            _ => Vec::new(),
        }
    }

    fn begin(&self, call: StartActivityExecutionRequest) -> Vec<u8> {
        let (end, result) = oneshot::channel();
        self.ends.lock().unwrap().insert(call.activity_id.clone(), end);
        self.results.lock().unwrap().insert(call.activity_id.clone(), result);
        let now = Some(SystemTime::now().into());
        let task = PollActivityTaskQueueResponse {
            task_token: call.activity_id.clone().into_bytes(),
            activity_id: call.activity_id,
            activity_type: call.activity_type,
            input: call.input,
            scheduled_time: now,
            current_attempt_scheduled_time: now,
            started_time: now,
            attempt: 1,
            schedule_to_close_timeout: call.schedule_to_close_timeout,
            start_to_close_timeout: call.start_to_close_timeout,
            heartbeat_timeout: call.heartbeat_timeout,
            ..Default::default()
        };
        self.waiting.send(task).unwrap();
        StartActivityExecutionResponse { run_id: "the only one".into(), started: true, ..Default::default() }
            .encode_to_vec()
    }
}
