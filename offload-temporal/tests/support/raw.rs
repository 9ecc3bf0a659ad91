//! The server's own view of calls, by requests of the SDK.

use offload_temporal::temporalio_client::grpc::WorkflowService;
use offload_temporal::temporalio_client::tonic::{IntoRequest, Response};
use offload_temporal::temporalio_client::{Connection, ConnectionOptions, Url};
use temporalio_common::protos::temporal::api::enums::v1::ActivityExecutionStatus;
use temporalio_common::protos::temporal::api::workflowservice::v1::{
    DescribeActivityExecutionRequest, DescribeActivityExecutionResponse, DescribeNamespaceRequest,
    RequestCancelActivityExecutionRequest,
};
use tokio::runtime::Runtime;

pub(crate) struct Raw {
    runtime: Runtime,
    connection: Connection,
}

impl Raw {
    pub(crate) fn connect(url: &str) -> Self {
        Self::try_connect(url).unwrap()
    }

    pub(crate) fn try_connect(url: &str) -> Option<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let options = ConnectionOptions::new(Url::parse(url).unwrap()).build();
        let connection = runtime.block_on(Connection::connect(options)).ok()?;
        Some(Self { runtime, connection })
    }

    fn service(&self) -> Box<dyn WorkflowService> {
        self.connection.workflow_service()
    }

    pub(crate) fn is_ready(&self) -> bool {
        let request = DescribeNamespaceRequest { namespace: "default".into(), ..Default::default() };
        self.runtime.block_on(self.service().describe_namespace(request.into_request())).is_ok()
    }

    /// `None` if the server knows no call of this id.
    pub(crate) fn describe(&self, id: &str) -> Option<DescribeActivityExecutionResponse> {
        let request = DescribeActivityExecutionRequest {
            namespace: "default".into(),
            activity_id: id.into(),
            include_input: true,
            include_outcome: true,
            ..Default::default()
        };
        let described = self.runtime.block_on(self.service().describe_activity_execution(request.into_request()));
        described.ok().map(tonic_inner)
    }

    pub(crate) fn status(&self, id: &str) -> Option<ActivityExecutionStatus> {
        self.describe(id).map(|described| described.info.unwrap().status())
    }

    pub(crate) fn cancel(&self, id: &str) {
        let request = RequestCancelActivityExecutionRequest {
            namespace: "default".into(),
            activity_id: id.into(),
            request_id: uuid::Uuid::new_v4().to_string(),
            reason: "a test".into(),
            ..Default::default()
        };
        self.runtime.block_on(self.service().request_cancel_activity_execution(request.into_request())).unwrap();
    }
}

fn tonic_inner<T>(response: Response<T>) -> T {
    response.into_inner()
}
